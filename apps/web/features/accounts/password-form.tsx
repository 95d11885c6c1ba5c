'use client'

import { useRouter } from 'next/navigation'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { changePassword } from './account-api.ts'
import { NewPasswordField } from './new-password-field.tsx'
import { SettingForm } from './setting-form.tsx'
import { texts } from './texts.ts'

export function PasswordForm({ email }: { email: string }) {
  const router = useRouter()
  return (
    <SettingForm
      title={texts.password.title}
      action={texts.password.action}
      done={texts.password.done}
      clears
      send={async (form) => {
        await changePassword(formText(form, 'current'), formText(form, 'new')).finally(() => router.refresh())
      }}
    >
      {/* Lets password managers find the account. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <Field
        label={texts.password.currentLabel}
        name="current"
        type="password"
        autoComplete="current-password"
        required
      />
      <NewPasswordField label={texts.password.newLabel} name="new" />
    </SettingForm>
  )
}
