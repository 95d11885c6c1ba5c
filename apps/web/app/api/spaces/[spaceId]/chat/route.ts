import { answerStream } from '@/features/chat/follow-answer.ts'
import { takeTurn, Turn } from '@/features/chat/take-turn.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'
import { requireWithinLimit } from '@/lib/within-limit.ts'

/**
 * Takes what the person did and responds with the stream of the answer; with 202 while other changes wait for a decision, with 204 when a
 * message was sent before and its answer is complete.
 */
export const POST = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, (await params).spaceId)
    const turn = await jsonBody(request, Turn)
    // Each asks the operator's model.
    await requireWithinLimit(request.headers, 'chat', { person: member.person.id, space: member.space.id })
    const taken = await takeTurn(member, turn)
    switch (taken.kind) {
      case 'undecided':
        return Response.json({ status: 'undecided' }, { ...noStore, status: 202 })
      case 'answered':
        return new Response(null, { ...noStore, status: 204 })
      case 'answering':
        return answerStream(member, turn.conversationId, taken.answer)
    }
  })
