/** A conversation as lists and headings show it. */
export interface ConversationSummary {
  readonly id: string
  readonly title: string
  readonly visibility: Visibility
  readonly isMine: boolean
  readonly ownerName: string
  readonly updatedAt: string
}

/** `space`: every member of the space may read it. Only its owner continues it. */
export type Visibility = 'private' | 'space'

export interface ConversationPage {
  readonly conversations: readonly ConversationSummary[]
  /** Where the next page begins; undefined on the last. */
  readonly next?: string
}

export interface MessagePage<Message> {
  /** Oldest first. */
  readonly messages: readonly Message[]
  /** There are older ones before this position. */
  readonly before?: number
}

/** How long a title may be. */
export const LONGEST_TITLE = 120
