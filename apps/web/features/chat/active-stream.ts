import 'server-only'
import type { ActiveStream } from '@/lib/active-streams.ts'
import type { App } from '@/lib/runtime.ts'
import type { FinishReason, ChatChunk } from './chat-message.ts'

/** The stream of a run in this process, for readers in this process. */
export interface RunStream extends ActiveStream {
  readonly conversationId: string
  readonly chunks: readonly ChatChunk[]
  readonly isFinished: boolean
  /** Its abort reason is the finish reason of the run. */
  readonly signal: AbortSignal & { readonly reason: FinishReason }
  push(chunk: ChatChunk): void
  abort(end: FinishReason): void
  finish(): void
  /** Until there is something new, or the signal ends the waiting. */
  changed(signal: AbortSignal): Promise<void>
}

export function addActiveStream(app: App<'activeStreams'>, id: string, conversationId: string): RunStream {
  const { byConversation } = app.activeStreams
  const chunks: ChatChunk[] = []
  const aborting = new AbortController()
  let isFinished = false
  let update = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  const notify = () => {
    update.resolve()
    update = Promise.withResolvers()
  }
  const stream: RunStream = {
    id,
    conversationId,
    chunks,
    get isFinished() {
      return isFinished
    },
    signal: aborting.signal,
    push(chunk) {
      chunks.push(chunk)
      notify()
    },
    abort: (end) => aborting.abort(end),
    finish() {
      isFinished = true
      if (byConversation.get(conversationId) === stream) byConversation.delete(conversationId)
      notify()
      finished.resolve()
    },
    async changed(signal) {
      const left = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => left.resolve(), { once: true })
      await Promise.race([update.promise, left.promise])
    },
    finished: finished.promise,
    async interrupt() {
      aborting.abort({ kind: 'interrupted' } satisfies FinishReason)
      await finished.promise
    },
  }
  byConversation.set(conversationId, stream)
  return stream
}

/** The active stream of this conversation, if its run is in this process. */
export function activeStream(app: App<'activeStreams'>, conversationId: string): RunStream | undefined {
  // Only addActiveStream adds entries.
  return app.activeStreams.byConversation.get(conversationId) as RunStream | undefined
}
