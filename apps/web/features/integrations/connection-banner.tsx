'use client'

import { TriangleAlert, Unplug } from 'lucide-react'
import { cn } from '@/components/ui/class-names.ts'
import { useSpaceConnection } from './connection-context.tsx'
import { textOf } from './connection-texts.tsx'
import type { ConnectionView } from './connection-view.ts'
import { NextStep } from './next-step.tsx'

/** Banner shown while the connection needs attention; on pages that do not use Notion, only while it is degraded. */
export function ConnectionBanner({ worksWithNotion }: { worksWithNotion: boolean }) {
  const { control, permission } = useSpaceConnection()
  const { view } = control
  if (worksWithNotion ? !needsAttention(view) : !isDegraded(view)) return null
  const { tone, label, summary } = textOf(view)
  const isTrouble = tone === 'warning' || tone === 'danger'
  const Icon = isTrouble ? TriangleAlert : Unplug
  return (
    <section
      aria-label="Notion connection"
      className={cn(
        'flex flex-wrap items-center gap-x-6 gap-y-3 border-b border-line px-4 py-3 text-sm sm:px-8',
        isTrouble ? 'bg-warning-soft text-warning' : 'bg-info-soft text-info',
      )}
    >
      <div role="status" className="flex min-w-0 flex-1 basis-80 gap-2.5">
        <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
        <div className="min-w-0 text-pretty">
          <strong className="font-semibold">Notion: {label}.</strong> {summary}
          {control.notice && ` ${control.notice}`}
        </div>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <NextStep control={control} {...permission} />
      </div>
    </section>
  )
}

const isDegraded = (view: ConnectionView): boolean =>
  view.status === 'connected' && view.connection.degraded !== undefined

/** An upcoming expiry counts only once it is near. */
const needsAttention = (view: ConnectionView): boolean =>
  view.status !== 'connected' ||
  view.notionTrouble !== undefined ||
  view.connection.degraded !== undefined ||
  view.connection.waiting !== undefined ||
  view.connection.consentRequired === true ||
  view.connection.notice?.kind === 'reconnect_now'
