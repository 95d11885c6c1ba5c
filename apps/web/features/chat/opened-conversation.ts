import 'server-only'
import type { SpaceMember } from '@/lib/members.ts'
import { answerInProgress } from './answer-store.ts'
import type { OpenedConversation } from './conversation.ts'
import { publicSummary, readConversation, readMessages } from './conversation-store.ts'

/**
 * @param known the version that the reader has already.
 * @returns undefined when that is still the newest.
 * @throws {Failure} `not_found`
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

/** @throws {Failure} `not_found` */
export async function openedConversation(member: SpaceMember, id: string): Promise<OpenedConversation> {
  const opened = await newerConversation(member, id, undefined)
  if (!opened) throw new Error('Without a known version there is always a newer one.')
  return opened
}
