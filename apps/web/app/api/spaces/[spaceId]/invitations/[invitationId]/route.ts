import { cancelInvitation } from '@/features/spaces/members.ts'
import { requireManager } from '@/lib/membership.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/** Cancels an invitation. */
export const DELETE = (request: Request, { params }: { params: Promise<{ spaceId: string; invitationId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, invitationId } = await params
    await cancelInvitation(runtime(), requireManager(await requireMember(request.headers, spaceId)), invitationId)
    return new Response(null, { status: 204 })
  })
