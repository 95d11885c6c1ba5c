import { requestStop } from '@/features/chat/run-store.ts'
import { ownConversation } from '@/features/chat/conversation-store.ts'
import { activeStream } from '@/features/chat/active-stream.ts'
import { requireMember, requireOwnOrigin } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

/** Stops the active run; its output so far is kept. */
export const POST = (request: Request, { params }: Context) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const { id } = await ownConversation(runtime(), member, conversationId)
    const live = activeStream(runtime(), id)
    if (live) live.abort({ kind: 'stopped' })
    // Another process may own the run; it polls this flag every second.
    else await requestStop(runtime(), id)
    return new Response(null, { status: 202 })
  })
