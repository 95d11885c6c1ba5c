'use client'

import { Check, ChevronRight, CircleAlert, CircleSlash, LoaderCircle } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { JsonText } from '@/components/json-text.tsx'
import type { PageLookup } from '@/components/pending-change/change-parts.ts'
import { PendingChange } from '@/components/pending-change/pending-change.tsx'
import { useChat } from './chat-context.tsx'
import type { ToolPart } from './chat-message.ts'
import { failureIn, payloadIn } from './tool-result.ts'
import { ToolResultView } from './tool-result-view.tsx'
import { readableName, toolWords, type ToolWords } from './tool-words.ts'

interface ToolCallProps {
  readonly part: ToolPart
  readonly pageOf: PageLookup
  /** Undefined for readers who may not decide, and while a run is active. */
  readonly onDecide: ((approvalId: string, approved: boolean, always: boolean) => void) | undefined
}

/** A tool call: its action in words, and its result. */
export function ToolCall({ part, pageOf, onDecide }: ToolCallProps) {
  const { hasLinks } = useChat()
  const words = toolWords(part, (id) => pageOf(id)?.title)
  if (part.state === 'approval-requested') {
    const decide = (approved: boolean, always: boolean) => onDecide?.(part.approval.id, approved, always)
    return (
      <PendingChange
        key={part.approval.id}
        question={words.question}
        toolName={part.toolName}
        input={part.input}
        pageOf={pageOf}
        hasLinks={hasLinks}
        decision={
          onDecide && {
            approve: () => decide(true, false),
            deny: () => decide(false, false),
            always: {
              label: 'Always in this conversation',
              hint: `Calls of ${part.toolName} will not ask again in this conversation`,
              approve: () => decide(true, true),
            },
          }
        }
      />
    )
  }
  const failure = failureIn(part)
  return (
    <div className="my-3 text-sm">
      <Line part={part} words={words} hasFailed={failure !== undefined} />
      {failure !== undefined && (
        <p dir="auto" className="mt-1.5 ml-6.5 text-[13px] text-pretty break-words text-danger">
          {failure}
        </p>
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
    failed: `Couldn’t ${lowerFirst(words.question.replace(/\?$/, ''))}`,
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
        <span dir="auto" className="min-w-0 truncate font-medium">
          {text[state]}
        </span>
        <ChevronRight
          aria-hidden
          className="size-3.5 shrink-0 text-faint transition-transform group-aria-expanded:rotate-90"
        />
      </button>
      {isOpen && (
        <div className="mt-2 ml-6.5 space-y-2">
          <p className="font-mono text-xs text-faint">{part.toolName}</p>
          <JsonText value={part.input} label="Arguments" />
          {part.state === 'output-available' && <JsonText value={payloadIn(part.output)} label="Result" />}
        </div>
      )}
    </div>
  )
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
