import type { NextRequest } from 'next/server'
import { readConversation, readMessages } from '@/features/chat/conversation-store.ts'
import { noStore } from '@/lib/json-body.ts'
import { requireMember } from '@/lib/request-guards.ts'
import { Failure } from '@/lib/failure.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

/** Messages before a position, oldest first. */
export const GET = (request: NextRequest, { params }: Context) =>
  respond(async () => {
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const { id } = await readConversation(runtime(), member, conversationId)
    const before = request.nextUrl.searchParams.get('before') ?? ''
    if (!/^\d{1,9}$/.test(before)) {
      throw new Failure('invalid_request', 'Pass a position, for example ?before=40.')
    }
    return Response.json(await readMessages(runtime(), id, Number(before)), noStore)
  })
