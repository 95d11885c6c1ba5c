'use client'

import { CircleX } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { Button, buttonStyle } from '@/components/ui/button.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'

/** Shows why connecting failed, with a retry button. */
export function CallbackFailure({
  title,
  advice,
  home,
  spaceId,
}: {
  title: string
  advice: string
  home: Route
  /** Space to retry for; undefined if the user may not connect it. */
  spaceId: string | undefined
}) {
  const call = useCall()

  const tryAgain = (space: string) =>
    call.run(async () => {
      const { startAuthorization } = await import('./notion-api.ts')
      const { authorizeUrl } = await startAuthorization(space)
      window.location.assign(authorizeUrl)
    })

  return (
    <>
      <CircleX aria-hidden className="size-10 text-danger" />
      <h1 className="mt-5 text-2xl font-semibold tracking-tight">{title}</h1>
      <p role="alert" className="mt-1.5 mb-6 text-[15px] text-pretty text-soft">
        {advice}
      </p>
      <CallNotice call={call} className="mb-4" />
      <div className="flex flex-wrap gap-2">
        {spaceId !== undefined && (
          <Button busy={call.status !== 'idle'} onClick={() => void tryAgain(spaceId)}>
            Try again
          </Button>
        )}
        <Link href={home} className={buttonStyle({ look: 'secondary' })}>
          Back to your space
        </Link>
      </div>
    </>
  )
}
