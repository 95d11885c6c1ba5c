'use client'

import type { Route } from 'next'
import { useState } from 'react'
import { cn } from '@/components/ui/class-names.ts'
import { useSpaceConnection } from './connection-context.tsx'
import { textOf } from './connection-texts.tsx'
import { IntegrationDialog } from './integration-dialog.tsx'

const dots = {
  neutral: 'bg-faint',
  success: 'bg-success',
  warning: 'bg-warning',
  danger: 'bg-danger',
  info: 'bg-info',
} as const

/** Connection status with the button that opens its dialog. `compact` suits small screens. */
export function ConnectionStatus({ page, compact = false }: { page: Route; compact?: boolean }) {
  const [isOpen, setOpen] = useState(false)
  const { tone, label } = textOf(useSpaceConnection().control.view)
  return (
    <>
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
        className={cn(
          'flex h-9 min-w-0 items-center gap-2.5 rounded-lg px-2.5 text-left text-[13px] text-soft hover:bg-sunken hover:text-ink',
          compact ? 'shrink-0' : 'w-full',
        )}
      >
        <span aria-hidden className={cn('size-2 shrink-0 rounded-full', dots[tone])} />
        {compact && <span aria-hidden>Notion</span>}
        <span className={compact ? 'sr-only' : 'truncate'}>Notion: {label}</span>
      </button>
      <IntegrationDialog open={isOpen} onClose={() => setOpen(false)} page={page} />
    </>
  )
}
