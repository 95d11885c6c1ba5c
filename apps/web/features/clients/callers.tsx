'use client'

import { Radio } from 'lucide-react'
import Link from 'next/link'
import { Badge } from '@/components/ui/badge.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Time } from '@/components/ui/time.tsx'
import type { CallerView } from './client-lists.ts'
import { texts } from './texts.ts'

/** Recent clients for the user, the latest first. */
export function Callers({ callers, isStale }: { callers: readonly CallerView[]; isStale: boolean }) {
  return (
    <Card className="p-4 sm:p-6" aria-labelledby="callers">
      <h2 id="callers" className="flex items-center gap-2.5 text-lg font-semibold tracking-tight">
        {texts.callers.title}
        <Badge tone={isStale ? 'warning' : 'success'} dot>
          {isStale ? texts.callers.stale : texts.callers.live}
        </Badge>
      </h2>
      <p className="mt-1 text-sm text-pretty text-soft">
        Your clients in this space. To revoke a client’s access, see{' '}
        <Link href="/account/clients" className="rounded-sm font-medium text-link underline-offset-4 hover:underline">
          clients you have allowed
        </Link>
        , or delete its key.
      </p>
      <div aria-live="polite">
        {callers.length === 0 ? (
          <p className="mt-4 flex items-start gap-2.5 rounded-xl border border-dashed border-line-strong p-4 text-sm text-pretty text-soft">
            <Radio aria-hidden className="mt-0.5 size-4 shrink-0" />
            {texts.callers.none}
          </p>
        ) : (
          <ul className="mt-4 divide-y divide-line">
            {callers.map(({ id, name, version, by, lastSeenAt }) => (
              <li key={id} className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 py-3">
                <p className="min-w-0 text-sm font-medium break-words">
                  <bdi>{name || texts.callers.unnamed}</bdi> {version && <span className="text-soft">{version}</span>}
                  <span className="block text-[13px] font-normal text-soft">
                    {by.kind === 'login' ? 'Logged in as ' : 'With the key '}
                    <bdi>{by.name}</bdi>
                    {by.host !== undefined && (
                      <>
                        {' '}
                        of <span className="font-medium break-all">{by.host}</span>
                      </>
                    )}
                  </span>
                </p>
                <p className="text-[13px] text-soft">
                  Last call <Time at={lastSeenAt} />
                </p>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  )
}
