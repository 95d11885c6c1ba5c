'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { signInWith } from './account-api.ts'
import type { ProviderChoice } from './provider-choice.ts'

/** Buttons for sign-in providers; renders nothing without any. */
export function ProviderButtons({ providers, next }: { providers: readonly ProviderChoice[]; next: string }) {
  const [chosen, setChosen] = useState<string>()
  const call = useCall()
  if (providers.length === 0) return null
  return (
    <div className="mt-5 space-y-3">
      <p
        aria-hidden
        className="flex items-center gap-3 text-[13px] text-soft before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line"
      >
        or
      </p>
      <CallNotice call={call} />
      {providers.map(({ id, name }) => (
        <Button
          key={id}
          look="secondary"
          className="w-full"
          busy={call.status !== 'idle' && chosen === id}
          onClick={() => {
            setChosen(id)
            void call.run(async () => window.location.assign(await signInWith(id, next)))
          }}
        >
          Continue with {name}
        </Button>
      ))}
    </div>
  )
}
