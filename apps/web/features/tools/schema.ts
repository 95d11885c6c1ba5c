import { isSchema, type Schema } from './safe-schema.ts'

/** What a form shows for a schema. */
export type Field =
  | { readonly kind: 'object'; readonly properties: readonly Property[]; readonly rest: Schema | undefined }
  | { readonly kind: 'array'; readonly prefix: readonly Schema[]; readonly items: Schema | undefined }
  | { readonly kind: 'choice'; readonly values: readonly unknown[] }
  | { readonly kind: 'union'; readonly variants: readonly Schema[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number'; readonly isInteger: boolean; readonly minimum?: number; readonly maximum?: number }
  | { readonly kind: 'text' }
  | { readonly kind: 'constant'; readonly value: unknown }
  /** Anything, or an object of which nothing more is known: written as JSON. */
  | { readonly kind: 'json' }

export interface Property {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
}

/** More choices or forms than this are no help; the value is written as JSON. */
const MOST_CHOICES = 200

export const record = (value: unknown): Schema => (isSchema(value) ? value : {})
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])
export const finite = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined

/** A boolean schema, or something that is none, as a schema: `false` is undefined. */
const schemaOf = (value: unknown): Schema | undefined => (value === false ? undefined : record(value))

const resolutions = new WeakMap<Schema, Schema>()

/** Follows `$ref` within `root`, and merges `allOf`. A circle of references ends as it is. */
export function resolved(schema: Schema, root: Schema): Schema {
  const known = resolutions.get(schema)
  if (known) return known
  const { $ref, allOf, ...own } = schema
  // While it is resolved: whoever comes back here has gone in a circle.
  resolutions.set(schema, own)
  const parts = [...(typeof $ref === 'string' ? [pointed(root, $ref)] : []), ...list(allOf)].filter(isSchema)
  const merged = parts.reduce<Schema>((both, part) => intersection(both, resolved(part, root)), own)
  const result = withOnlyVariant(merged, root)
  resolutions.set(schema, result)
  return result
}

/** A choice of one form is this form. */
function withOnlyVariant(schema: Schema, root: Schema): Schema {
  const [only, another] = variantsOf(schema)
  if (!only || another) return schema
  const about = Object.entries(schema).filter(([keyword]) => ABOUT.has(keyword))
  return { ...Object.fromEntries(about), ...resolved(only, root) }
}

function pointed(root: Schema, reference: string): Schema | undefined {
  if (!reference.startsWith('#')) return undefined
  let found: unknown = root
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const name = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? (found as Schema)[name] : undefined
  }
  return isSchema(found) ? found : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What a value has to be to match both, as far as a form needs to know it. What is said of `first` wins where there is no common form. */
function intersection(first: Schema, second: Schema): Schema {
  const both = { ...second, ...first }
  const members = Object.entries(both).map(([keyword, value]): [string, unknown] => [
    keyword,
    keyword in first && keyword in second ? combined(keyword, first[keyword], second[keyword]) : value,
  ])
  const result = Object.fromEntries(members)
  // The alternatives of the second take the place of the other keyword where that is free.
  if ('anyOf' in first && 'anyOf' in second && !('oneOf' in both)) return { ...result, oneOf: second['anyOf'] }
  if ('oneOf' in first && 'oneOf' in second && !('anyOf' in both)) return { ...result, anyOf: second['oneOf'] }
  return result
}

function combined(keyword: string, first: unknown, second: unknown): unknown {
  switch (keyword) {
    case 'properties': {
      const [ours, theirs] = [record(first), record(second)]
      const names = Object.keys({ ...ours, ...theirs })
      const common = (name: string) => Object.hasOwn(ours, name) && Object.hasOwn(theirs, name)
      const of = (name: string) => (Object.hasOwn(ours, name) ? ours[name] : theirs[name])
      return Object.fromEntries(
        names.map((name) => [name, common(name) ? { allOf: [ours[name], theirs[name]] } : of(name)]),
      )
    }
    case 'required':
      return [...new Set([...list(first), ...list(second)])]
    case 'enum':
      return list(first).filter((value) => list(second).some((other) => isSame(value, other)))
    case 'type':
      return commonType(first, second)
    case 'minimum':
    case 'exclusiveMinimum':
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return Math.max(finite(first) ?? -Infinity, finite(second) ?? -Infinity)
    case 'maximum':
    case 'exclusiveMaximum':
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return Math.min(finite(first) ?? Infinity, finite(second) ?? Infinity)
    default:
      return first
  }
}

function commonType(first: unknown, second: unknown): unknown {
  const types = (value: unknown) => (Array.isArray(value) ? list(value) : [value])
  const [ours, theirs] = [types(first), types(second)]
  const common = ours.filter((type) => theirs.includes(type))
  const isWhole =
    (ours.includes('integer') && theirs.includes('number')) || (ours.includes('number') && theirs.includes('integer'))
  const all = isWhole && !common.includes('integer') && !common.includes('number') ? [...common, 'integer'] : common
  if (all.length === 0) return first
  return all.length === 1 ? all[0] : all
}

/** Whether two JSON values are equal. */
export function isSame(first: unknown, second: unknown): boolean {
  if (Object.is(first, second) || (first === 0 && second === 0)) return true
  if (typeof first !== 'object' || typeof second !== 'object' || first === null || second === null) return false
  if (Array.isArray(first) !== Array.isArray(second)) return false
  const [ours, theirs] = [Object.entries(first), new Map(Object.entries(second))]
  return (
    ours.length === theirs.size && ours.every(([name, value]) => theirs.has(name) && isSame(value, theirs.get(name)))
  )
}

const fields = new WeakMap<Schema, Field>()

