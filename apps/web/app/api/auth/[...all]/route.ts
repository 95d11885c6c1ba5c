import type { NextRequest } from 'next/server'
import { guarded } from '@/lib/guarded-auth.ts'
import { runtime } from '@/lib/runtime.ts'

/** Sign-up, sign-in and sessions: endpoints of better-auth. Those of the authorization server for MCP clients are answered before. */
const handle = (request: NextRequest) => guarded(runtime(), request, (checked) => runtime().auth.handler(checked))

export { handle as GET, handle as OPTIONS, handle as POST }
