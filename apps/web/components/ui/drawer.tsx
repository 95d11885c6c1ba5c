'use client'

import { X } from 'lucide-react'
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { Button } from './button.tsx'

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
  const drawer = useRef<HTMLDialogElement>(null)
  const titleId = useId()

  useEffect(() => {
    if (open && !drawer.current?.open) drawer.current?.showModal()
    if (!open && drawer.current?.open) drawer.current.close()
  }, [open])

  return (
    <dialog
      ref={drawer}
      aria-labelledby={titleId}
      className="m-0 h-dvh max-h-none w-[min(18rem,85vw)] border-r border-line bg-surface p-0 text-ink shadow-dialog backdrop:bg-black/40"
      onClose={onClose}
      onClick={(event) => {
        // The element itself is hit only beside its content.
        if (event.target === drawer.current) onClose()
      }}
    >
      {open && (
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
      )}
    </dialog>
  )
}
