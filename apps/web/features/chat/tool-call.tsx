'use client'

import { Check, ChevronRight, CircleAlert, CircleSlash, LoaderCircle, PenLine } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { JsonText } from '../../components/json-text.tsx'
import { Button } from '../../components/ui/button.tsx'
import { useChat } from './chat-context.tsx'
import { ChangePreview } from './change-preview.tsx'
import type { ToolPart } from './chat-message.ts'
import { failureIn, payloadIn } from './tool-result.ts'
import { ToolResultView } from './tool-result-view.tsx'
import { readableName, toolWords, type ToolWords } from './tool-words.ts'

interface ToolCallProps {
  readonly part: ToolPart
  readonly titleOf: (id: string) => string | undefined
  /** Undefined for readers who may not decide, and while an answer is being written. */
  readonly onDecide: ((approvalId: string, approved: boolean, always: boolean) => void) | undefined
}

/** One call of a tool: what is being done in words, and what came of it. */
export function ToolCall({ part, titleOf, onDecide }: ToolCallProps) {
  const { hasLinks } = useChat()
  const words = toolWords(part, titleOf)
  if (part.state === 'approval-requested') return <Approval part={part} words={words} onDecide={onDecide} />
  const failure = failureIn(part)
  return (
    <div className="my-3 text-sm">
      <Line part={part} words={words} hasFailed={failure !== undefined} />
      {failure !== undefined && (
        <p className="mt-1.5 ml-6.5 text-[13px] text-pretty break-words text-danger">{failure}</p>
      )}
      {part.state === 'output-available' && failure === undefined && (
        <div className="mt-2 ml-6.5">
          <ToolResultView part={part} hasLinks={hasLinks} />
        </div>
      )}
    </div>
  )
}

type ShownState = 'running' | 'done' | 'failed' | 'denied'

const icons: Record<ShownState, ReactNode> = {
  running: <LoaderCircle aria-hidden className="size-4 shrink-0 animate-spin text-soft" />,
  done: <Check aria-hidden className="size-4 shrink-0 text-success" />,
  failed: <CircleAlert aria-hidden className="size-4 shrink-0 text-danger" />,
  denied: <CircleSlash aria-hidden className="size-4 shrink-0 text-soft" />,
}

function shownState(part: ToolPart, hasFailed: boolean): ShownState {
  if (hasFailed) return 'failed'
  if (part.state === 'output-denied') return 'denied'
  if (part.state === 'approval-responded') return part.approval.approved ? 'running' : 'denied'
  return part.state === 'output-available' ? 'done' : 'running'
}

function Line({ part, words, hasFailed }: { part: ToolPart; words: ToolWords; hasFailed: boolean }) {
  const [isOpen, setOpen] = useState(false)
  const state = shownState(part, hasFailed)
  const text: Record<ShownState, string> = {
    running: part.state === 'input-streaming' ? `Preparing: ${readableName(part.toolName)} …` : words.doing,
    done: words.done,
    failed: `${words.doing.replace(/ …$/, '')} did not work`,
    denied: `Denied: ${words.question.replace(/\?$/, '')}`,
  }
  return (
    <div>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="group flex max-w-full items-center gap-2.5 rounded-sm text-left text-soft hover:text-ink"
      >
        {icons[state]}
        <span className="min-w-0 truncate font-medium">{text[state]}</span>
        <ChevronRight
          aria-hidden
          className="size-3.5 shrink-0 text-faint transition-transform group-aria-expanded:rotate-90"
        />
      </button>
      {isOpen && (
        <div className="mt-2 ml-6.5 space-y-2">
          <p className="font-mono text-xs text-faint">{part.toolName}</p>
          <JsonText value={part.input} label="Arguments" />
          {part.state === 'output-available' && <JsonText value={payloadIn(part.output)} label="Answer" />}
        </div>
      )}
    </div>
  )
}

function Approval({ part, words, onDecide }: Pick<ToolCallProps, 'part' | 'onDecide'> & { words: ToolWords }) {
  const id = part.approval?.id ?? ''
  const isDecidable = onDecide !== undefined
  const decide = (approved: boolean, always: boolean) => onDecide?.(id, approved, always)
  return (
    <section
      aria-label={`Decision needed: ${words.question}`}
      className="my-4 overflow-hidden rounded-2xl border border-line-strong bg-surface shadow-card"
    >
      <header className="flex items-start gap-2.5 px-4 pt-3.5">
        <PenLine aria-hidden className="mt-0.5 size-4 shrink-0 text-warning" />
        <h3 className="min-w-0 text-sm font-semibold break-words">{words.question}</h3>
      </header>
      <div className="px-4 py-3">
        <ChangePreview toolName={part.toolName} input={part.input} />
      </div>
      <footer className="flex flex-wrap items-center gap-2 border-t border-line bg-canvas px-4 py-3">
        {isDecidable ? (
          <>
            <Button size="small" onClick={() => decide(true, false)}>
              Approve
            </Button>
            <Button size="small" look="secondary" onClick={() => decide(false, false)}>
              Deny
            </Button>
            <Button
              size="small"
              look="quiet"
              className="sm:ml-auto"
              title={`Calls of ${part.toolName} will not ask again in this conversation`}
              onClick={() => decide(true, true)}
            >
              Always in this conversation
            </Button>
          </>
        ) : (
          <p className="text-[13px] text-soft">Waiting for a decision.</p>
        )}
      </footer>
    </section>
  )
}
