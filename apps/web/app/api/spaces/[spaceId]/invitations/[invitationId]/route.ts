import { cancelInvitation } from '@/features/spaces/people.ts'
import { requireManager, requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { answering } from '@/lib/refusal.ts'

/** Cancels an invitation. */
export const DELETE = (request: Request, { params }: { params: Promise<{ spaceId: string; invitationId: string }> }) =>
  answering(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, invitationId } = await params
    await cancelInvitation(requireManager(await requireMember(request.headers, spaceId)), invitationId)
    return new Response(null, { status: 204 })
  })
