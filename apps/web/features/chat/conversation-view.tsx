'use client'

import { Lock, MessagesSquare, Users } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Drawer } from '@/components/ui/drawer.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { draftsOf, draftTroubleTexts } from '@/lib/drafts/use-draft.ts'
import { announcement } from './announcement.ts'
import { chatApi } from './chat-api.ts'
import { useChat } from './chat-context.tsx'
import { parseDraft } from './chat-draft.ts'
import { Composer } from './composer.tsx'
import { ConversationList } from './conversation-list.tsx'
import { EmptyChat } from './empty-chat.tsx'
import type { OpenedConversation } from './conversation.ts'
import { PlainMessages } from './plain-messages.tsx'
import { muteRouteAnnouncer, unmuteRouteAnnouncer } from './route-announcer.ts'
import { draftName, NEW, sendEdit, useChatDraft, useEarlyInput, type ChatDraftControl } from './use-chat-draft.ts'
import { useConversation, type ConversationControl } from './use-conversation.ts'

/** Markdown, cards and long lists are a lot of code, which the first message needs and the empty page does not. */
const loadMessageList = () => import('./message-list.tsx')
const ConversationMenu = lazy(async () => ({ default: (await import('./conversation-menu.tsx')).ConversationMenu }))
const MessageList = lazy(async () => ({ default: (await loadMessageList()).MessageList }))

/** After this, a page that was opened is read, and what comes next can be fetched. */
const IDLE_MS = 1_500

interface ConversationViewProps {
  /** Undefined for one that begins here. */
  readonly opened: OpenedConversation | undefined
}

/** A conversation, or the beginning of one. Once it has its first message, it has its own address. */
export function ConversationView({ opened }: ConversationViewProps) {
  const { spaceId, userId, models, list, carried } = useChat()
  const router = useRouter()
  const [conversationId] = useState(() => opened?.conversation.id ?? newConversationId(userId, spaceId))
  const draft = useChatDraft(userId, spaceId, conversationId, opened === undefined)
  const [model, setModel] = useState(models.find(({ id }) => id === opened?.model)?.id ?? models[0]?.id)
  const [isSessionOver, setSessionOver] = useState(false)
  const input = useRef<HTMLTextAreaElement>(null)
  const address = `/spaces/${spaceId}/chat/${conversationId}` as const
  const { refresh } = list
  const isNew = opened === undefined
  const hasMoved = useRef(false)
  const onChange = useCallback(() => {
    refresh()
    if (!isNew || hasMoved.current) return
    hasMoved.current = true
    // The router must know: what it shows at an address is what a reload shows there.
    muteRouteAnnouncer()
    router.replace(address)
  }, [address, isNew, refresh, router])
  const { isKept } = draft
  const onOutside = useCallback(() => {
    // The server sends to where one signs in, and back to this page with its draft.
    if (isKept()) window.location.reload()
    else setSessionOver(true)
  }, [isKept])
  const { onDelivered, onUndelivered } = draft
  const control = useConversation({
    spaceId,
    conversationId,
    initial: opened,
    carried: carried.get(conversationId),
    model,
    onChange,
    onDelivered,
    onUndelivered,
    onOutside,
  })
  const { messages, phase, summary } = control
  const isBusy = phase !== 'idle'
  const isReader = summary?.isMine === false
  useEffect(() => {
    if (isNew && messages.length > 0) carried.set(conversationId, messages)
    if (!isNew) carried.delete(conversationId)
  }, [carried, conversationId, isNew, messages])
  useEffect(() => (isNew ? undefined : unmuteRouteAnnouncer), [isNew])

  useEffect(() => {
    const field = input.current
    field?.focus({ preventScroll: true })
    field?.setSelectionRange(field.value.length, field.value.length)
    // While the user reads the empty page, and not before it can be used.
    const timer = setTimeout(() => void loadMessageList(), IDLE_MS)
    return () => clearTimeout(timer)
  }, [])
  useEarlyInput(input, () => draft.kept()?.text ?? '', draft.type)
  useLostMessage(draft, opened, spaceId, onChange)

  const { stop } = control
  useEffect(() => {
    if (!isBusy || isReader) return
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) stop()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [isBusy, isReader, stop])

  const ask = (text: string) => {
    control.ask(draft.send(text))
    input.current?.focus()
  }
  const begin = (text: string) => {
    draft.type(text)
    input.current?.focus()
  }
  const actions = isReader
    ? undefined
    : {
        ask,
        edit: (messageId: string, text: string) =>
          control.edit(messageId, sendEdit(userId, conversationId, messageId, text)),
        regenerate: control.regenerate,
        decide(approvalId: string, approved: boolean, always: boolean) {
          control.decide(approvalId, approved, always)
          // The buttons are about to go.
          input.current?.focus()
        },
      }

  return (
    <section aria-label="Conversation" className="flex min-h-0 min-w-0 flex-1 flex-col">
      <Heading control={control} />
      {messages.length === 0 ? (
        <EmptyChat onAsk={ask} onBegin={begin} />
      ) : (
        <Suspense fallback={<PlainMessages messages={messages} isBusy={isBusy} />}>
          <MessageList
            messages={messages}
            isBusy={isBusy}
            actions={actions}
            hasOlder={control.hasOlder}
            loadOlder={control.loadOlder}
          />
        </Suspense>
      )}
      <div className="mx-auto w-full max-w-3xl shrink-0 px-4 pb-4 sm:px-6">
        {control.trouble && (
          <Notice tone="danger" className="mb-3">
            {control.trouble}
          </Notice>
        )}
        {isSessionOver && (
          <Notice tone="danger" className="mb-3">
            Your session ended. Copy your message, then reload the page to sign in.
          </Notice>
        )}
        {draft.trouble && (
          <Notice tone="warning" className="mb-3">
            {draftTroubleTexts[draft.trouble]}
          </Notice>
        )}
        {isReader ? (
          <p className="rounded-2xl border border-line bg-surface px-4 py-3 text-sm text-soft">
            <bdi>{summary.ownerName}</bdi> shared this conversation. Only <bdi>{summary.ownerName}</bdi> can continue
            it.
          </p>
        ) : (
          <Composer
            text={draft.text}
            onText={draft.type}
            onSend={() => ask(draft.text.trim())}
            onStop={control.stop}
            isBusy={isBusy}
            model={model}
            onModel={setModel}
            input={input}
          />
        )}
      </div>
      <p role="status" className="sr-only">
        {control.trouble === undefined ? announcement(messages, isBusy, isReader) : ''}
      </p>
    </section>
  )
}

