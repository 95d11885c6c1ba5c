'use client'

import { CircleCheck } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useEffect } from 'react'
import { buttonStyle } from '@/components/ui/button.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { announceConnectionChange } from './connection-changes.ts'

/** Long enough to read the message, short enough not to wait for it. */
const RETURN_MS = 1_500

/**
 * Notifies other windows, then closes a popup or navigates to `home`. With a `note`, it waits for the user to continue.
 *
 * @param isWaiting true if the consent reached another workspace and needs confirmation.
 */
export function CallbackSuccess({
  home,
  isWaiting,
  note,
}: {
  home: Route
  isWaiting: boolean
  note?: string | undefined
}) {
  useEffect(() => {
    announceConnectionChange()
    if (note !== undefined) return
    const timer = setTimeout(() => {
      if (window.opener) window.close()
      // Full page load for fresh data; also the fallback for popups that may not close themselves.
      window.location.replace(home)
    }, RETURN_MS)
    return () => clearTimeout(timer)
  }, [home, note])

  return (
    <>
      <CircleCheck aria-hidden className="size-10 text-success" />
      <h1 className="mt-5 text-2xl font-semibold tracking-tight">
        {isWaiting ? 'Another workspace' : 'MCP connected'}
      </h1>
      <p role="status" className="mt-1.5 mb-6 text-[15px] text-pretty text-soft">
        {isWaiting ? 'This isn’t the workspace your space used before.' : 'Notion is connected to your space.'}
        {note === undefined && (isWaiting ? ' Taking you back to decide…' : ' Taking you back…')}
      </p>
      {note !== undefined && (
        <Notice tone="warning" className="mb-6">
          {note}
        </Notice>
      )}
      <Link href={home} className={buttonStyle({ look: 'secondary' })}>
        {note === undefined ? 'Continue now' : 'Continue'}
      </Link>
    </>
  )
}
