import { ValidationError } from './errors.ts'
import type { PropertyDefinition, PropertyType } from './workspace.ts'

/** The names of column types in DDL. */
const TYPES: Record<string, PropertyType> = {
  TITLE: 'title',
  RICH_TEXT: 'text',
  TEXT: 'text',
  NUMBER: 'number',
  SELECT: 'select',
  MULTI_SELECT: 'multi_select',
  STATUS: 'status',
  DATE: 'date',
  PEOPLE: 'person',
  PERSON: 'person',
  CHECKBOX: 'checkbox',
  URL: 'url',
  EMAIL: 'email',
  CREATED_TIME: 'created_time',
}

export type Column = { name: string; definition: PropertyDefinition }

export type Alteration =
  | { kind: 'add'; column: Column }
  | { kind: 'drop'; name: string }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'set'; column: Column }

/** Splits at `separator` outside quotes and parentheses. */
function split(text: string, separator: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  let quote = ''
  for (const character of text) {
    if (quote) quote = character === quote ? '' : quote
    else if (character === '"' || character === "'") quote = character
    else if (character === '(') depth++
    else if (character === ')') depth--
    if (character === separator && depth === 0 && !quote) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim()).filter(Boolean)
}

const NAME = String.raw`"((?:[^"]|"")+)"`

function unquote(name: string): string {
  return name.replaceAll('""', '"')
}

/** One column: `"Name" TYPE`, with the options of a select as `SELECT('Low':gray, 'High':red)`. */
function column(text: string): Column {
  const match = new RegExp(String.raw`^${NAME}\s+(\w+)\s*(?:\(([\s\S]*)\))?`, 'i').exec(text)
  const type = TYPES[match?.[2]?.toUpperCase() ?? '']
  if (!match?.[1] || !type) throw new ValidationError(`Cannot understand the column definition: ${text}`)
  const options = [...(match[3] ?? '').matchAll(/'((?:[^']|'')*)'/g)].map(([, option]) =>
    (option ?? '').replaceAll("''", "'"),
  )
  const takesOptions = type === 'select' || type === 'multi_select' || type === 'status'
  const defaults = type === 'status' ? ['Not started', 'In progress', 'Done'] : []
  return {
    name: unquote(match[1]),
    definition: { type, ...(takesOptions && { options: options.length > 0 ? options : defaults }) },
  }
}

/**
 * Parses the columns of a `CREATE TABLE (…)`.
 *
 * @throws {ValidationError} for invalid DDL, or without exactly one title.
 */
export function parseCreateTable(schema: string): Record<string, PropertyDefinition> {
  const inside = /^\s*CREATE\s+TABLE\s*(?:IF\s+NOT\s+EXISTS\s*)?(?:"[^"]*"\s*)?\(([\s\S]*)\)\s*;?\s*$/i.exec(
    schema,
  )?.[1]
  if (inside === undefined) throw new ValidationError('The schema has to be one CREATE TABLE (…) statement.')
  const columns = split(inside, ',').map(column)
  const titles = columns.filter(({ definition }) => definition.type === 'title').length
  if (titles !== 1) throw new ValidationError(`A database has exactly one TITLE column; this has ${titles}.`)
  return Object.fromEntries(columns.map(({ name, definition }) => [name, definition]))
}

/**
 * Parses the statements of `update-data-source`, separated by semicolons.
 *
 * @throws {ValidationError}
 */
export function parseAlterations(statements: string): Alteration[] {
  return split(statements, ';').map((statement): Alteration => {
    const matched = (pattern: string) => new RegExp(`^${pattern}$`, 'i').exec(statement)
    const add = matched(String.raw`ADD\s+COLUMN\s+([\s\S]+)`)
    if (add?.[1]) return { kind: 'add', column: column(add[1]) }
    const drop = matched(String.raw`DROP\s+COLUMN\s+${NAME}`)
    if (drop?.[1]) return { kind: 'drop', name: unquote(drop[1]) }
    const rename = matched(String.raw`RENAME\s+COLUMN\s+${NAME}\s+TO\s+${NAME}`)
    if (rename?.[1] && rename[2]) return { kind: 'rename', from: unquote(rename[1]), to: unquote(rename[2]) }
    const set = matched(String.raw`ALTER\s+COLUMN\s+${NAME}\s+SET\s+([\s\S]+)`)
    if (set?.[1] && set[2]) return { kind: 'set', column: column(`"${set[1]}" ${set[2]}`) }
    throw new ValidationError(`Cannot understand the statement: ${statement}`)
  })
}
