import { isSchema, type Schema } from './safe-schema.ts'

/** Unsent input of a tool's form. */
export interface FormDraft {
  readonly args: Schema
  /** Text of JSON fields that is not valid JSON yet, by JSON pointer. */
  readonly texts: Readonly<Record<string, string>>
}

/** A stored draft; undefined for anything else. */
export function parseFormDraft(stored: unknown): FormDraft | undefined {
  if (!isSchema(stored) || !isSchema(stored['args'])) return undefined
  const texts = Object.entries(isSchema(stored['texts']) ? stored['texts'] : {})
  return {
    args: stored['args'],
    texts: Object.fromEntries(texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
  }
}
