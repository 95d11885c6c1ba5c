import { endSessions } from '@/features/accounts/account-data.ts'
import { requireOwnOrigin, requireSignedIn } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Ends one of the user's own sessions. */
export const DELETE = (request: Request, { params }: { params: Promise<{ sessionId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    await endSessions(runtime(), found, (await params).sessionId)
    return new Response(null, { status: 204 })
  })
