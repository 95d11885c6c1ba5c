import * as z from 'zod/mini'
import type { ChatMessage } from './chat-message.ts'

/** `space`: every member of the space may read it. Only its owner continues it. */
export const Visibility = z.enum(['private', 'space'])
export type Visibility = z.infer<typeof Visibility>

/** A conversation as lists and headings show it. */
export const ConversationSummary = z.readonly(
  z.object({
    id: z.string(),
    title: z.string(),
    visibility: Visibility,
    isMine: z.boolean(),
    ownerName: z.string(),
    updatedAt: z.string(),
  }),
)
export type ConversationSummary = z.infer<typeof ConversationSummary>

export const ConversationPage = z.readonly(
  z.object({
    conversations: z.readonly(z.array(ConversationSummary)),
    /** Where the next page begins; absent on the last. */
    next: z.exactOptional(z.string()),
  }),
)
export type ConversationPage = z.infer<typeof ConversationPage>

/** As far as every part of this app relies on it: parts that are not known are not shown. */
const Message = z.custom<ChatMessage>(
  (value) =>
    z.safeParse(
      z.object({
        id: z.string(),
        role: z.enum(['system', 'user', 'assistant']),
        parts: z.array(z.looseObject({ type: z.string() })),
        metadata: z.optional(z.looseObject({})),
      }),
      value,
    ).success,
)

const page = {
  /** Oldest first. */
  messages: z.readonly(z.array(Message)),
  /** There are older ones before this position. */
  before: z.exactOptional(z.number()),
}

export const MessagePage = z.readonly(z.object(page))
export type MessagePage = z.infer<typeof MessagePage>

/** A conversation as its page shows it first. */
export const OpenedConversation = z.readonly(
  z.object({
    ...page,
    conversation: ConversationSummary,
    model: z.nullable(z.string()),
    /** A run is active; its stream contains what is not stored yet. */
    isAnswering: z.boolean(),
    /** Changes with everything that is shown of the conversation. */
    version: z.string(),
  }),
)
export type OpenedConversation = z.infer<typeof OpenedConversation>

/** How long a title may be. */
export const LONGEST_TITLE = 120
