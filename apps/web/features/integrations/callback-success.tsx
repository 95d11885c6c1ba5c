'use client'

import { CircleCheck } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useEffect } from 'react'
import { buttonStyle } from '../../components/ui/button.tsx'
import { tellConnectionChanged } from './connection-news.ts'

/** Long enough to read the message, short enough not to wait for it. */
const RETURN_MS = 1_500

/** Tells other windows, then closes itself if it was opened as a popup, else goes `home`. */
/** `isWaiting` when the consent reached another workspace than before, which somebody has to confirm. */
export function CallbackSuccess({ home, isWaiting }: { home: Route; isWaiting: boolean }) {
  useEffect(() => {
    tellConnectionChanged()
    const timer = setTimeout(() => {
      if (window.opener) window.close()
      // A full load, so that the page asks the server; also for a popup that the browser does not let close itself.
      window.location.replace(home)
    }, RETURN_MS)
    return () => clearTimeout(timer)
  }, [home])

  return (
    <>
      <CircleCheck aria-hidden className="size-10 text-success" />
      <h1 className="mt-5 text-2xl font-semibold tracking-tight">
        {isWaiting ? 'Another workspace' : 'MCP connected'}
      </h1>
      <p role="status" className="mt-1.5 mb-6 text-[15px] text-pretty text-soft">
        {isWaiting
          ? 'This is not the workspace that your space worked with. Taking you back to decide…'
          : 'Notion is connected with your space. Taking you back…'}
      </p>
      <Link href={home} className={buttonStyle({ look: 'secondary' })}>
        Continue now
      </Link>
    </>
  )
}
