import { dereference, validate, type Schema as JsonSchema, type SchemaDraft } from '@cfworker/json-schema'
import type { Schema } from './safe-schema.ts'

/** What is wrong, by the JSON pointer (RFC 6901) of the value that it is about. */
export type Faults = ReadonlyMap<string, string>

/** References that one check follows. References to references can multiply without end. */
const MOST_REFERENCES = 2_000

/** These only say that something below is wrong. */
const OUTER = new Set(['properties', 'items', 'anyOf', 'oneOf', 'allOf', '$ref', 'additionalProperties', 'false'])

const lookups = new WeakMap<Schema, Record<string, JsonSchema | boolean>>()

/**
 * Checks a value against a part of `root`, which comes from `safeSchema`. The library interprets schemas instead of compiling them to code, which
 * our Content-Security-Policy forbids. A schema that cannot be understood, or costs too much, forbids nothing: the server checks as well.
 */
export function faultsOf(schema: Schema, root: Schema, value: unknown): Faults {
  const faults = new Map<string, string>()
  try {
    const { errors } = validate(value, schema as JsonSchema, draftOf(root), bounded(lookupOf(root)), false)
    for (const { keyword, instanceLocation, error } of errors)
      if (!OUTER.has(keyword)) faults.set(pointerOf(instanceLocation), sentence(keyword, error))
    if (errors.length > 0 && faults.size === 0) {
      const deepest = errors.toSorted((a, b) => b.instanceLocation.length - a.instanceLocation.length)[0]
      faults.set(pointerOf(deepest?.instanceLocation ?? '#'), sentence(deepest?.keyword ?? '', deepest?.error ?? ''))
    }
  } catch {
    faults.clear()
  }
  return faults
}

export const isValid = (schema: Schema, root: Schema, value: unknown): boolean =>
  faultsOf(schema, root, value).size === 0

/** A member's pointer, from that of the value that has it. */
export const pointerTo = (at: string, name: string | number): string =>
  `${at}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`

const pointerOf = (location: string): string => decodeURIComponent(location.slice(1))

function lookupOf(root: Schema): Record<string, JsonSchema | boolean> {
  const known = lookups.get(root)
  if (known) return known
  const lookup = dereference(root as JsonSchema) as Record<string, JsonSchema | boolean>
  lookups.set(root, lookup)
  return lookup
}

/** Ends a check that follows too many references. */
function bounded<T extends object>(lookup: T): T {
  let references = 0
  return new Proxy(lookup, {
    get(target, name) {
      references += 1
      if (references > MOST_REFERENCES) throw new Error('The schema costs too much to check.')
      return Reflect.get(target, name) as unknown
    },
  })
}

function draftOf({ $schema }: Schema): SchemaDraft {
  const named = typeof $schema === 'string' ? $schema : ''
  if (named.includes('draft-04')) return '4'
  if (named.includes('draft-06') || named.includes('draft-07')) return '7'
  return named.includes('2019-09') ? '2019-09' : '2020-12'
}

const sentences: readonly (readonly [RegExp, string])[] = [
  [/^Instance does not have required property "(.*)"\.$/s, '$1 is missing.'],
  [/^Instance type "null" is invalid\. Expected "(.*)"\.$/, 'Enter a value. Expected type: $1.'],
  [/^Instance type "(.*)" is invalid\. Expected "(.*)"\.$/, 'Expected type: $2, not $1.'],
  [/^String is too short \(0 < 1\)\.$/, 'Enter at least one character.'],
  [/^String is too short \((\d+) < (\d+)\)\.$/, 'Too short: $1 of at least $2 characters.'],
  [/^String is too long \((\d+) > (\d+)\)\.$/, 'Too long: $1 of at most $2 characters.'],
  [/^(.*) is less than (?:or equal to +)?(\S+)\.$/, 'Too small: $1 (limit $2).'],
  [/^(.*) is greater than (?:or equal to +)?(\S+)\.$/, 'Too large: $1 (limit $2).'],
  [/^Instance does not match any of (.*)\.$/s, 'Choose one of $1.'],
  [/^Instance does not match (.*)\.$/s, 'Must be $1.'],
]

function sentence(keyword: string, error: string): string {
  if (['anyOf', 'oneOf', 'allOf'].includes(keyword)) return 'Doesn’t match any form the tool accepts.'
  for (const [pattern, text] of sentences) if (pattern.test(error)) return error.replace(pattern, text).slice(0, 300)
  return error.slice(0, 300)
}
