'use client'

import Link from 'next/link'
import { useEffect, useState } from 'react'
import { Button, buttonStyle } from '@/components/ui/button.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { useCall } from '@/lib/use-call.ts'
import { isResetLinkGood, resetPassword } from './account-api.ts'
import { NewPasswordField } from './new-password-field.tsx'
import { texts } from './texts.ts'

/** Reads the reset token from the URL fragment, which browsers never send to a server. */
export function ResetPasswordForm() {
  const [isOver, setOver] = useState(false)
  const call = useCall()
  useEffect(() => {
    let isLeft = false
    isResetLinkGood(window.location.hash.slice(1)).then(
      (isGood) => !isGood && !isLeft && setOver(true),
      // The server checks the token again on submit.
      () => undefined,
    )
    return () => {
      isLeft = true
    }
  }, [])
  if (isOver) {
    return (
      <Notice tone="warning" title={texts.resetPassword.expiredTitle}>
        {texts.resetPassword.expired}
      </Notice>
    )
  }
  if (call.status === 'done') {
    return (
      <div className="space-y-4">
        <Notice tone="success">{texts.resetPassword.done}</Notice>
        <Link href="/sign-in" className={buttonStyle({ className: 'w-full' })}>
          {texts.resetPassword.signIn}
        </Link>
      </div>
    )
  }
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const password = formText(new FormData(event.currentTarget), 'password')
        void call.run(async () => {
          await resetPassword(window.location.hash.slice(1), password)
          // Remove the used token from the browser history.
          window.history.replaceState(null, '', window.location.pathname)
        })
      }}
    >
      <NewPasswordField label={texts.resetPassword.label} name="password" />
      <CallNotice call={call} />
      <Button type="submit" className="w-full" busy={call.status === 'busy'}>
        {texts.resetPassword.action}
      </Button>
    </form>
  )
}
