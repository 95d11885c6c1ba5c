'use client'

import { useRouter } from 'next/navigation'
import { Field } from '@/components/ui/field.tsx'
import { formText } from '@/components/ui/form-text.ts'
import { rename } from './account-api.ts'
import { SettingForm } from './setting-form.tsx'
import { texts } from './texts.ts'

export function NameForm({ name }: { name: string }) {
  const router = useRouter()
  return (
    <SettingForm
      title={texts.name.title}
      action={texts.name.action}
      done={texts.name.done}
      send={async (form) => {
        await rename(formText(form, 'name').trim()).finally(() => router.refresh())
      }}
    >
      <Field label={texts.name.label} name="name" autoComplete="name" required maxLength={100} defaultValue={name} />
    </SettingForm>
  )
}
