'use client'

import { useCallback, useEffect, useState } from 'react'
import { draftsOf, useDraft } from '../../lib/drafts/use-draft.ts'
import type { DraftTrouble } from '../../lib/drafts/draft-store.ts'
import {
  delivered,
  messageFor,
  parseDraft,
  sending,
  typed,
  undelivered,
  type ChatDraft,
  type SentMessage,
} from './chat-draft.ts'

export interface ChatDraftControl {
  readonly text: string
  readonly trouble: DraftTrouble | undefined
  type(text: string): void
  /** The draft as it is kept now, also before it is shown. */
  kept(): ChatDraft | undefined
  /** Whether it would survive a reload. */
  isKept(): boolean
  /** Notes the text as sent; the field is emptied where it held this text. */
  send(text: string): SentMessage
  onDelivered(messageId: string): void
  onUndelivered(): void
  /** Moves what is left to the conversation that a new chat has become. */
  moveTo(conversationId: string): void
}

const EDITS = 'edit:'

/** The name of what is typed in the place of an earlier message. */
export const editName = (messageId: string) => `${EDITS}${messageId}`

/** The message that goes in the place of another: one that may have arrived before keeps its id. */
export function sendEdit(userId: string, conversationId: string, edited: string, text: string): SentMessage {
  const store = draftsOf(userId)
  const ids = { id: crypto.randomUUID(), conversationId }
  const message = messageFor(parseDraft(store.read(editName(edited))), text, ids)
  store.save(editName(edited), { text, sent: message } satisfies ChatDraft)
  return message
}

/** Removes the draft that has become this message. */
function forgetEdit(userId: string, messageId: string): void {
  const store = draftsOf(userId)
  for (const name of store.names()) {
    if (name.startsWith(EDITS) && parseDraft(store.read(name))?.sent?.id === messageId) store.remove(name)
  }
}

export const draftName = (spaceId: string, conversationId: string) => `chat:${spaceId}:${conversationId}`

/**
 * The message that is being written in a conversation, kept in this browser until the server has it.
 *
 * @param name of the draft; see {@link draftName}. A new chat has no conversation yet, and `new` in its place.
 */
export function useChatDraft(userId: string, spaceId: string, place: string, conversationId: string): ChatDraftControl {
  const name = draftName(spaceId, place)
  const draft = useDraft(userId, name, parseDraft)
  const [isSending, setSending] = useState(false)
  const change = useCallback(
    (next: (draft: ChatDraft | undefined) => ChatDraft | undefined) => {
      const store = draftsOf(userId)
      const known = parseDraft(store.read(name))
      const changed = next(known)
      if (changed === known) return
      if (changed) store.save(name, changed)
      else store.remove(name)
    },
    [userId, name],
  )
  const onDelivered = useCallback(
    (messageId: string) => {
      change((known) => {
        if (known?.sent?.id === messageId) setSending(false)
        return delivered(known, messageId)
      })
      forgetEdit(userId, messageId)
    },
    [change, userId],
  )
  const onUndelivered = useCallback(() => {
    setSending(false)
    change(undelivered)
  }, [change])
  const kept = useCallback(() => parseDraft(draftsOf(userId).read(name)), [userId, name])
  const moveTo = useCallback(
    (target: string) => {
      const left = kept()
      if (!left) return
      draftsOf(userId).save(draftName(spaceId, target), left)
      draftsOf(userId).remove(name)
    },
    [kept, name, spaceId, userId],
  )
  return {
    text: draft.value?.text ?? '',
    trouble: draft.trouble,
    kept,
    type: (text) => change((known) => typed(known, text, isSending)),
    send(text) {
      const message = messageFor(draft.value, text, { id: crypto.randomUUID(), conversationId })
      setSending(true)
      change((known) => sending(message, known?.text.trim() === text ? '' : (known?.text ?? '')))
      return message
    },
    isKept: useCallback(() => draftsOf(userId).trouble(name) === undefined, [userId, name]),
    onDelivered,
    onUndelivered,
    moveTo,
  }
}

/**
 * Text that was typed before the page became interactive, which React does not know of. It is handed to `onText` together with the draft
 * that was there before.
 */
export function useEarlyInput(
  input: { readonly current: HTMLTextAreaElement | null },
  keptText: () => string,
  onText: (text: string) => void,
): void {
  useEffect(() => {
    const early = input.current?.value ?? ''
    const kept = keptText()
    if (early !== '' && early !== kept) onText([kept, early].filter(Boolean).join('\n\n'))
    // Once, when the page becomes interactive.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [])
}
