'use client'

import { Check, Copy, Pencil, RefreshCw } from 'lucide-react'
import { memo, useMemo, useState, type KeyboardEvent } from 'react'
import { GrowingMarkdown, Markdown } from '@/components/markdown.tsx'
import type { PageLookup } from '@/components/pending-change/change-parts.ts'
import { Button } from '@/components/ui/button.tsx'
import type { DraftTrouble } from '@/lib/drafts/draft-store.ts'
import { draftTroubleTexts, useDraft } from '@/lib/drafts/use-draft.ts'
import { FinishNotice } from './finish-notice.tsx'
import { useChat } from './chat-context.tsx'
import { parseDraft } from './chat-draft.ts'
import { LONGEST_MESSAGE, stepsOf, textOf, type ChatMessage, type ChatPart } from './chat-message.ts'
import { LengthCount } from './length-count.tsx'
import { Thinking } from './plain-messages.tsx'
import { pageLookup } from './tool-result.ts'
import { ToolCall } from './tool-call.tsx'
import { editName } from './use-chat-draft.ts'

export interface MessageActions {
  edit(messageId: string, text: string): void
  regenerate(): void
  ask(text: string): void
  decide(approvalId: string, approved: boolean, always: boolean): void
}

interface MessageViewProps {
  readonly message: ChatMessage
  readonly isLast: boolean
  readonly isWriting: boolean
  /** Undefined for readers, and while a run is active. */
  readonly actions: MessageActions | undefined
  /** Messages before this one, where calls may name what those found. */
  readonly earlier: readonly ChatMessage[]
}

/** For messages whose calls are over. The same each time, so that they are not drawn again. */
export const NOTHING_EARLIER: readonly ChatMessage[] = []

export const MessageView = memo(function MessageView(props: MessageViewProps) {
  return props.message.role === 'user' ? <UserMessage {...props} /> : <AssistantMessage {...props} />
})

function UserMessage({ message, actions }: MessageViewProps) {
  const { userId } = useChat()
  const draft = useDraft(userId, editName(message.id), parseDraft)
  const [isFocused, setFocused] = useState(false)
  const text = textOf(message)
  if (draft.value !== undefined && actions) {
    return (
      <EditQuestion
        text={draft.value.text}
        isFocused={isFocused}
        isChanged={draft.value.text !== text}
        trouble={draft.trouble}
        onText={(changed) => draft.save({ ...draft.value, text: changed })}
        onCancel={draft.remove}
        onSend={(changed) => actions.edit(message.id, changed)}
      />
    )
  }
  return (
    <article aria-label="You" className="group flex flex-col items-end py-3">
      <h2 className="sr-only">You</h2>
      <div
        className="max-w-[88%] rounded-2xl rounded-br-md bg-sunken px-4 py-2.5 text-[15px] leading-relaxed break-words whitespace-pre-wrap"
        dir="auto"
      >
        {text}
      </div>
      <div className="mt-1 flex h-8 items-center text-faint opacity-0 group-hover:opacity-100 focus-within:opacity-100 pointer-coarse:opacity-100">
        {actions && (
          <Button
            look="quiet"
            size="icon"
            aria-label="Edit and send again"
            className="size-8"
            onClick={() => {
              setFocused(true)
              draft.save({ text })
            }}
          >
            <Pencil aria-hidden />
          </Button>
        )}
        <CopyButton text={text} />
      </div>
    </article>
  )
}

interface EditQuestionProps {
  readonly text: string
  /** True if the user has just opened it; a restored editor does not take the focus. */
  readonly isFocused: boolean
  readonly isChanged: boolean
  readonly trouble: DraftTrouble | undefined
  readonly onText: (text: string) => void
  readonly onCancel: () => void
  readonly onSend: (text: string) => void
}

function EditQuestion({ text, isFocused, isChanged, trouble, onText, onCancel, onSend }: EditQuestionProps) {
  const canSend = text.trim() !== '' && text.trim().length <= LONGEST_MESSAGE
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && !isChanged) onCancel()
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      if (canSend) onSend(text.trim())
    }
  }
  return (
    <article aria-label="You, editing" className="py-3">
      <textarea
        autoFocus={isFocused}
        autoComplete="off"
        dir="auto"
        aria-label="Edit your message"
        value={text}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={onKeyDown}
        className="block field-sizing-content max-h-72 min-h-20 w-full resize-none rounded-2xl border border-line-strong bg-surface px-4 py-3 text-[15px] leading-relaxed"
      />
      {trouble && <p className="mt-2 text-[13px] text-warning">{draftTroubleTexts[trouble]}</p>}
      <div className="mt-2 flex flex-wrap items-center justify-end gap-2">
        <p className="mr-auto text-[13px] text-soft">Sending replaces everything after this message.</p>
        <LengthCount length={text.trim().length} />
        <Button size="small" look="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="small" onClick={() => onSend(text.trim())} disabled={!canSend}>
          Send
        </Button>
      </div>
    </article>
  )
}

