import { notFound } from 'next/navigation'
import type { NextRequest } from 'next/server'
import { runtime } from '../../../../lib/runtime.ts'

/**
 * better-auth's endpoints about its organizations, which are our spaces. They let members read the ids of invitations, which are all that is
 * needed to accept them; spaces have their own routes, with their own rules.
 */
const SPACES = '/api/auth/organization/'

/** Sign-up, sign-in and sessions: better-auth's own endpoints. Those of the authorization server are answered before. */
const handle = (request: NextRequest) =>
  request.nextUrl.pathname.startsWith(SPACES) ? notFound() : runtime().auth.handler(request)

export { handle as GET, handle as POST }
