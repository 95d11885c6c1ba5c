'use client'

import Link from 'next/link'
import { useEffect, useState } from 'react'
import { Button, buttonStyle } from '@/components/ui/button.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { Notice } from '@/components/ui/notice.tsx'
import { isResetLinkGood, resetPassword } from './account-api.ts'

type FormState =
  { status: 'editing'; refusal?: string } | { status: 'sending' } | { status: 'done' } | { status: 'over' }

/** The secret of the link is in the fragment of the address, which browsers send to nobody. */
export function ResetPasswordForm() {
  const [state, setState] = useState<FormState>({ status: 'editing' })
  useEffect(() => {
    let isLeft = false
    void isResetLinkGood(window.location.hash.slice(1)).then((isGood) => {
      if (isGood === false && !isLeft) setState({ status: 'over' })
    })
    return () => {
      isLeft = true
    }
  }, [])
  if (state.status === 'over') {
    return (
      <Notice tone="warning" title="This link doesn’t work any more">
        It was used already, or it is older than an hour. Ask for another one below.
      </Notice>
    )
  }
  if (state.status === 'done') {
    return (
      <div className="space-y-4">
        <Notice tone="success">Your new password is set.</Notice>
        <Link href="/sign-in" className={buttonStyle({ className: 'w-full' })}>
          Sign in
        </Link>
      </div>
    )
  }
  return (
    <form
      className="space-y-4"
      onSubmit={async (event) => {
        event.preventDefault()
        const password = formText(new FormData(event.currentTarget), 'password')
        setState({ status: 'sending' })
        const refusal = await resetPassword(window.location.hash.slice(1), password)
        if (refusal !== undefined) return setState({ status: 'editing', refusal })
        // Used up; it need not stay in the history.
        window.history.replaceState(null, '', window.location.pathname)
        setState({ status: 'done' })
      }}
    >
      <Field
        label="New password"
        name="password"
        type="password"
        autoComplete="new-password"
        required
        minLength={8}
        maxLength={128}
        hint="At least 8 characters."
      />
      {state.status === 'editing' && state.refusal && <Notice tone="danger">{state.refusal}</Notice>}
      <Button type="submit" className="w-full" busy={state.status === 'sending'}>
        Set the password
      </Button>
    </form>
  )
}
