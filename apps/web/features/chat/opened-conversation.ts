import 'server-only'
import type { SpaceMember } from '@/lib/members.ts'
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
  /** Changes with everything that is shown of the conversation. */
  readonly version: string
}

/**
 * @param known the version that the reader has already.
 * @returns undefined when that is still the newest.
 * @throws {Refusal} `not_found`
 */
export async function newerConversation(
  member: SpaceMember,
  id: string,
  known: string | undefined,
): Promise<OpenedConversation | undefined> {
  const conversation = await readConversation(member, id)
  // First: an answer that ends in between is then among the messages.
  const answer = await answerInProgress(conversation.id)
  const version = `${conversation.revision}.${answer?.id ?? ''}`
  if (version === known) return undefined
  const page = await readMessages(conversation.id)
  return {
    conversation: publicSummary(conversation),
    model: conversation.model,
    isAnswering: answer !== undefined,
    version,
    ...page,
  }
}

/** @throws {Refusal} `not_found` */
export async function openedConversation(member: SpaceMember, id: string): Promise<OpenedConversation> {
  const opened = await newerConversation(member, id, undefined)
  if (!opened) throw new Error('Without a known version there is always a newer one.')
  return opened
}
