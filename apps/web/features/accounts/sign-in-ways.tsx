'use client'

import { useRouter } from 'next/navigation'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { connectProvider, disconnectProvider } from './account-api.ts'
import type { ProviderChoice } from './provider-choice.ts'
import { texts } from './texts.ts'

interface Way extends ProviderChoice {
  readonly isConnected: boolean
}

/** The user's sign-in providers, with buttons to connect and disconnect each. */
export function SignInWays({ ways, isOnlyOne }: { ways: readonly Way[]; isOnlyOne: boolean }) {
  const router = useRouter()
  const call = useCall()

  const connect = (id: string) => call.run(async () => window.location.assign(await connectProvider(id)))
  const disconnect = async (id: string) => {
    await call.run(() => disconnectProvider(id))
    router.refresh()
  }

  return (
    <Card aria-labelledby="ways">
      <h2 id="ways" className="px-5 pt-5 font-semibold tracking-tight sm:px-6">
        {texts.signInMethods.title}
      </h2>
      <CallNotice call={call} className="mx-5 mt-4 sm:mx-6" />
      <ul className="mt-2 divide-y divide-line">
        {ways.map(({ id, name, isConnected }) => (
          <li key={id} className="flex flex-wrap items-center gap-3 px-5 py-3.5 sm:px-6">
            <span className="min-w-0 flex-1 text-sm font-medium break-words first-letter:uppercase">{name}</span>
            {isConnected && <Badge tone="success">{texts.signInMethods.connected}</Badge>}
            {isConnected ? (
              <Button
                look="quiet"
                size="small"
                aria-label={`Disconnect ${name}`}
                // Disconnecting the only sign-in method would lock the user out.
                disabled={isOnlyOne}
                onClick={() => void disconnect(id)}
              >
                {texts.signInMethods.disconnect}
              </Button>
            ) : (
              <Button look="secondary" size="small" aria-label={`Connect ${name}`} onClick={() => void connect(id)}>
                {texts.signInMethods.connect}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}
