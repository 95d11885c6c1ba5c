'use client'

import { LoaderCircle } from 'lucide-react'
import { useLinkStatus } from 'next/link'
import type { ReactNode } from 'react'

/** Inside of a link: turns while the page behind it is loading. `icon` is what is there otherwise. */
export function LinkProgress({ icon = null }: { icon?: ReactNode }) {
  const { pending } = useLinkStatus()
  if (!pending) return icon
  return (
    <>
      {/* Not for a page that comes at once. */}
      <LoaderCircle
        aria-hidden
        className="size-4 shrink-0 animate-[spin_1s_linear_infinite,appear_0.01s_150ms_backwards] text-faint"
      />
      <span role="status" className="sr-only">
        Loading
      </span>
    </>
  )
}
