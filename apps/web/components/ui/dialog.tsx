'use client'

import { X } from 'lucide-react'
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { Button } from './button.tsx'

/**
 * A modal dialog on the browser's own element, which keeps the focus inside, closes at Escape and gives the focus back. (Radix's dialog
 * locks scrolling by a style element that our Content-Security-Policy forbids.)
 */
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
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const titleId = useId()

  useEffect(() => {
    if (open && !dialog.current?.open) {
      dialog.current?.showModal()
      heading.current?.focus()
    }
    if (!open && dialog.current?.open) dialog.current.close()
  }, [open])

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      className="m-auto w-[min(30rem,calc(100vw-2rem))] rounded-2xl border border-line bg-surface p-0 text-ink shadow-dialog backdrop:bg-black/40"
      onClose={onClose}
      onClick={(event) => {
        // The element itself is hit only beside its content.
        if (event.target === dialog.current) onClose()
      }}
    >
      {open && (
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
      )}
    </dialog>
  )
}