/** How a form shows values of this schema. */
export function fieldOf(unresolved: Schema, root: Schema): Field {
  const schema = resolved(unresolved, root)
  const known = fields.get(schema)
  if (known) return known
  // Until it is known: what contains itself directly has no form.
  fields.set(schema, { kind: 'json' })
  const field = newField(schema)
  fields.set(schema, field)
  return field
}

function newField(schema: Schema): Field {
  if ('const' in schema) return { kind: 'constant', value: schema['const'] }
  if (Array.isArray(schema['enum'])) return choiceOf(list(schema['enum']))
  const variants = variantsOf(schema)
  if (variants.length > MOST_CHOICES) return { kind: 'json' }
  if (variants.length > 1) return { kind: 'union', variants }
  switch (schema['type'] ?? (isSchema(schema['properties']) || schema['required'] ? 'object' : undefined)) {
    case 'object':
      return objectField(schema)
    case 'array':
      return arrayField(schema)
    case 'boolean':
      return { kind: 'boolean' }
    case 'integer':
    case 'number': {
      const minimum = finite(schema['minimum']) ?? finite(schema['exclusiveMinimum'])
      const maximum = finite(schema['maximum']) ?? finite(schema['exclusiveMaximum'])
      return {
        kind: 'number',
        isInteger: schema['type'] === 'integer',
        ...(minimum !== undefined && { minimum }),
        ...(maximum !== undefined && { maximum }),
      }
    }
    case 'string':
      return { kind: 'text' }
    case 'null':
      return { kind: 'constant', value: null }
    default:
      return { kind: 'json' }
  }
}

const choiceOf = (values: readonly unknown[]): Field => {
  if (values.length > MOST_CHOICES || values.length === 0) return { kind: 'json' }
  return values.length === 1 ? { kind: 'constant', value: values[0] } : { kind: 'choice', values }
}

/** The forms that a value may have: `oneOf`, `anyOf`, or `"type": ["string", "null"]`, each with what holds beside them. */
function variantsOf(schema: Schema): readonly Schema[] {
  const keyword = ['oneOf', 'anyOf'].find((name) => Array.isArray(schema[name]))
  if (keyword === undefined) {
    const { type, ...rest } = schema
    return Array.isArray(type) ? type.map((one: unknown) => ({ ...rest, type: one })) : []
  }
  const { [keyword]: alternatives, ...beside } = schema
  const base = Object.fromEntries(Object.entries(beside).filter(([name]) => !ABOUT.has(name)))
  const variants = list(alternatives).map(schemaOf).filter(isSchema)
  return Object.keys(base).length === 0 ? variants : variants.map((variant) => ({ allOf: [variant, base] }))
}

/** Keywords that say nothing about which values are valid. */
const ABOUT = new Set(
  ['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly'].concat([
    '$schema',
    '$id',
    '$anchor',
    '$comment',
    '$defs',
    'definitions',
  ]),
)

function objectField(schema: Schema): Field {
  const required = list(schema['required']).filter((name) => typeof name === 'string')
  const known = record(schema['properties'])
  const additional = schemaOf(schema['additionalProperties'])
  const undeclared = required.filter((name) => !Object.hasOwn(known, name))
  const properties = [...Object.keys(known), ...undeclared].flatMap((name): Property[] => {
    const property = Object.hasOwn(known, name) ? schemaOf(known[name]) : additional
    return property ? [{ name, schema: property, isRequired: required.includes(name) }] : []
  })
  const isFree = properties.length === 0 && additional !== undefined && Object.keys(additional).length === 0
  if (isFree) return { kind: 'json' }
  return { kind: 'object', properties, rest: 'additionalProperties' in schema ? additional : undefined }
}

function arrayField(schema: Schema): Field {
  const { items, prefixItems, additionalItems } = schema
  // Before 2020-12, a tuple was written as a list of `items`.
  const isOld = Array.isArray(items)
  const prefix = list(isOld ? items : prefixItems).map((item) => record(item))
  return { kind: 'array', prefix, items: schemaOf(isOld ? additionalItems : items) }
}

/** A name for one of several forms of a value. */
export function variantName(variant: Schema, root: Schema, index: number): string {
  const schema = resolved(variant, root)
  if (typeof schema['title'] === 'string') return schema['title']
  const field = fieldOf(schema, root)
  switch (field.kind) {
    case 'object': {
      const constants = field.properties.flatMap(({ schema: property }) => {
        const one = fieldOf(property, root)
        return one.kind === 'constant' && typeof one.value === 'string' ? [one.value] : []
      })
      const required = field.properties.filter(({ isRequired }) => isRequired)
      const named = (required.length > 0 ? required : field.properties).map(({ name }) => name).slice(0, 3)
      return constants.join(', ') || named.join(', ') || `Form ${index + 1}`
    }
    case 'constant':
      return JSON.stringify(field.value)
    case 'choice':
      return field.values.map(String).join(' or ').slice(0, 60)
    case 'array':
      return 'list'
    case 'json':
      return schema['type'] === 'object' ? 'object' : 'JSON'
    case 'union':
      return `Form ${index + 1}`
    case 'number':
    case 'boolean':
    case 'text':
      return field.kind
  }
}

/** What a user has to know of a value that no check of this page enforces, or none explains. */
export function hintsOf(schema: Schema): string[] {
  const [least, most] = [finite(schema['minLength']), finite(schema['maxLength'])]
  const pattern = schema['x-pattern']
  const format = schema['x-format']
  return [
    ...(typeof format === 'string' ? [`Format: ${format.slice(0, 100)}.`] : []),
    ...(typeof pattern === 'string' ? [`Pattern: ${pattern.slice(0, 300)}`] : []),
    ...(least !== undefined && least > 1 ? [`At least ${least} characters.`] : []),
    ...(most === undefined ? [] : [`At most ${most} characters.`]),
  ]
}
