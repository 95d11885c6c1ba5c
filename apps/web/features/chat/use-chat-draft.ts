'use client'

import { useCallback, useEffect, useState } from 'react'
import { draftsOf, useDraft } from '@/lib/drafts/use-draft.ts'
import type { DraftTrouble } from '@/lib/drafts/draft-store.ts'
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
}

/** Placeholder for the conversation id in the name of a new chat's draft. */
export const NEW = 'new'

const EDITS = 'edit:'

/** Name of the draft that edits an earlier message. */
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

/** Longest time a page stays active after navigation begins, in milliseconds. */
const LEAVING_MS = 3_000

/**
 * The browser is loading another page. Until that is there, this one goes on: what it removed now, the next page would not find. A download or an
 * answer of 204 leaves nothing, so this ends by time.
 */
let isLeaving = false
if (typeof window !== 'undefined') {
  window.addEventListener('beforeunload', () => {
    isLeaving = true
    setTimeout(() => (isLeaving = false), LEAVING_MS)
  })
}

/** A new chat has become this conversation: what was typed since its first message was sent goes there. */
function adoptNewChat(userId: string, spaceId: string, conversationId: string, messageId: string): void {
  if (isLeaving) return
  const store = draftsOf(userId)
  const known = parseDraft(store.read(draftName(spaceId, NEW)))
  if (known?.sent?.id !== messageId) return
  const own = draftName(spaceId, conversationId)
  const text = [parseDraft(store.read(own))?.text, delivered(known, messageId)?.text].filter(Boolean).join('\n\n')
  store.remove(draftName(spaceId, NEW))
  if (text !== '') store.save(own, { text } satisfies ChatDraft)
}

/**
 * The message that is being written in a conversation, kept in this browser until the server has it; in a new chat, until the page of the
 * conversation is there: a reload before that finds the way to it.
 */
export function useChatDraft(
  userId: string,
  spaceId: string,
  conversationId: string,
  isNew: boolean,
): ChatDraftControl {
  const name = draftName(spaceId, isNew ? NEW : conversationId)
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
      if (isNew) return
      change((known) => {
        if (known?.sent?.id === messageId) setSending(false)
        return delivered(known, messageId)
      })
      adoptNewChat(userId, spaceId, conversationId, messageId)
      forgetEdit(userId, messageId)
    },
    [change, conversationId, isNew, spaceId, userId],
  )
  const onUndelivered = useCallback(() => {
    setSending(false)
    change(undelivered)
  }, [change])
  const kept = useCallback(() => parseDraft(draftsOf(userId).read(name)), [userId, name])
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
