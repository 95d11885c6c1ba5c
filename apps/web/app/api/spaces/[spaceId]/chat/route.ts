import { streamRun } from '@/features/chat/stream-run.ts'
import { startRun, RunRequest } from '@/features/chat/start-run.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireMember, requireOwnOrigin, requireWithinLimit } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

/**
 * Takes what the user did and responds with the stream of the answer; with 202 while other changes wait for a decision, with 204 when a
 * message was sent before and its answer is complete.
 */
export const POST = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const member = await requireMember(request.headers, (await params).spaceId)
    const run = await jsonBody(request, RunRequest)
    // Each message costs a call of the configured model.
    await requireWithinLimit(request.headers, 'chat', { user: member.user.id, space: member.space.id })
    const taken = await startRun(runtime(), member, run)
    switch (taken.kind) {
      case 'undecided':
        return Response.json({ status: 'undecided' }, { ...noStore, status: 202 })
      case 'answered':
        return new Response(null, { ...noStore, status: 204 })
      case 'answering':
        return streamRun(runtime(), member, run.conversationId, taken.run)
    }
  })
