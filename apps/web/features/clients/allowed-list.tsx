'use client'

import { useState } from 'react'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Confirm } from '@/components/ui/confirm.tsx'
import { Time } from '@/components/ui/time.tsx'
import { revokeAllGrants, revokeGrant } from './client-api.ts'
import type { AllowedClient } from './client-lists.ts'
import { scopeWords } from './scope-words.ts'
import { texts } from './texts.ts'

/** The user's grants, one per machine, with buttons to revoke one or all. */
export function AllowedList({ initial }: { initial: readonly AllowedClient[] }) {
  const [allowed, setAllowed] = useState(initial)
  const [doomed, setDoomed] = useState<AllowedClient | 'all'>()
  if (allowed.length === 0) {
    return (
      <p className="rounded-xl border border-dashed border-line-strong p-5 text-sm text-pretty text-soft">
        {texts.allowed.none}
      </p>
    )
  }
  const one = doomed === 'all' ? undefined : doomed
  return (
    <div className="space-y-4">
      <Card className="px-4 sm:px-6">
        <ul className="divide-y divide-line">
          {allowed.map((client) => (
            <AllowedItem key={client.id} client={client} onRevoke={() => setDoomed(client)} />
          ))}
        </ul>
      </Card>
      {allowed.length > 1 && (
        <Button look="quiet" size="small" onClick={() => setDoomed('all')}>
          {texts.allowed.revokeAll}
        </Button>
      )}
      <Confirm
        open={one !== undefined}
        onClose={() => setDoomed(undefined)}
        title={texts.allowed.revokeTitle}
        action={texts.allowed.revoke}
        onConfirm={async () => {
          if (!one) return
          await revokeGrant(one.id)
          setAllowed((all) => all.filter(({ id }) => id !== one.id))
        }}
      >
        <p className="break-words">
          <bdi className="font-medium text-ink">{one?.name}</bdi> loses access to {one?.space.name} immediately. Its
          logins on other machines stay. To use it again, log in from it again.
        </p>
      </Confirm>
      <Confirm
        open={doomed === 'all'}
        onClose={() => setDoomed(undefined)}
        title={texts.allowed.revokeAllTitle}
        action={texts.allowed.revokeAll}
        onConfirm={async () => {
          await revokeAllGrants()
          setAllowed([])
        }}
      >
        <p>{texts.allowed.revokeAllConsequence}</p>
      </Confirm>
    </div>
  )
}

function AllowedItem({ client, onRevoke }: { client: AllowedClient; onRevoke: () => void }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-4">
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
          In <bdi>{client.space.name}</bdi> · allowed <Time at={client.allowedAt} />
          {client.browser !== undefined && <> in {client.browser}</>} ·{' '}
          {client.lastUsedAt ? (
            <>
              last used <Time at={client.lastUsedAt} />
            </>
          ) : (
            texts.allowed.notUsed
          )}
        </p>
      </div>
      <Button look="quiet" size="small" onClick={onRevoke}>
        Revoke
        <span className="sr-only">
          {' '}
          {client.name} in {client.space.name}
        </span>
      </Button>
    </li>
  )
}
