'use client'

import { ExternalLink, PenLine, TriangleAlert } from 'lucide-react'
import { useId, useMemo, useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { changeParts, hiddenCharacters, MANY_PARTS, type ChangePart, type PageLookup } from './change-parts.ts'
import { visibleText } from './visible-text.ts'
import { VisibleText } from './visible-text-view.tsx'

interface PendingChangeProps {
  /** What the call does, as a question. */
  readonly question: string
  readonly toolName: string
  /** The arguments as they are stored: approving sends exactly these. */
  readonly input: unknown
  readonly pageOf: PageLookup
  /** Where links to Notion lead somewhere. */
  readonly hasLinks: boolean
  /** Undefined for readers who may not decide. */
  readonly decision: Decision | undefined
}

export interface Decision {
  approve(): void
  deny(): void
  /** Approves this call and all later ones of the tool, and says for how long; undefined where that is not offered. */
  readonly always?: { readonly label: string; readonly hint: string; readonly approve: () => void }
}

/** A call that waits for approval, with everything that it would send. It can be approved only once all of it was shown. */
export function PendingChange({ question, toolName, input, pageOf, hasLinks, decision }: PendingChangeProps) {
  const parts = useMemo(() => changeParts(input, pageOf), [input, pageOf])
  const [isListWhole, setListWhole] = useState(false)
  const [expanded, setExpanded] = useState<ReadonlySet<number>>(new Set())
  const hintId = useId()
  const shown = isListWhole ? parts : parts.slice(0, MANY_PARTS)
  const isComplete =
    shown.length === parts.length && parts.every(({ cutAt }, index) => cutAt === undefined || expanded.has(index))
  const expand = (index: number) => setExpanded((known) => new Set([...known, index]))
  const expandAll = () => {
    setListWhole(true)
    setExpanded(new Set(parts.keys()))
  }
  return (
    <section
      aria-label={`Decision needed: ${visibleText(question)}`}
      className="my-4 overflow-hidden rounded-2xl border border-line-strong bg-surface text-sm shadow-card"
    >
      <header className="flex items-start gap-2.5 px-4 pt-3.5">
        <PenLine aria-hidden className="mt-0.5 size-4 shrink-0 text-warning" />
        <div className="min-w-0">
          <h3 className="font-semibold">
            <VisibleText text={question} />
          </h3>
          <p className="mt-0.5 font-mono text-xs break-all text-faint">
            <VisibleText text={toolName} />
          </p>
        </div>
      </header>
      <dl className="space-y-2.5 px-4 py-3.5">
        {parts.length === 0 && <p className="text-soft">This call sends no values.</p>}
        {shown.map((part, index) => (
          // Calls are never reordered.
          <Part
            key={index}
            part={part}
            isExpanded={expanded.has(index)}
            onExpand={() => expand(index)}
            hasLinks={hasLinks}
          />
        ))}
      </dl>
      {shown.length < parts.length && (
        <Button size="small" look="secondary" className="mx-4 mb-3.5" onClick={() => setListWhole(true)}>
          Show {parts.length - shown.length} more values
        </Button>
      )}
      <footer className="border-t border-line bg-canvas px-4 py-3">
        {decision ? (
          <>
            {!isComplete && (
              <p id={hintId} className="mb-2.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-[13px] text-soft">
                Part of this change is collapsed. Expand all of it before you approve.
                <button type="button" className="rounded-sm font-medium text-link hover:underline" onClick={expandAll}>
                  Expand all
                </button>
              </p>
            )}
            <Buttons decision={decision} isComplete={isComplete} hintId={hintId} />
          </>
        ) : (
          <p className="text-[13px] text-soft">Waiting for a decision.</p>
        )}
      </footer>
    </section>
  )
}

function Buttons({ decision, isComplete, hintId }: { decision: Decision; isComplete: boolean; hintId: string }) {
  const describedBy = isComplete ? undefined : hintId
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Button size="small" disabled={!isComplete} aria-describedby={describedBy} onClick={decision.approve}>
        Approve
      </Button>
      <Button size="small" look="secondary" onClick={decision.deny}>
        Deny
      </Button>
      {decision.always && (
        <Button
          size="small"
          look="quiet"
          className="sm:ml-auto"
          disabled={!isComplete}
          aria-describedby={describedBy}
          title={decision.always.hint}
          onClick={decision.always.approve}
        >
          {decision.always.label}
        </Button>
      )}
    </div>
  )
}

const tones: Record<ChangePart['tone'], string> = {
  added: 'border-l-success bg-success-soft/50',
  removed: 'border-l-danger bg-danger-soft/50',
  danger: 'border-l-danger bg-danger-soft/50',
  plain: '',
}

interface PartProps {
  readonly part: ChangePart
  readonly isExpanded: boolean
  readonly onExpand: () => void
  readonly hasLinks: boolean
}

function Part({ part, isExpanded, onExpand, hasLinks }: PartProps) {
  const { label, text, isLiteral, tone, page, cutAt } = part
  const isCut = cutAt !== undefined && !isExpanded
  const isBlock = tone !== 'plain' || text.includes('\n') || text.length > 120
  return (
    <div
      className={cn(
        isBlock ? 'rounded-r-lg border-l-3 border-l-line-strong px-3 py-2' : 'grid gap-x-4 sm:grid-cols-[10rem_1fr]',
        tones[tone],
      )}
    >
      <dt className="min-w-0 text-[13px] font-semibold text-soft">
        <VisibleText text={label} />
      </dt>
      <dd className={cn('min-w-0', !isLiteral && 'text-soft italic')}>
        <VisibleText text={isCut ? text.slice(0, cutAt) : text} />
        {isCut && (
          <>
            <span aria-hidden>…</span>
            <button
              type="button"
              className="mt-1 block rounded-sm text-[13px] font-medium text-link hover:underline"
              onClick={onExpand}
            >
              Show {new Intl.NumberFormat('en').format(hiddenCharacters(part))} more characters
            </button>
          </>
        )}
        {tone === 'danger' && (
          <p className="mt-1 flex items-start gap-1.5 font-medium text-danger not-italic">
            <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
            Pages and databases inside this page may move to the trash.
          </p>
        )}
        {page && <PageName page={page} hasLinks={hasLinks} />}
      </dd>
    </div>
  )
}

function PageName({ page, hasLinks }: { page: NonNullable<ChangePart['page']>; hasLinks: boolean }) {
  if (page === 'unknown') {
    return <p className="mt-0.5 text-[13px] text-warning">Name unknown: this page wasn’t read here.</p>
  }
  const { title, url } = page
  return (
    <p className="mt-0.5 text-[13px]">
      <span className="font-medium">
        <VisibleText text={title} />
      </span>
      {url && (
        <span className="block break-all text-soft">
          {hasLinks ? (
            <a
              href={url}
              target="_blank"
              rel="noopener noreferrer nofollow"
              className="inline-flex max-w-full items-center gap-1 rounded-sm hover:underline"
            >
              {url}
              <ExternalLink aria-hidden className="size-3.5 shrink-0 text-faint" />
              <span className="sr-only">(opens Notion)</span>
            </a>
          ) : (
            url
          )}
        </span>
      )}
    </p>
  )
}
