'use client'

import { Button } from '../../components/ui/button.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { Time } from '../../components/ui/time.tsx'
import type { AnswerEnd, FailureCode } from './chat-message.ts'

interface Told {
  readonly tone: 'info' | 'warning' | 'danger'
  readonly title: string
  readonly text?: string
  readonly action?: 'again' | 'continue'
}

/** What an end means for the person. A new end does not compile until it is here. */
const ends: { [Kind in AnswerEnd['kind']]: (end: Extract<AnswerEnd, { kind: Kind }>) => Told | undefined } = {
  complete: () => undefined,
  approval: () => undefined,
  stopped: () => ({ tone: 'info', title: 'Stopped' }),
  step_limit: ({ limit }) => ({
    tone: 'info',
    title: 'Paused at the limit of steps',
    text: `One answer may ask the model ${limit} times. What was found so far is kept.`,
    action: 'continue',
  }),
  length: () => ({ tone: 'info', title: 'The model’s limit of length is reached', action: 'continue' }),
  filtered: () => ({ tone: 'warning', title: 'The model’s provider withheld the rest', action: 'again' }),
  interrupted: () => ({
    tone: 'warning',
    title: 'The app was restarted in the middle',
    text: 'What was written until then is kept.',
    action: 'again',
  }),
  failed: ({ code, detail }) => ({ tone: 'danger', text: detail, ...failures[code] }),
}

const failures: Record<FailureCode, { title: string; action?: 'again' }> = {
  model_refused: { title: 'The model cannot be used' },
  model_rate_limited: { title: 'The model is asked too much', action: 'again' },
  model_unavailable: { title: 'The model does not answer', action: 'again' },
  notion_rate_limited: { title: 'Notion asks to slow down', action: 'again' },
  not_connected: { title: 'Notion is not connected', action: 'again' },
  reconnect_required: { title: 'Notion must be reconnected', action: 'again' },
  notion_refused: { title: 'Notion refuses the access', action: 'again' },
  notion_unavailable: { title: 'Notion does not answer', action: 'again' },
  gateway_unavailable: { title: 'The gateway does not answer', action: 'again' },
  no_access: { title: 'You have no access any more' },
  internal: { title: 'Something went wrong', action: 'again' },
}

interface AnswerEndProps {
  readonly end: AnswerEnd | undefined
  /** Undefined where the person cannot go on from here. */
  readonly onAgain: (() => void) | undefined
  readonly onContinue: (() => void) | undefined
}

/** Why an answer is not longer than it is, and what can be done about it. */
export function AnswerEndNotice({ end, onAgain, onContinue }: AnswerEndProps) {
  // A function from the table takes the end of its own kind.
  const told = end && (ends[end.kind] as (end: AnswerEnd) => Told | undefined)(end)
  if (!told) return null
  const { tone, title, text, action } = told
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
      {action === 'again' && onAgain && (
        <Button look="secondary" size="small" className="mt-2.5 flex" onClick={onAgain}>
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