function AssistantMessage({ message, isLast, isWriting, actions, earlier }: MessageViewProps) {
  const { hasLinks } = useChat()
  const pageOf = useMemo(() => pageLookup([...earlier, message]), [earlier, message])
  const { metadata } = message
  const text = textOf(message)
  const isQuiet = isWriting && !hasVisibleOutput(message.parts)
  return (
    <article aria-label="Answer" className="py-3 text-[15px] leading-relaxed break-words">
      <h2 className="sr-only">Answer</h2>
      {message.parts.map((part, index) => (
        // Parts are only ever added.
        <Part
          key={index}
          part={part}
          hasLinks={hasLinks}
          pageOf={pageOf}
          onDecide={isLast ? actions?.decide : undefined}
        />
      ))}
      {isQuiet && <Thinking />}
      {!isWriting && (
        <FinishNotice
          end={metadata?.end}
          onAgain={isLast ? actions?.regenerate : undefined}
          onContinue={isLast && actions ? () => actions.ask('Continue') : undefined}
        />
      )}
      {/* Reserves its height, so that nothing moves when the run finishes. */}
      <footer className="mt-1 flex h-8 items-center gap-1 text-faint">
        {!isWriting && (
          <>
            {text && <CopyButton text={text} />}
            {isLast && actions && metadata?.end?.kind !== 'approval' && (
              <Button
                look="quiet"
                size="icon"
                aria-label="Answer again"
                className="size-8"
                onClick={actions.regenerate}
              >
                <RefreshCw aria-hidden />
              </Button>
            )}
            <Facts message={message} />
          </>
        )}
      </footer>
    </article>
  )
}

function Facts({ message }: { message: ChatMessage }) {
  const { models } = useChat()
  const { metadata } = message
  if (!metadata?.model) return null
  const isScripted = models.some(({ id, isScripted: scripted }) => scripted && id === metadata.model)
  const steps = stepsOf(message)
  const tokens = metadata.tokens && metadata.tokens.input + metadata.tokens.output
  const facts = [
    isScripted ? 'scripted demo' : metadata.model,
    steps > 1 && `${steps} steps`,
    tokens && !isScripted && `${new Intl.NumberFormat('en').format(tokens)} tokens`,
  ].filter(Boolean)
  return (
    <p
      className="min-w-0 truncate px-1.5 text-xs"
      title={metadata.tokens && `${metadata.tokens.input} tokens read, ${metadata.tokens.output} written`}
    >
      {facts.join(' · ')}
    </p>
  )
}

interface PartProps {
  readonly part: ChatPart
  readonly hasLinks: boolean
  readonly pageOf: PageLookup
  readonly onDecide: MessageActions['decide'] | undefined
}

function Part({ part, hasLinks, pageOf, onDecide }: PartProps) {
  switch (part.type) {
    case 'text':
      if (part.state === 'streaming') return <GrowingMarkdown text={part.text} hasLinks={hasLinks} />
      return part.text.trim() === '' ? null : <Markdown text={part.text} hasLinks={hasLinks} />
    case 'reasoning':
      return part.text.trim() === '' ? null : (
        <details className="my-2 text-sm text-soft">
          <summary className="w-fit cursor-pointer rounded-sm text-[13px] font-medium hover:text-ink">Thoughts</summary>
          <p className="mt-1.5 border-l-2 border-line pl-3 whitespace-pre-wrap">{part.text}</p>
        </details>
      )
    case 'dynamic-tool':
      return <ToolCall part={part} pageOf={pageOf} onDecide={onDecide} />
    default:
      return null
  }
}

/** True if the last part already shows progress. */
function hasVisibleOutput(parts: readonly ChatPart[]): boolean {
  const last = parts.at(-1)
  if (last?.type === 'text') return last.state === 'streaming' && last.text !== ''
  return last?.type === 'dynamic-tool' && (last.state === 'input-streaming' || last.state === 'input-available')
}

function CopyButton({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false)
  return (
    <Button
      look="quiet"
      size="icon"
      className="size-8"
      aria-label={isCopied ? 'Copied' : 'Copy'}
      onClick={async () => {
        await navigator.clipboard.writeText(text)
        setCopied(true)
        setTimeout(() => setCopied(false), 1_500)
      }}
    >
      {isCopied ? <Check aria-hidden /> : <Copy aria-hidden />}
    </Button>
  )
}
