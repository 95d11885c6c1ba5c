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

/** Invalid text of JSON fields, kept in the form's draft so that no input is lost. */
export const JsonTextsContext = createContext<JsonTexts>({ texts: {}, setText: () => undefined })

interface JsonValueProps {
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  /** JSON pointer of the value. */
  readonly at: string
  readonly label: string
  readonly common?: Readonly<Record<string, string | boolean | undefined>>
  readonly rows?: number
  /** Accepts only objects. */
  readonly isObject?: boolean
}

/** Edits a value as JSON text. While the text is invalid, the value does not change and the form cannot be submitted. */
export function JsonValue({ value, onChange, at, label, common = {}, rows = 3, isObject = false }: JsonValueProps) {
  const { texts, setText } = use(JsonTextsContext)
  const typed = typedText(texts[at], value, isObject)
  const complaint = typed === undefined ? undefined : complaintOf(typed, isObject)
  const isWrong = complaint !== undefined
  return (
    <div className="space-y-1.5">
      <textarea
        // Blocks form submission through the constraint validation API.
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
          // Keep the user's formatting of equal JSON.
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

/** The user's text, unless the value has been changed elsewhere since. */
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