/** The id of a conversation that begins here; where its first message may have arrived already, the id that it was sent with. */
function newConversationId(userId: string, spaceId: string): string {
  // Nothing that the server renders depends on it.
  if (typeof window === 'undefined') return ''
  return parseDraft(draftsOf(userId).read(draftName(spaceId, NEW)))?.sent?.conversationId ?? crypto.randomUUID()
}

/** Settles whether a message arrived that was under way when this page, or another of this browser, was left. */
function useLostMessage(
  { kept, onDelivered, onUndelivered }: ChatDraftControl,
  opened: OpenedConversation | undefined,
  spaceId: string,
  onBegun: () => void,
): void {
  useEffect(() => {
    if (opened) {
      for (const { id, role } of opened.messages) if (role === 'user') onDelivered(id)
      return onUndelivered()
    }
    const sent = kept()?.sent
    if (!sent) return
    const isIn = ({ messages }: OpenedConversation) => messages.some(({ id }) => id === sent.id)
    chatApi(spaceId)
      .open(sent.conversationId)
      .then(
        (found) => {
          if (found && isIn(found)) onBegun()
          else onUndelivered()
        },
        // Not stored, or unknown: sending the same id again is idempotent.
        () => onUndelivered(),
      )
    // Once: messages that are sent later are settled by their own responses.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [])
}

function Heading({ control }: { control: ConversationControl }) {
  const [isListOpen, setListOpen] = useState(false)
  const { summary } = control
  const title = summary?.title
  useEffect(() => {
    // As the page's metadata says it: a title may change while the page is open.
    if (title !== undefined) document.title = `${title} · Notion MCP Gateway`
  }, [title])
  return (
    <header className="flex h-13 shrink-0 items-center gap-2 px-2.5 sm:px-4">
      <Button
        look="quiet"
        size="icon"
        className="xl:hidden"
        aria-label="Conversations"
        aria-haspopup="dialog"
        onClick={() => setListOpen(true)}
      >
        <MessagesSquare aria-hidden />
      </Button>
      <Drawer open={isListOpen} onClose={() => setListOpen(false)} title="Conversations">
        <ConversationList onGo={() => setListOpen(false)} />
      </Drawer>
      {summary ? (
        <>
          <h1 dir="auto" className="min-w-0 truncate text-sm font-semibold">
            {summary.title}
          </h1>
          <Badge className="max-sm:hidden">
            {summary.visibility === 'space' ? (
              <Users aria-hidden className="size-3" />
            ) : (
              <Lock aria-hidden className="size-3" />
            )}
            {summary.visibility === 'space' ? 'Shared' : 'Private'}
          </Badge>
          <span className="flex-1" />
          {summary.isMine && (
            <Suspense fallback={<span className="size-9" />}>
              <ConversationMenu summary={summary} onChange={control.setSummary} />
            </Suspense>
          )}
        </>
      ) : (
        control.messages.length > 0 && <h1 className="text-sm font-semibold">New chat</h1>
      )}
    </header>
  )
}
