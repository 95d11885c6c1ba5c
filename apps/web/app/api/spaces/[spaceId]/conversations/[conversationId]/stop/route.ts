import { requestStop } from '@/features/chat/answer-store.ts'
import { ownConversation } from '@/features/chat/conversation-store.ts'
import { liveAnswer } from '@/features/chat/live-answer.ts'
import { requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

/** Stops the answer that is being written; what there is of it stays. */
export const POST = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const { id } = await ownConversation(member, conversationId)
    const live = liveAnswer(id)
    if (live) live.abort({ kind: 'stopped' })
    // Another process may be writing it; it asks every second.
    else await requestStop(id)
    return new Response(null, { status: 202 })
  })
