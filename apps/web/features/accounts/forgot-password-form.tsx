'use client'

import { Button } from '@/components/ui/button.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { requestReset } from './account-api.ts'
import { texts } from './texts.ts'

export function ForgotPasswordForm() {
  const call = useCall()
  if (call.status === 'done') {
    // Same text for known and unknown addresses, so that it does not reveal accounts.
    return <Notice tone="success">{texts.forgotPassword.sent}</Notice>
  }
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const email = formText(new FormData(event.currentTarget), 'email')
        void call.run(() => requestReset(email))
      }}
    >
      <Field label="Email" name="email" type="email" autoComplete="username" required />
      <CallNotice call={call} />
      <Button type="submit" className="w-full" busy={call.status === 'busy'}>
        {texts.forgotPassword.action}
      </Button>
    </form>
  )
}
