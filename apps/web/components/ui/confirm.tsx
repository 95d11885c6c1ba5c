'use client'

import type { ReactNode } from 'react'
import { useCall } from '@/lib/use-call.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { CallNotice } from './call-notice.tsx'

/** Confirmation dialog. It stays open with the error message if `onConfirm` throws. */
export function Confirm({
  open,
  onClose,
  title,
  children,
  action,
  onConfirm,
}: {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
  action: string
  onConfirm: () => Promise<void>
}) {
  const call = useCall()
  const isBusy = call.status === 'busy'
  const close = () => {
    call.reset()
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} title={title}>
      <div className="space-y-5">
        <div className="space-y-2 text-sm text-pretty text-soft">{children}</div>
        <CallNotice call={call} />
        <div className="flex flex-wrap gap-2">
          <Button
            look="danger"
            busy={isBusy}
            onClick={() =>
              void call.run(async () => {
                await onConfirm()
                onClose()
              })
            }
          >
            {action}
          </Button>
          <Button look="secondary" disabled={isBusy} onClick={close}>
            Cancel
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
