'use client'

import type { Route } from 'next'
import Link from 'next/link'
import { Button, buttonStyle } from '@/components/ui/button.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { Time } from '@/components/ui/time.tsx'
import { useChat } from './chat-context.tsx'
import type { FinishReason, RunFailureCode } from './chat-message.ts'

interface Told {
  readonly tone: 'info' | 'warning' | 'danger'
  readonly title: string
  readonly text?: string
  readonly action?: 'again' | 'continue'
  /** It is mended on the page of the connection. */
  readonly isConnection?: true
}

/** What an end means for the user. A new end does not compile until it is here. */
const ends: { [Kind in FinishReason['kind']]: (end: Extract<FinishReason, { kind: Kind }>) => Told | undefined } = {
  complete: () => undefined,
  approval: () => undefined,
  stopped: () => ({ tone: 'info', title: 'Stopped' }),
  step_limit: ({ limit }) => ({
    tone: 'info',
    title: 'Paused after too many steps',
    text: `An answer can take up to ${limit} steps. Everything found so far is kept.`,
    action: 'continue',
  }),
  length: () => ({ tone: 'info', title: 'The model reached its length limit', action: 'continue' }),
  filtered: () => ({ tone: 'warning', title: 'The model’s provider withheld the rest', action: 'again' }),
  interrupted: () => ({
    tone: 'warning',
    title: 'Interrupted by a restart of the app',
    text: 'Everything written so far is kept.',
    action: 'again',
  }),
  failed: ({ code, detail }) => ({ tone: 'danger', text: detail, ...failures[code] }),
}

const failures: Record<RunFailureCode, { title: string; action?: 'again'; isConnection?: true }> = {
  model_refused: { title: 'The model can’t be used' },
  model_rate_limited: { title: 'The model’s rate limit is reached', action: 'again' },
  model_unavailable: { title: 'The model isn’t responding', action: 'again' },
  notion_rate_limited: { title: 'Notion’s rate limit is reached', action: 'again' },
  not_connected: { title: 'Notion is not connected', action: 'again', isConnection: true },
  reconnect_required: { title: 'Notion must be reconnected', action: 'again', isConnection: true },
  notion_refused: { title: 'Notion refuses the access', action: 'again', isConnection: true },
  // No invitation to repeat: the call may have been carried out.
  outcome_unknown: { title: 'Interrupted before a result arrived' },
  notion_unavailable: { title: 'Notion isn’t responding', action: 'again' },
  gateway_unavailable: { title: 'The gateway isn’t responding', action: 'again' },
  no_access: { title: 'You no longer have access' },
  internal: { title: 'Something went wrong', action: 'again' },
}

interface FinishNoticeProps {
  readonly end: FinishReason | undefined
  /** Undefined where the user cannot go on from here. */
  readonly onAgain: (() => void) | undefined
  readonly onContinue: (() => void) | undefined
}

/** Shows why a run ended early, with the next step. */
export function FinishNotice({ end, onAgain, onContinue }: FinishNoticeProps) {
  const { spaceId } = useChat()
  // A function from the table takes the end of its own kind.
  const told = end && (ends[end.kind] as (end: FinishReason) => Told | undefined)(end)
  if (!told) return null
  const { tone, title, text, action, isConnection } = told
  const until = end.kind === 'failed' ? end.until : undefined
  if (title === 'Stopped') return <p className="mt-2 text-[13px] text-faint">Stopped</p>
  return (
    <Notice tone={tone} title={title} className="mt-3">
      {text}
      {until && (
        <>
          {' '}
          Try again after <Time at={until} />.
        </>
      )}
      {isConnection && (
        <Link
          href={`/spaces/${spaceId}/connection` as Route}
          className={buttonStyle({ look: 'secondary', size: 'small', className: 'mt-2.5 mr-2' })}
        >
          Open the connection
        </Link>
      )}
      {action === 'again' && onAgain && (
        <Button look="secondary" size="small" className="mt-2.5" onClick={onAgain}>
          Try again
        </Button>
      )}
      {action === 'continue' && onContinue && (
        <Button look="secondary" size="small" className="mt-2.5 flex" onClick={onContinue}>
          Continue
        </Button>
      )}
    </Notice>
  )
}
