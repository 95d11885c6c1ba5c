import { z } from 'zod'
import { LONGEST_TITLE } from '../../../../../../features/chat/conversation.ts'
import {
  changeConversation,
  deleteConversation,
  publicSummary,
} from '../../../../../../features/chat/conversation-store.ts'
import { openedConversation } from '../../../../../../features/chat/opened-conversation.ts'
import { jsonBody, noStore } from '../../../../../../lib/json-body.ts'
import { requireMember } from '../../../../../../lib/members.ts'
import { requireOwnOrigin } from '../../../../../../lib/own-origin.ts'
import { answering } from '../../../../../../lib/refusal.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

/** The conversation with its newest messages. */
export const GET = (request: Request, { params }: Context) =>
  answering(async () => {
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    return Response.json(await openedConversation(member, conversationId), noStore)
  })

const Change = z
  .object({ title: z.string().trim().min(1).max(LONGEST_TITLE), visibility: z.enum(['private', 'space']) })
  .partial()

export const PATCH = (request: Request, { params }: Context) =>
  answering(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const change = await jsonBody(request, Change)
    return Response.json(publicSummary(await changeConversation(member, conversationId, change)), noStore)
  })

export const DELETE = (request: Request, { params }: Context) =>
  answering(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, conversationId } = await params
    await deleteConversation(await requireMember(request.headers, spaceId), conversationId)
    return new Response(null, { status: 204 })
  })
