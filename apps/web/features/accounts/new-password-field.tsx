import { Field } from '@/components/ui/field.tsx'
import { texts } from './texts.ts'

/** Field for a new password, with better-auth's length limits. */
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
