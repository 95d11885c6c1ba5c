'use client'

import { createContext, use } from 'react'
import { cn } from '@/components/ui/class-names.ts'
import { inputStyle } from '@/components/ui/field.tsx'
import { isSchema } from './safe-schema.ts'
import { isSame } from './schema.ts'

interface JsonTexts {
  readonly texts: Readonly<Record<string, string>>
  /** `undefined` once the text is JSON again. */
  setText(at: string, text: string | undefined): void
}

/** Texts of JSON fields that are no JSON yet: they belong to the form's draft, so that nothing typed is lost. */
export const JsonTextsContext = createContext<JsonTexts>({ texts: {}, setText: () => undefined })

interface JsonValueProps {
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  /** JSON pointer of the value. */
  readonly at: string
  readonly label: string
  readonly common?: Readonly<Record<string, string | boolean | undefined>>
  readonly rows?: number
  /** Whether nothing but an object will do. */
  readonly isObject?: boolean
}

/** A value as JSON text. While the text is no JSON, the value stays as it was, and the form is not sent. */
export function JsonValue({ value, onChange, at, label, common = {}, rows = 3, isObject = false }: JsonValueProps) {
  const { texts, setText } = use(JsonTextsContext)
  const typed = typedText(texts[at], value, isObject)
  const complaint = typed === undefined ? undefined : complaintOf(typed, isObject)
  const isWrong = complaint !== undefined
  return (
    <div className="space-y-1.5">
      <textarea
        // The form asks it whether it may be sent.
        ref={(element) => element?.setCustomValidity(complaint ?? '')}
        aria-label={common['id'] ? undefined : label}
        {...common}
        aria-invalid={isWrong || common['aria-invalid'] === true || undefined}
        dir="auto"
        rows={rows}
        spellCheck={false}
        value={typed ?? JSON.stringify(value, null, 2) ?? ''}
        onChange={({ target: { value: text } }) => {
          const parsed = parse(text)
          if (parsed && complaintOf(text, isObject) === undefined) onChange(parsed.value)
          // JSON that is written in another way stays as the user wrote it.
          setText(
            at,
            parsed && complaintOf(text, isObject) === undefined && JSON.stringify(parsed.value, null, 2) === text
              ? undefined
              : text,
          )
        }}
        className={cn(
          inputStyle,
          'block field-sizing-content h-auto max-h-96 min-h-20 py-2 font-mono text-[13px] leading-relaxed',
        )}
      />
      {isWrong && (
        <p role="alert" className="text-[13px] text-danger">
          {complaint}
        </p>
      )}
    </div>
  )
}

/** What the user typed, unless the value has changed from elsewhere since. */
function typedText(text: string | undefined, value: unknown, isObject: boolean): string | undefined {
  if (text === undefined || complaintOf(text, isObject) !== undefined) return text
  return isSame(parse(text)?.value, value) ? text : undefined
}

function complaintOf(text: string, isObject: boolean): string | undefined {
  const parsed = parse(text)
  if (!parsed) return 'Enter valid JSON.'
  return isObject && !isSchema(parsed.value) ? 'The arguments must be a JSON object.' : undefined
}

export const isJson = (text: string): boolean => parse(text) !== undefined

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}
