'use client'

import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { signIn } from './account-api.ts'
import { AccountForm } from './account-form.tsx'
import { texts } from './texts.ts'

/** `prefilled` contains the demo user's credentials. */
export function SignInForm({
  next,
  prefilled,
}: {
  next: string
  prefilled?: { email: string; password: string } | undefined
}) {
  return (
    <AccountForm
      action={texts.signIn.action}
      next={next}
      send={(form) => signIn(formText(form, 'email'), formText(form, 'password'))}
    >
      <Field label="Email" name="email" type="email" autoComplete="username" required defaultValue={prefilled?.email} />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        defaultValue={prefilled?.password}
      />
    </AccountForm>
  )
}
