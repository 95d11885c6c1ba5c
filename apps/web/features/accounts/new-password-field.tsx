import { Field } from '@/components/ui/field.tsx'
import { texts } from './texts.ts'

/** A password that is being chosen; its length is what better-auth takes. */
export const NewPasswordField = ({ label, name }: { label: string; name: string }) => (
  <Field
    label={label}
    name={name}
    type="password"
    autoComplete="new-password"
    required
    minLength={8}
    maxLength={128}
    hint={texts.password.hint}
  />
)
