'use client'

import { useState } from 'react'
import { Badge } from '../../components/ui/badge.tsx'
import { Button } from '../../components/ui/button.tsx'
import { Card } from '../../components/ui/card.tsx'
import { NotionMark } from '../../components/ui/marks.tsx'
import { Notice } from '../../components/ui/notice.tsx'
import { IntegrationDialog } from './integration-dialog.tsx'
import { textOf } from './connection-texts.tsx'
import { NextStep, type Permission } from './next-step.tsx'
import type { ConnectionControl } from './use-connection.ts'

/** The connection at a glance, with its next step; the dialog has the rest. */
export function ConnectionCard({ control, permission }: { control: ConnectionControl; permission: Permission }) {
  const [isOpen, setOpen] = useState(false)
  const { tone, label, summary } = textOf(control.view)
  return (
    <Card aria-labelledby="connection-title" className="p-5 sm:p-6">
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
          {control.view.status !== 'connecting' && (
            <Button
              look={control.view.status === 'connected' ? 'secondary' : 'quiet'}
              aria-haspopup="dialog"
              onClick={() => setOpen(true)}
            >
              Details
            </Button>
          )}
        </div>
      </div>
      {control.notice && !isOpen && (
        <Notice tone="warning" className="mt-4">
          {control.notice}
        </Notice>
      )}
      <IntegrationDialog open={isOpen} onClose={() => setOpen(false)} control={control} permission={permission} />
    </Card>
  )
}
