import type { NextRequest } from 'next/server'
import { z } from 'zod'
import { LONGEST_TITLE, Visibility } from '@/features/chat/conversation.ts'
import { changeConversation, deleteConversation, publicSummary } from '@/features/chat/conversation-store.ts'
import { newerConversation } from '@/features/chat/opened-conversation.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

/** The conversation with its newest messages; 204 when `known` is its newest version. */
export const GET = (request: NextRequest, { params }: Context) =>
  respond(async () => {
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const opened = await newerConversation(
      runtime(),
      member,
      conversationId,
      request.nextUrl.searchParams.get('known') ?? undefined,
    )
    return opened ? Response.json(opened, noStore) : new Response(null, { ...noStore, status: 204 })
  })

const Title = z
  .string()
  .trim()
  .min(1)
  .max(LONGEST_TITLE)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'control characters are not allowed')

const Change = z.object({ title: Title, visibility: Visibility }).partial()

export const PATCH = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const change = await jsonBody(request, Change)
    return Response.json(publicSummary(await changeConversation(runtime(), member, conversationId, change)), noStore)
  })

export const DELETE = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, conversationId } = await params
    await deleteConversation(runtime(), await requireMember(request.headers, spaceId), conversationId)
    return new Response(null, { status: 204 })
  })
