import { endSessions } from '@/features/accounts/account-data.ts'
import { requireSignedIn } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

/** Ends one of the person's own sessions. */
export const DELETE = (request: Request, { params }: { params: Promise<{ sessionId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const found = await requireSignedIn(request.headers)
    await endSessions(found, (await params).sessionId)
    return new Response(null, { status: 204 })
  })
