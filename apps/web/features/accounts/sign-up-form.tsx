'use client'

import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { signUp } from './account-api.ts'
import { NewPasswordField } from './new-password-field.tsx'
import { AccountForm } from './account-form.tsx'
import { texts } from './texts.ts'

export function SignUpForm({ next }: { next: string }) {
  return (
    <AccountForm
      action={texts.signUp.action}
      next={next}
      send={(form) => signUp(formText(form, 'name'), formText(form, 'email'), formText(form, 'password'))}
    >
      <Field label="Name" name="name" autoComplete="name" required maxLength={100} hint={texts.signUp.nameHint} />
      <Field label="Email" name="email" type="email" autoComplete="username" required />
      <NewPasswordField label="Password" name="password" />
    </AccountForm>
  )
}
