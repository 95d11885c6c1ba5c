'use client'

import { X } from 'lucide-react'
import { useId, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Modal } from './modal.tsx'

/** A dialog at the left edge, over the page, for what is beside the page on wide screens. */
export function Drawer({
  open,
  onClose,
  title,
  children,
}: {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
}) {
  const titleId = useId()
  return (
    <Modal
      open={open}
      onClose={onClose}
      titleId={titleId}
      className="m-0 h-dvh max-h-none w-[min(18rem,85vw)] border-r"
    >
      <div className="flex h-full flex-col gap-4 p-3">
        <div className="flex items-center justify-between gap-4 pl-2">
          <h2 id={titleId} className="text-sm font-semibold tracking-tight">
            {title}
          </h2>
          <Button look="quiet" size="icon" aria-label="Close" onClick={onClose}>
            <X aria-hidden />
          </Button>
        </div>
        {children}
      </div>
    </Modal>
  )
}
