'use client'

import { Link2, Mail } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Time } from '@/components/ui/time.tsx'
import { useCall } from '@/lib/use-call.ts'
import type { PendingInvitation } from './members.ts'
import { cancelInvitation } from './space-api.ts'
import { roleNames, texts } from './texts.ts'

/** Invitations that are not used, cancelled or expired. */
export function InvitationList({
  spaceId,
  invitations,
}: {
  spaceId: string
  invitations: readonly PendingInvitation[]
}) {
  const router = useRouter()
  const call = useCall()
  return (
    <Card aria-labelledby="invitations">
      <h2 id="invitations" className="px-5 pt-5 font-semibold tracking-tight sm:px-6">
        {texts.invitations.title}
      </h2>
      <CallNotice call={call} className="mx-5 mt-4 sm:mx-6" />
      <ul aria-label={texts.invitations.title} className="mt-2 divide-y divide-line">
        {invitations.map(({ id, email, role, invitedBy, expiresAt }) => {
          const Icon = email ? Mail : Link2
          return (
            <li key={id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5 sm:px-6">
              <span aria-hidden className="grid size-9 place-items-center rounded-full bg-sunken text-soft">
                <Icon className="size-4" />
              </span>
              <div className="min-w-0 flex-1 basis-40">
                <p className="text-sm font-medium break-words">{email ?? texts.invitations.anyone}</p>
                <p className="text-[13px] text-soft">
                  by {invitedBy}, until <Time at={expiresAt} />
                </p>
              </div>
              <Badge>{roleNames[role]}</Badge>
              <Button
                look="quiet"
                aria-label={texts.invitations.cancelLabel(email)}
                onClick={async () => {
                  await call.run(() => cancelInvitation(spaceId, id))
                  router.refresh()
                }}
              >
                {texts.invitations.cancel}
              </Button>
            </li>
          )
        })}
      </ul>
    </Card>
  )
}
