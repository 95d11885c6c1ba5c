import 'server-only'
import type { SpaceMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { activeRun } from './run-store.ts'
import type { OpenedConversation } from './conversation.ts'
import { publicSummary, readConversation, readMessages } from './conversation-store.ts'

/**
 * @param known the version that the reader has already.
 * @returns undefined if the known version is current.
 * @throws {Failure} `not_found`
 */
export async function newerConversation(
  app: App<'pool'>,
  member: SpaceMember,
  id: string,
  known: string | undefined,
): Promise<OpenedConversation | undefined> {
  const conversation = await readConversation(app, member, id)
  // Read this first: the messages then include a run that finishes in between.
  const run = await activeRun(app, conversation.id)
  const version = `${conversation.revision}.${run?.id ?? ''}`
  if (version === known) return undefined
  const page = await readMessages(app, conversation.id)
  return {
    conversation: publicSummary(conversation),
    model: conversation.model,
    isAnswering: run !== undefined,
    version,
    ...page,
  }
}

/** @throws {Failure} `not_found` */
export async function openedConversation(
  app: App<'pool'>,
  member: SpaceMember,
  id: string,
): Promise<OpenedConversation> {
  const opened = await newerConversation(app, member, id, undefined)
  if (!opened) throw new Error('Without a known version there is always a newer one.')
  return opened
}
