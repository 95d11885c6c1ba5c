/** What the user has typed in a conversation and not sent, and a message that may or may not have arrived. */
export interface ChatDraft {
  readonly text: string
  /** Sent, and not known to have arrived. Sending the same text again uses the same ids, so that it cannot arrive twice. */
  readonly sent?: SentMessage
}

export interface SentMessage {
  readonly id: string
  readonly conversationId: string
  readonly text: string
}

/** Validates what the browser kept. */
export function parseDraft(stored: unknown): ChatDraft | undefined {
  if (!isRecord(stored) || typeof stored['text'] !== 'string') return undefined
  const { text, sent } = stored
  if (!isRecord(sent)) return { text }
  const { id, conversationId, text: sentText } = sent
  const isWhole = typeof id === 'string' && typeof conversationId === 'string' && typeof sentText === 'string'
  return isWhole ? { text, sent: { id, conversationId, text: sentText } } : { text }
}

/** The draft after the user typed; undefined when nothing is left of it. */
export function typed(draft: ChatDraft | undefined, text: string, isSending: boolean): ChatDraft | undefined {
  // Emptying a field that held the message gives it up. One that was empty before, as browsers report it after a reload, does not.
  const isEmptied = text === '' && draft !== undefined && draft.text !== ''
  const sent = isSending || !isEmptied ? draft?.sent : undefined
  return text === '' && !sent ? undefined : { text, ...(sent && { sent }) }
}

/** The message to send for a text: one that may have arrived before keeps its ids. */
export function messageFor(
  draft: ChatDraft | undefined,
  text: string,
  { id, conversationId }: { readonly id: string; readonly conversationId: string },
): SentMessage {
  const { sent } = draft ?? {}
  return sent && sent.text === text && sent.conversationId === conversationId ? sent : { id, conversationId, text }
}

/** The draft while the message is on its way, with what else was in the field. */
export const sending = (sent: SentMessage, text = ''): ChatDraft => ({ text, sent })

/** The draft once the message has arrived; undefined when nothing is left of it. */
export function delivered(draft: ChatDraft | undefined, messageId: string): ChatDraft | undefined {
  if (draft?.sent?.id !== messageId) return draft
  // Another tab may have taken the message for lost and put it back.
  const { text: sentText } = draft.sent
  const text = draft.text.startsWith(sentText) ? draft.text.slice(sentText.length).trimStart() : draft.text
  return text === '' ? undefined : { text }
}

/** The draft once it is known, or must be feared, that the message did not arrive: its text is back, before what was typed since. */
export function undelivered(draft: ChatDraft | undefined): ChatDraft | undefined {
  if (!draft?.sent || draft.text.startsWith(draft.sent.text)) return draft
  return { ...draft, text: [draft.sent.text, draft.text].filter(Boolean).join('\n\n') }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
