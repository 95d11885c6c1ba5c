import { endSessions } from '@/features/accounts/account-data.ts'
import { requireOwnOrigin, requireSignedIn } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Ends all of the user's sessions but this one. */
export const DELETE = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    await endSessions(runtime(), await requireSignedIn(request.headers))
    return new Response(null, { status: 204 })
  })
