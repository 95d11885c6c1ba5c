'use client'

import type { Route } from 'next'
import Link from 'next/link'
import { Badge } from '@/components/ui/badge.tsx'
import { buttonStyle } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { NotionMark } from '@/components/ui/marks.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { useSpaceConnection } from './connection-context.tsx'
import { ConnectionFacts, EarlierConsents } from './connection-facts.tsx'
import { textOf } from './connection-texts.tsx'
import { Disconnect } from './disconnect.tsx'
import { NextStep } from './next-step.tsx'

/** Status of the connection, the next step (a chat when healthy) and its details. */
export function ConnectionCard({ chat }: { chat: Route }) {
  const { control, permission } = useSpaceConnection()
  const { view, notice } = control
  const { tone, label, summary } = textOf(view)
  return (
    <Card aria-labelledby="connection-title" className="space-y-5 p-5 sm:p-6">
      <div className="flex flex-col gap-4 sm:flex-row sm:items-center">
        <div className="flex min-w-0 flex-1 items-start gap-4">
          <NotionMark />
          <div className="min-w-0">
            <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
              <h2 id="connection-title" className="font-semibold tracking-tight">
                Notion
              </h2>
              <Badge tone={tone} dot>
                <span role="status">{label}</span>
              </Badge>
            </div>
            <p className="mt-1 text-sm text-pretty text-soft">{summary}</p>
          </div>
        </div>
        <div className="flex flex-wrap items-center gap-2 sm:shrink-0 sm:justify-end">
          <NextStep control={control} {...permission} />
          {tone === 'success' && (
            <Link href={chat} className={buttonStyle()}>
              Start a chat
            </Link>
          )}
        </div>
      </div>
      {notice && <Notice tone="warning">{notice}</Notice>}
      <EarlierConsents view={view} />
      <ConnectionFacts view={view} />
      {view.status === 'connected' && permission.canManage && (
        <Disconnect control={control} connection={view.connection} />
      )}
    </Card>
  )
}
