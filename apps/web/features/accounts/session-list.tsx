'use client'

import { MonitorSmartphone } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Time } from '@/components/ui/time.tsx'
import { useCall } from '@/lib/use-call.ts'
import { endSessions } from './account-api.ts'
import type { AccountSession } from './account-data.ts'
import { texts } from './texts.ts'

/** The user's sessions, each with a button to revoke it. */
export function SessionList({ sessions }: { sessions: readonly AccountSession[] }) {
  const router = useRouter()
  const call = useCall()
  const end = async (id?: string) => {
    await call.run(() => endSessions(id))
    router.refresh()
  }
  return (
    <Card aria-labelledby="sessions">
      <div className="flex flex-wrap items-center justify-between gap-3 px-5 pt-5 sm:px-6">
        <h2 id="sessions" className="font-semibold tracking-tight">
          {texts.sessions.title}
        </h2>
        {sessions.length > 1 && (
          <Button look="secondary" size="small" onClick={() => void end()}>
            {texts.sessions.signOutOthers}
          </Button>
        )}
      </div>
      <CallNotice call={call} className="mx-5 mt-4 sm:mx-6" />
      <ul aria-label={texts.sessions.list} className="mt-2 divide-y divide-line">
        {sessions.map(({ id, device, address, since, isThis }) => (
          <li key={id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5 sm:px-6">
            <span aria-hidden className="grid size-9 place-items-center rounded-full bg-sunken text-soft">
              <MonitorSmartphone className="size-4" />
            </span>
            <div className="min-w-0 flex-1 basis-40">
              <p className="text-sm font-medium break-words">{device}</p>
              <p className="text-[13px] break-words text-soft">
                {address && `${address}, `}since <Time at={since} />
              </p>
            </div>
            {isThis ? (
              <Badge tone="success">{texts.sessions.current}</Badge>
            ) : (
              <Button look="quiet" size="small" aria-label={`Sign out ${device}`} onClick={() => void end(id)}>
                {texts.sessions.signOut}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}
