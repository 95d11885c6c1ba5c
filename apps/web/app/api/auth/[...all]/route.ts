import { notFound } from 'next/navigation'
import type { NextRequest } from 'next/server'
import { runtime } from '../../../../lib/runtime.ts'

/**
 * better-auth's endpoints about its organizations, which are our spaces. They let members read the ids of invitations, which are all that is
 * needed to accept them; spaces have their own routes, with their own rules.
 */
const SPACES = '/api/auth/organization/'

/** Sign-up, sign-in and sessions: better-auth's own endpoints, and those of the authorization server for MCP clients. */
const handle = (request: NextRequest) =>
  request.nextUrl.pathname.startsWith(SPACES) ? notFound() : runtime().oauth.handle(request)

export { handle as GET, handle as OPTIONS, handle as POST }
