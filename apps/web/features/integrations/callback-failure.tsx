'use client'

import { CircleX } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useState } from 'react'
import { Button, buttonStyle } from '@/components/ui/button.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { messageOf } from '@/lib/api-client.ts'

type Retry = { status: 'offered'; refusal?: string } | { status: 'running' }

/** Why connecting did not work, what to do, and the button to do it. */
export function CallbackFailure({
  title,
  advice,
  home,
  spaceId,
}: {
  title: string
  advice: string
  home: Route
  /** The space to try again for, if this person may. */
  spaceId: string | undefined
}) {
  const [retry, setRetry] = useState<Retry>({ status: 'offered' })

  const tryAgain = async (space: string) => {
    setRetry({ status: 'running' })
    try {
      const { startAuthorization } = await import('./notion-api.ts')
      const { authorizeUrl } = await startAuthorization(space)
      window.location.assign(authorizeUrl)
    } catch (error) {
      setRetry({ status: 'offered', refusal: messageOf(error) })
    }
  }

  return (
    <>
      <CircleX aria-hidden className="size-10 text-danger" />
      <h1 className="mt-5 text-2xl font-semibold tracking-tight">{title}</h1>
      <p role="alert" className="mt-1.5 mb-6 text-[15px] text-pretty text-soft">
        {advice}
      </p>
      {retry.status === 'offered' && retry.refusal && (
        <Notice tone="danger" className="mb-4">
          {retry.refusal}
        </Notice>
      )}
      <div className="flex flex-wrap gap-2">
        {spaceId !== undefined && (
          <Button busy={retry.status === 'running'} onClick={() => void tryAgain(spaceId)}>
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
