'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { CopyText } from '@/components/ui/copy.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { Select } from '@/components/ui/select.tsx'
import { Time } from '@/components/ui/time.tsx'
import { useCall } from '@/lib/use-call.ts'
import { invite, type CreatedInvitation } from './space-api.ts'
import { texts } from './texts.ts'

/** Creates an invitation link and shows it once. */
export function InviteForm({ spaceId, hasMail }: { spaceId: string; hasMail: boolean }) {
  const router = useRouter()
  const [invited, setInvited] = useState<{ invitation: CreatedInvitation; email: string }>()
  const call = useCall()
  return (
    <Card aria-labelledby="invite" className="p-5 sm:p-6">
      <h2 id="invite" className="font-semibold tracking-tight">
        {texts.invite.title}
      </h2>
      {invited ? (
        <Invited {...invited} onAgain={() => setInvited(undefined)} />
      ) : (
        <form
          className="mt-4 space-y-4"
          onSubmit={(event) => {
            event.preventDefault()
            const form = new FormData(event.currentTarget)
            const email = formText(form, 'email').trim()
            void call.run(async () => {
              const invitation = await invite(spaceId, form.get('role') === 'admin' ? 'admin' : 'member', email)
              setInvited({ invitation, email })
              router.refresh()
            })
          }}
        >
          <div className="grid gap-4 sm:grid-cols-[minmax(0,1fr)_12rem]">
            <Field
              label={texts.invite.emailLabel}
              name="email"
              type="email"
              autoComplete="off"
              maxLength={254}
              hint={hasMail ? texts.invite.emailHintWithMail : texts.invite.emailHint}
            />
            <Select label={texts.invite.roleLabel} name="role" defaultValue="member">
              <option value="member">Member</option>
              <option value="admin">Admin</option>
            </Select>
          </div>
          <CallNotice call={call} />
          <Button type="submit" busy={call.status === 'busy'}>
            {texts.invite.action}
          </Button>
        </form>
      )}
    </Card>
  )
}

function Invited({
  invitation,
  email,
  onAgain,
}: {
  invitation: CreatedInvitation
  email: string
  onAgain: () => void
}) {
  return (
    <div className="mt-3 space-y-4">
      <p role="status" className="text-sm text-pretty text-soft">
        {invitation.mail === 'sent' ? texts.invite.emailed(email) : texts.invite.send(email)} It works once, until{' '}
        <Time at={invitation.expiresAt} />, and won’t be shown again.
      </p>
      {invitation.mail === 'failed' && <Notice tone="warning">{texts.invite.mailFailed}</Notice>}
      <CopyText label={texts.invite.link} text={invitation.link} />
      <Button look="secondary" onClick={onAgain}>
        {texts.invite.again}
      </Button>
    </div>
  )
}
