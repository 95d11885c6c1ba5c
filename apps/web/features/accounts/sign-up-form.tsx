'use client'

import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { signUp } from './account-api.ts'
import { NewPasswordField } from './new-password-field.tsx'
import { AccountForm } from './account-form.tsx'

export function SignUpForm({ next }: { next: string }) {
  return (
    <AccountForm
      action="Create account"
      next={next}
      send={(form) => signUp(formText(form, 'name'), formText(form, 'email'), formText(form, 'password'))}
    >
      <Field
        label="Name"
        name="name"
        autoComplete="name"
        required
        maxLength={100}
        hint="Your first space is named after you."
      />
      <Field label="Email" name="email" type="email" autoComplete="username" required />
      <NewPasswordField label="Password" name="password" />
    </AccountForm>
  )
}
