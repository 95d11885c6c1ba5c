import { answerInProgress } from '@/features/chat/answer-store.ts'
import { readConversation } from '@/features/chat/conversation-store.ts'
import { answerStream } from '@/features/chat/follow-answer.ts'
import { requireMember } from '@/lib/members.ts'
import { respond } from '@/lib/problem-response.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

/** The answer that is being written, from its beginning; 204 when none is. */
export const GET = (request: Request, { params }: Context) =>
  respond(async () => {
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const { id } = await readConversation(member, conversationId)
    const answer = await answerInProgress(id)
    return answer ? answerStream(member, id, answer) : new Response(null, { status: 204 })
  })
