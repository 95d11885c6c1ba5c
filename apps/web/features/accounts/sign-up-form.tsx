'use client'

import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { signUp } from './account-api.ts'
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
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        required
        minLength={8}
        maxLength={128}
        hint="At least 8 characters."
      />
    </AccountForm>
  )
}
