import type { NextRequest } from 'next/server'
import { runtime } from '../../../../lib/runtime.ts'

/** Sign-up, sign-in, sessions and spaces: all of better-auth's own endpoints, and those of the authorization server for MCP clients. */
const handle = (request: NextRequest) => runtime().oauth.handle(request)

export { handle as GET, handle as OPTIONS, handle as POST }
