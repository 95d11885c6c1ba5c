'use client'

import { useRouter } from 'next/navigation'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { changePassword } from './account-api.ts'
import { NewPasswordField } from './new-password-field.tsx'
import { SettingForm } from './setting-form.tsx'

export function PasswordForm({ email }: { email: string }) {
  const router = useRouter()
  return (
    <SettingForm
      title="Password"
      action="Change password"
      done="Password changed. You’re signed out everywhere else."
      clears
      send={async (form) => {
        await changePassword(formText(form, 'current'), formText(form, 'new')).finally(() => router.refresh())
      }}
    >
      {/* So that password managers know whose password it is. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <Field label="Current password" name="current" type="password" autoComplete="current-password" required />
      <NewPasswordField label="New password" name="new" />
    </SettingForm>
  )
}
