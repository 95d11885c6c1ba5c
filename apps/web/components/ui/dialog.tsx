'use client'

import { X } from 'lucide-react'
import { useId, useRef, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Modal } from './modal.tsx'

/** A modal dialog in the middle of the page. */
export function Dialog({
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
  const heading = useRef<HTMLHeadingElement>(null)
  const titleId = useId()
  return (
    <Modal
      open={open}
      onOpen={() => heading.current?.focus()}
      onClose={onClose}
      titleId={titleId}
      className="m-auto w-[min(30rem,calc(100vw-2rem))] rounded-2xl border"
    >
      <div className="p-5 sm:p-6">
        <div className="mb-4 flex items-start justify-between gap-4">
          <h2 id={titleId} ref={heading} tabIndex={-1} className="text-lg font-semibold tracking-tight outline-none">
            {title}
          </h2>
          <Button look="quiet" size="icon" aria-label="Close" onClick={onClose} className="-mt-1.5 -mr-1.5">
            <X aria-hidden />
          </Button>
        </div>
        {children}
      </div>
    </Modal>
  )
}
