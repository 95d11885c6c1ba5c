'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { Notice } from '@/components/ui/notice.tsx'
import { requestReset } from './account-api.ts'

type FormState = { status: 'editing'; refusal?: string } | { status: 'sending' } | { status: 'sent' }

export function ForgotPasswordForm() {
  const [state, setState] = useState<FormState>({ status: 'editing' })
  if (state.status === 'sent') {
    // The same whether there is such an account or not.
    return (
      <Notice tone="success">
        If there is an account with this email, a link is on its way. It is good for one hour.
      </Notice>
    )
  }
  return (
    <form
      className="space-y-4"
      onSubmit={async (event) => {
        event.preventDefault()
        const email = formText(new FormData(event.currentTarget), 'email')
        setState({ status: 'sending' })
        const refusal = await requestReset(email)
        setState(refusal === undefined ? { status: 'sent' } : { status: 'editing', refusal })
      }}
    >
      <Field label="Email" name="email" type="email" autoComplete="username" required />
      {state.status === 'editing' && state.refusal && <Notice tone="danger">{state.refusal}</Notice>}
      <Button type="submit" className="w-full" busy={state.status === 'sending'}>
        Send the link
      </Button>
    </form>
  )
}
