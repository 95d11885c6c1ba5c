import 'server-only'
import type { SpaceMember } from '../../lib/members.ts'
import { answerInProgress } from './answer-store.ts'
import type { ChatMessage } from './chat-message.ts'
import type { ConversationSummary, MessagePage } from './conversation.ts'
import { publicSummary, readConversation, readMessages } from './conversation-store.ts'

/** A conversation as its page shows it first. */
export interface OpenedConversation extends MessagePage<ChatMessage> {
  readonly conversation: ConversationSummary
  readonly model: string | null
  /** An answer is being written; its stream has what the messages do not have yet. */
  readonly isAnswering: boolean
}

/** @throws {Refusal} `not_found` */
export async function openedConversation(member: SpaceMember, id: string): Promise<OpenedConversation> {
  const conversation = await readConversation(member, id)
  // First: an answer that ends in between is then among the messages.
  const answer = await answerInProgress(conversation.id)
  const page = await readMessages(conversation.id)
  return {
    conversation: publicSummary(conversation),
    model: conversation.model,
    isAnswering: answer !== undefined,
    ...page,
  }
}
