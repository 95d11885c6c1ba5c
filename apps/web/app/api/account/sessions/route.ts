import { endSessions } from '@/features/accounts/account-data.ts'
import { requireSignedIn } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

/** Ends all of the person's sessions but this one. */
export const DELETE = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    await endSessions(await requireSignedIn(request.headers))
    return new Response(null, { status: 204 })
  })
