'use client'

import { useState, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { Notice } from './notice.tsx'

/** Asks before something that is not easily undone. `onConfirm` answers with a sentence when it did not work. */
export function Confirm({
  open,
  onClose,
  title,
  children,
  action,
  look = 'danger',
  onConfirm,
}: {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
  action: string
  look?: 'danger' | 'primary'
  onConfirm: () => Promise<string | undefined>
}) {
  const [state, setState] = useState<{ isBusy: boolean; refusal?: string | undefined }>({ isBusy: false })
  const close = () => {
    setState({ isBusy: false })
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} title={title}>
      <div className="space-y-5">
        <div className="space-y-2 text-sm text-pretty text-soft">{children}</div>
        {state.refusal && <Notice tone="danger">{state.refusal}</Notice>}
        <div className="flex flex-wrap gap-2">
          <Button
            look={look}
            busy={state.isBusy}
            onClick={async () => {
              setState({ isBusy: true })
              const refusal = await onConfirm()
              if (refusal === undefined) close()
              else setState({ isBusy: false, refusal })
            }}
          >
            {action}
          </Button>
          <Button look="secondary" disabled={state.isBusy} onClick={close}>
            Cancel
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
