import type { ChatChunk, ChatMessage } from '@/features/chat/chat-message.ts'
import { applyChunk } from '@/features/chat/apply-chunk.ts'
import type { OpenedConversation } from '@/features/chat/conversation.ts'
import type { UserClient } from './user.ts'

/** What a test leaves out of a request for a run, as the pages would send it. */
type RunRequest = Record<string, unknown> & { type: string; conversationId: string }

export const ask = (conversationId: string, text: string): RunRequest => ({
  type: 'ask',
  conversationId,
  message: { id: crypto.randomUUID(), text },
})

/** Starts a run; the response is a stream that was not read yet. */
export const startRun = (user: UserClient, run: RunRequest, spaceId = user.spaceId) =>
  user.post(`/api/spaces/${spaceId}/chat`, run)

/** Starts a run and reads its answer to the end. */
export async function answered(user: UserClient, run: RunRequest, spaceId = user.spaceId): Promise<ChatMessage> {
  const answer = await startRun(user, run, spaceId)
  if (answer.status !== 200) throw new Error(`chat answered ${answer.status}: ${await answer.text()}`)
  return messageIn(await answer.text())
}

export const chunksIn = (events: string): ChatChunk[] =>
  events
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as ChatChunk)

export const messageIn = (events: string): ChatMessage =>
  chunksIn(events).reduce<ChatMessage>(applyChunk, { id: '', role: 'assistant', parts: [], metadata: {} })

export async function opened(user: UserClient, id: string, spaceId = user.spaceId): Promise<OpenedConversation> {
  const answer = await user.fetch(`/api/spaces/${spaceId}/conversations/${id}`)
  if (answer.status !== 200) throw new Error(`reading the conversation answered ${answer.status}`)
  return (await answer.json()) as OpenedConversation
}
