import { cancelInvitation } from '@/features/spaces/people.ts'
import { requireManager, requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

/** Cancels an invitation. */
export const DELETE = (request: Request, { params }: { params: Promise<{ spaceId: string; invitationId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, invitationId } = await params
    await cancelInvitation(requireManager(await requireMember(request.headers, spaceId)), invitationId)
    return new Response(null, { status: 204 })
  })
