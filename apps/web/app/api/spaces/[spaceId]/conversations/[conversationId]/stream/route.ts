import { activeRun } from '@/features/chat/run-store.ts'
import { readConversation } from '@/features/chat/conversation-store.ts'
import { streamRun } from '@/features/chat/stream-run.ts'
import { requireMember } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

interface Context {
  readonly params: Promise<{ spaceId: string; conversationId: string }>
}

/** Streams the active run from its start; 204 without one. */
export const GET = (request: Request, { params }: Context) =>
  respond(async () => {
    const { spaceId, conversationId } = await params
    const member = await requireMember(request.headers, spaceId)
    const { id } = await readConversation(runtime(), member, conversationId)
    const run = await activeRun(runtime(), id)
    return run ? streamRun(runtime(), member, id, run) : new Response(null, { status: 204 })
  })
