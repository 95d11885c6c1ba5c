'use client'

import { useEffect, useRef, type ReactNode } from 'react'
import { cn } from './class-names.ts'

/**
 * The browser's own modal dialog, which keeps the focus inside, closes at Escape and gives the focus back. (Radix's dialog locks scrolling by a
 * style element that our Content-Security-Policy forbids.) Its content exists only while it is open.
 */
export function Modal({
  open,
  onOpen,
  onClose,
  titleId,
  className,
  children,
}: {
  open: boolean
  /** Called once the content is shown. */
  onOpen?: () => void
  onClose: () => void
  titleId: string
  className: string
  children: ReactNode
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const latestOnOpen = useRef(onOpen)

  useEffect(() => {
    latestOnOpen.current = onOpen
  })
  useEffect(() => {
    if (open && !dialog.current?.open) {
      dialog.current?.showModal()
      latestOnOpen.current?.()
    }
    if (!open && dialog.current?.open) dialog.current.close()
  }, [open])

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      className={cn('border-line bg-surface p-0 text-ink shadow-dialog backdrop:bg-black/40', className)}
      onClose={onClose}
      onClick={(event) => {
        // The element itself is hit only beside its content.
        if (event.target === dialog.current) onClose()
      }}
    >
      {open && children}
    </dialog>
  )
}
