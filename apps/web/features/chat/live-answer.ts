import 'server-only'
import type { LiveAnswer } from '@/lib/live-answers.ts'
import { runtime } from '@/lib/runtime.ts'
import type { AnswerEnd, ChatChunk } from './chat-message.ts'

/** An answer that this process is writing, for its readers in this process. */
export interface WritableAnswer extends LiveAnswer {
  readonly conversationId: string
  readonly chunks: readonly ChatChunk[]
  readonly isFinished: boolean
  /** Its reason is how the answer ends. */
  readonly signal: AbortSignal & { readonly reason: AnswerEnd }
  push(chunk: ChatChunk): void
  abort(end: AnswerEnd): void
  finish(): void
  /** Until there is something new, or the signal ends the waiting. */
  changed(signal: AbortSignal): Promise<void>
}

export function addLiveAnswer(id: string, conversationId: string): WritableAnswer {
  const { byConversation } = runtime().liveAnswers
  const chunks: ChatChunk[] = []
  const aborting = new AbortController()
  let isFinished = false
  let news = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  const tell = () => {
    news.resolve()
    news = Promise.withResolvers()
  }
  const answer: WritableAnswer = {
    id,
    conversationId,
    chunks,
    get isFinished() {
      return isFinished
    },
    signal: aborting.signal,
    push(chunk) {
      chunks.push(chunk)
      tell()
    },
    abort: (end) => aborting.abort(end),
    finish() {
      isFinished = true
      if (byConversation.get(conversationId) === answer) byConversation.delete(conversationId)
      tell()
      finished.resolve()
    },
    async changed(signal) {
      const left = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => left.resolve(), { once: true })
      await Promise.race([news.promise, left.promise])
    },
    finished: finished.promise,
    async interrupt() {
      aborting.abort({ kind: 'interrupted' } satisfies AnswerEnd)
      await finished.promise
    },
  }
  byConversation.set(conversationId, answer)
  return answer
}

/** The answer in this conversation, when this process writes it. */
export function liveAnswer(conversationId: string): WritableAnswer | undefined {
  // Only addLiveAnswer puts any there.
  return runtime().liveAnswers.byConversation.get(conversationId) as WritableAnswer | undefined
}
