import type { ChatChunk, ChatMessage } from '@/features/chat/chat-message.ts'
import { applyChunk } from '@/features/chat/apply-chunk.ts'
import type { OpenedConversation } from '@/features/chat/conversation.ts'
import type { PersonClient } from './person.ts'

/** What of a turn a test leaves out, as the pages would send it. */
type Turn = Record<string, unknown> & { type: string; conversationId: string }

export const ask = (conversationId: string, text: string): Turn => ({
  type: 'ask',
  conversationId,
  message: { id: crypto.randomUUID(), text },
})

/** Sends a turn; the answer is a stream that was not read yet. */
export const takeTurn = (person: PersonClient, turn: Turn, spaceId = person.spaceId) =>
  person.post(`/api/spaces/${spaceId}/chat`, turn)

/** Sends a turn and reads the answer to its end. */
export async function answered(person: PersonClient, turn: Turn, spaceId = person.spaceId): Promise<ChatMessage> {
  const answer = await takeTurn(person, turn, spaceId)
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

export async function opened(person: PersonClient, id: string, spaceId = person.spaceId): Promise<OpenedConversation> {
  const answer = await person.fetch(`/api/spaces/${spaceId}/conversations/${id}`)
  if (answer.status !== 200) throw new Error(`reading the conversation answered ${answer.status}`)
  return (await answer.json()) as OpenedConversation
}
