import type { NextRequest } from 'next/server'
import { runtime } from '../../../../lib/runtime.ts'

/** Sign-up, sign-in, sessions and spaces: all of better-auth's own endpoints. */
const handle = (request: NextRequest) => runtime().auth.handler(request)

export { handle as GET, handle as POST }
