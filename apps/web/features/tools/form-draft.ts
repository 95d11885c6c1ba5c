import { isSchema, type Schema } from './safe-schema.ts'

/** What a user has put into a tool's form and not sent. */
export interface FormDraft {
  readonly args: Schema
  /** JSON fields whose text is no JSON yet, by the pointer of their value. */
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
