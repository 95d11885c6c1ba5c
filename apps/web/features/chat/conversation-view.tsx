'use client'

import { Lock, MessagesSquare, Users } from 'lucide-react'
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react'
import { Badge } from '../../components/ui/badge.tsx'
import { Button } from '../../components/ui/button.tsx'
import { Drawer } from '../../components/ui/drawer.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { draftTroubleTexts, useDraft } from '../../lib/drafts/use-draft.ts'
import { useChat } from './chat-context.tsx'
import { isToolPart, pendingApprovals } from './chat-message.ts'
import { Composer } from './composer.tsx'
import { ConversationList } from './conversation-list.tsx'
import { EmptyChat } from './empty-chat.tsx'
import type { OpenedConversation } from './opened-conversation.ts'
import { toolWords } from './tool-words.ts'
import { useConversation, type ConversationControl } from './use-conversation.ts'

/** Markdown, cards and long lists are a lot of code, which the first message needs and the empty page does not. */
const loadMessageList = () => import('./message-list.tsx')
const ConversationMenu = lazy(async () => ({ default: (await import('./conversation-menu.tsx')).ConversationMenu }))
const MessageList = lazy(async () => ({ default: (await loadMessageList()).MessageList }))

/** After this, a page that was opened is read, and what comes next can be fetched. */
const IDLE_MS = 1_500

interface ConversationViewProps {
  readonly conversationId: string
  /** Undefined for one that begins here. */
  readonly initial: OpenedConversation | undefined
}

export function ConversationView({ conversationId, initial }: ConversationViewProps) {
  const { spaceId, userId, models, list } = useChat()
  const draft = useDraft(userId, `chat:${spaceId}:${initial ? conversationId : 'new'}`, asText)
  const [model, setModel] = useState(models.find(({ id }) => id === initial?.model)?.id ?? models[0]?.id)
  const input = useRef<HTMLTextAreaElement>(null)
  const { refresh } = list
  const onChange = useCallback(
    (id: string) => {
      refresh()
      const path = `/spaces/${spaceId}/chat/${id}`
      if (window.location.pathname === `/spaces/${spaceId}/chat`) window.history.replaceState(null, '', path)
    },
    [refresh, spaceId],
  )
  const control = useConversation({ spaceId, conversationId, initial, model, onChange })
  const { messages, phase, summary } = control
  const isBusy = phase !== 'idle'
  const isReader = summary?.isMine === false

  useEffect(() => {
    input.current?.focus({ preventScroll: true })
    // While the person reads the empty page, and not before it can be used.
    const timer = setTimeout(() => void loadMessageList(), IDLE_MS)
    return () => clearTimeout(timer)
  }, [])

  // A conversation has its address from its first words on: a reload must find it.
  useEffect(() => {
    if (phase === 'answering') onChange(conversationId)
  }, [phase, onChange, conversationId])

  const { stop } = control
  useEffect(() => {
    if (!isBusy || isReader) return
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) stop()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [isBusy, isReader, stop])

  const ask = (words: string) => {
    draft.remove()
    control.ask(words)
    input.current?.focus()
  }
  const actions = isReader
    ? undefined
    : {
        ask,
        edit: control.edit,
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
        <EmptyChat onAsk={ask} />
      ) : (
        <Suspense fallback={<div className="flex-1" />}>
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
        {draft.trouble && (
          <Notice tone="warning" className="mb-3">
            {draftTroubleTexts[draft.trouble]}
          </Notice>
        )}
        {isReader ? (
          <p className="rounded-2xl border border-line bg-surface px-4 py-3 text-sm text-soft">
            {summary.ownerName} shares this conversation with the space. Only {summary.ownerName} continues it.
          </p>
        ) : (
          <Composer
            text={draft.value ?? ''}
            onText={draft.save}
            onSend={() => ask((draft.value ?? '').trim())}
            onStop={control.stop}
            isBusy={isBusy}
            model={model}
            onModel={setModel}
            input={input}
          />
        )}
      </div>
      <Announcer control={control} />
    </section>
  )
}

const asText = (stored: unknown) => (typeof stored === 'string' ? stored : undefined)

function Heading({ control }: { control: ConversationControl }) {
  const [isListOpen, setListOpen] = useState(false)
  const { summary } = control
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
          <h1 className="min-w-0 truncate text-sm font-semibold">{summary.title}</h1>
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

/** Says what happens, not each word of it: who does not see the answer grow goes there when it is ready. */
function Announcer({ control: { messages, phase } }: { control: ConversationControl }) {
  const last = messages.at(-1)
  const running = last?.parts.findLast(isToolPart)
  const status =
    phase !== 'idle'
      ? running?.state === 'input-available'
        ? toolWords(running, () => undefined).doing
        : 'Answering'
      : last?.role !== 'assistant'
        ? ''
        : pendingApprovals(last).length > 0
          ? 'A change waits for your decision.'
          : 'The answer is ready.'
  return (
    <p role="status" className="sr-only">
      {status}
    </p>
  )
}
