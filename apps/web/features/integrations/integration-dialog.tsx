'use client'

import type { Route } from 'next'
import Link from 'next/link'
import { Badge } from '@/components/ui/badge.tsx'
import { buttonStyle } from '@/components/ui/button.tsx'
import { Dialog } from '@/components/ui/dialog.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { useSpaceConnection } from './connection-context.tsx'
import { ConnectionFacts, EarlierConsents } from './connection-facts.tsx'
import { textOf } from './connection-texts.tsx'
import type { ConnectionView } from './connection-view.ts'
import { Disconnect } from './disconnect.tsx'
import { NextStep } from './next-step.tsx'

/** Dialog about the space's connection; follows its state. */
export function IntegrationDialog({ open, onClose, page }: { open: boolean; onClose: () => void; page: Route }) {
  const { control, permission } = useSpaceConnection()
  const { view, notice } = control
  const { tone, label, summary } = textOf(view)
  return (
    <Dialog open={open} onClose={onClose} title="Notion">
      <div className="space-y-5">
        <div>
          <Badge tone={tone} dot>
            <span role="status">{label}</span>
          </Badge>
          {hasStory(view) && <p className="mt-2.5 text-sm text-pretty text-soft">{summary}</p>}
        </div>
        <ConnectionFacts view={view} />
        <EarlierConsents view={view} />
        {notice && <Notice tone="warning">{notice}</Notice>}
        <div className="flex flex-wrap gap-2">
          <NextStep control={control} {...permission} />
          {view.status === 'connected' && permission.canManage && (
            <Disconnect control={control} connection={view.connection} />
          )}
          <Link href={page} onClick={onClose} className={buttonStyle({ look: 'quiet' })}>
            History
          </Link>
        </div>
      </div>
    </Dialog>
  )
}

/** A healthy connection shows only its facts. */
const hasStory = (view: ConnectionView) =>
  view.status !== 'connected' ||
  view.connection.waiting !== undefined ||
  view.connection.notice !== undefined ||
  view.connection.degraded !== undefined ||
  view.connection.consentRequired === true ||
  view.notionTrouble !== undefined
