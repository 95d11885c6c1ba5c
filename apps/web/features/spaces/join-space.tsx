'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { acceptInvitation } from './space-api.ts'

export function JoinSpace({ secret }: { secret: string }) {
  const [state, setState] = useState<{ isBusy: boolean; refusal?: string }>({ isBusy: false })
  return (
    <>
      {state.refusal && <Notice tone="danger">{state.refusal}</Notice>}
      <Button
        className="w-full"
        busy={state.isBusy}
        onClick={async () => {
          setState({ isBusy: true })
          const outcome = await acceptInvitation(secret)
          if (outcome.ok) window.location.assign(`/spaces/${outcome.answer.spaceId}`)
          else setState({ isBusy: false, refusal: outcome.refusal })
        }}
      >
        Join the space
      </Button>
    </>
  )
}
