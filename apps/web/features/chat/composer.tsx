'use client'

import { ArrowUp, Square } from 'lucide-react'
import { useId, type KeyboardEvent, type Ref } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { useChat } from './chat-context.tsx'
import { LONGEST_MESSAGE } from './chat-message.ts'
import { LengthCount } from './length-count.tsx'

interface ComposerProps {
  readonly text: string
  readonly onText: (text: string) => void
  readonly onSend: () => void
  readonly onStop: () => void
  readonly isBusy: boolean
  readonly model: string | undefined
  readonly onModel: (id: string) => void
  readonly input: Ref<HTMLTextAreaElement>
}

/** Message input. Enter sends, Shift+Enter inserts a line break, Escape stops the run. */
export function Composer({ text, onText, onSend, onStop, isBusy, model, onModel, input }: ComposerProps) {
  const { models } = useChat()
  const hintId = useId()
  const { length } = text.trim()
  const canSend = !isBusy && length > 0 && length <= LONGEST_MESSAGE && models.length > 0
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a character, Enter is the input method's.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      if (canSend) onSend()
    }
  }
  return (
    <form
      className="rounded-2xl border border-line-strong bg-surface shadow-card focus-within:border-focus"
      onSubmit={(event) => {
        event.preventDefault()
        if (canSend) onSend()
      }}
    >
      <textarea
        ref={input}
        aria-label="Message"
        aria-describedby={hintId}
        placeholder="Ask about your Notion"
        rows={1}
        dir="auto"
        // The app restores drafts; the browser would restore older text.
        autoComplete="off"
        value={text}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={onKeyDown}
        className="block field-sizing-content max-h-56 min-h-12 w-full resize-none rounded-2xl bg-transparent px-4 pt-3.5 pb-1 text-[15px] leading-relaxed outline-none placeholder:text-faint"
      />
      <div className="flex items-center justify-between gap-3 py-2 pr-2 pl-4">
        <p id={hintId} className="sr-only">
          Press Enter to send, Shift+Enter for a new line, Escape to stop an answer.
        </p>
        <Models model={model} onModel={onModel} />
        <span className="flex-1" />
        <LengthCount length={length} />
        {isBusy ? (
          <Button look="secondary" size="icon" aria-label="Stop" onClick={onStop}>
            <Square aria-hidden className="fill-current" />
          </Button>
        ) : (
          <Button type="submit" size="icon" aria-label="Send" disabled={!canSend}>
            <ArrowUp aria-hidden />
          </Button>
        )}
      </div>
    </form>
  )
}

function Models({ model, onModel }: Pick<ComposerProps, 'model' | 'onModel'>) {
  const { models } = useChat()
  const [only] = models
  if (!only) return <span />
  if (models.length === 1) {
    return (
      <p className="min-w-0 truncate text-xs text-faint">
        {only.isScripted ? 'Scripted demo, not a language model' : only.id}
      </p>
    )
  }
  return (
    <select
      aria-label="Model"
      value={model}
      onChange={(event) => onModel(event.target.value)}
      className="-ml-2 h-8 max-w-56 min-w-0 truncate rounded-lg bg-transparent px-1.5 text-xs text-soft hover:bg-sunken hover:text-ink"
    >
      {models.map(({ id }) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </select>
  )
}
