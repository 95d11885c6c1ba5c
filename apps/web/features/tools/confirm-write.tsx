'use client'

import { PendingChange } from '@/components/pending-change/pending-change.tsx'
import { Dialog } from '@/components/ui/dialog.tsx'

/** Confirmation of a call that may change something, with all of its arguments. */
export function ConfirmWrite({
  toolName,
  args,
  hasLinks,
  onRun,
  onClose,
}: {
  toolName: string
  /** Undefined while the dialog is closed. */
  args: Record<string, unknown> | undefined
  hasLinks: boolean
  onRun: (args: Record<string, unknown>) => void
  onClose: () => void
}) {
  return (
    <Dialog open={args !== undefined} onClose={onClose} title="Approve this call">
      {args && (
        <PendingChange
          question={`Run ${toolName}?`}
          toolName={toolName}
          input={args}
          pageOf={() => undefined}
          hasLinks={hasLinks}
          decision={{
            approve: () => {
              onClose()
              onRun(args)
            },
            deny: onClose,
          }}
        />
      )}
    </Dialog>
  )
}
