'use client'

import { useState } from 'react'
import { Badge } from '../../components/ui/badge.tsx'
import { Button } from '../../components/ui/button.tsx'
import { Card } from '../../components/ui/card.tsx'
import { Confirm } from '../../components/ui/confirm.tsx'
import { Time } from '../../components/ui/time.tsx'
import { endAllowed } from './client-api.ts'
import type { AllowedClient } from './client-lists.ts'
import { scopeWords } from './scope-words.ts'

/** What the person has allowed, and the way to take it back. */
export function AllowedList({ initial }: { initial: readonly AllowedClient[] }) {
  const [allowed, setAllowed] = useState(initial)
  const [doomed, setDoomed] = useState<AllowedClient>()
  if (allowed.length === 0) {
    return (
      <p className="rounded-xl border border-dashed border-line-strong p-5 text-sm text-pretty text-soft">
        No client is logged in for you. When you log in from one, it is listed here, and you can take it back.
      </p>
    )
  }
  return (
    <Card className="px-4 sm:px-6">
      <ul className="divide-y divide-line">
        {allowed.map((client) => (
          <li key={client.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-4">
            <div className="min-w-0 flex-1 basis-56">
              <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 text-sm font-medium">
                <bdi className="min-w-0 break-words">{client.name}</bdi>
                <Badge>{scopeWords[client.scope]}</Badge>
              </p>
              <p className="mt-0.5 text-[13px] break-words text-soft">
                {client.host !== undefined && (
                  <>
                    Of <span className="break-all text-ink">{client.host}</span> ·{' '}
                  </>
                )}
                In <bdi>{client.space.name}</bdi> · allowed <Time at={client.allowedAt} /> ·{' '}
                {client.lastUsedAt ? (
                  <>
                    last used <Time at={client.lastUsedAt} />
                  </>
                ) : (
                  'not used yet'
                )}
              </p>
            </div>
            <Button look="quiet" size="small" onClick={() => setDoomed(client)}>
              Revoke
              <span className="sr-only">
                {' '}
                {client.name} in {client.space.name}
              </span>
            </Button>
          </li>
        ))}
      </ul>
      <Confirm
        open={doomed !== undefined}
        onClose={() => setDoomed(undefined)}
        title="End this client’s access?"
        action="Revoke"
        onConfirm={async () => {
          const ended = doomed && (await endAllowed(doomed.id))
          if (ended && 'refusal' in ended) return ended.refusal
          setAllowed((all) => all.filter((one) => one.id !== doomed?.id))
          return undefined
        }}
      >
        <p className="break-words">
          <bdi className="font-medium text-ink">{doomed?.name}</bdi> loses its access to {doomed?.space.name} at once.
          To use it again you log in from it again.
        </p>
      </Confirm>
    </Card>
  )
}
