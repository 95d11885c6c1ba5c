import { isValid } from './schema-faults.ts'
import { isSchema, type Schema } from './safe-schema.ts'
import { fieldOf, finite, isSame, list, record, resolved, type Field } from './schema.ts'

/** Values that one form begins with at most: required members can multiply without end. */
const MOST_VALUES = 500
/** Items that a list begins with at most, whatever `minItems` says. */
const MOST_ITEMS = 100

/**
 * What a value of this schema begins with: its default, else as little as is valid. A text that must only not be empty begins empty: nobody can
 * guess it. One that must be longer begins with an example.
 */
export const startOf = (schema: Schema, root: Schema): unknown =>
  start(schema, { root, ancestors: new Set(), budget: { left: MOST_VALUES } })

interface Context {
  readonly root: Schema
  /** Schemas that the value is inside of: what contains itself again has to end somewhere. */
  readonly ancestors: ReadonlySet<Schema>
  readonly budget: { left: number }
}

function start(unresolved: Schema, context: Context): unknown {
  const { root, ancestors, budget } = context
  const schema = resolved(unresolved, root)
  const field = fieldOf(schema, root)
  budget.left -= 1
  if ('default' in schema && isValid(schema, root, schema['default'])) return schema['default']
  if (budget.left < 0 || ancestors.has(schema)) return emptyOf(field, schema, root)
  const inside = { ...context, ancestors: new Set([...ancestors, schema]) }
  switch (field.kind) {
    case 'object':
      return startObject(schema, field, inside)
    case 'array':
      return startArray(schema, field, inside)
    case 'choice':
      return field.values.find((value) => isValid(schema, root, value)) ?? field.values[0]
    case 'union':
      return startUnion(schema, field.variants, inside)
    case 'number':
      return startNumber(schema, root, field.isInteger)
    case 'text':
      return startText(schema)
    case 'boolean':
    case 'constant':
    case 'json':
      return emptyOf(field, schema, root)
  }
}

function emptyOf(field: Field, schema: Schema, root: Schema): unknown {
  switch (field.kind) {
    case 'object':
      return {}
    case 'array':
      return []
    case 'constant':
      return field.value
    case 'choice':
      return field.values[0]
    case 'number':
      return startNumber(schema, root, field.isInteger)
    case 'text':
      return startText(schema)
    case 'boolean':
      return false
    case 'json':
      return startJson(schema)
    case 'union':
      return null
  }
}

function startJson(schema: Schema): unknown {
  const [first] = list(schema['enum'])
  if (schema['type'] !== 'object') return first ?? null
  const least = Math.min(finite(schema['minProperties']) ?? 0, MOST_ITEMS)
  return first ?? Object.fromEntries(Array.from({ length: least }, (_, index) => [`key${index + 1}`, null]))
}

function startObject(
  schema: Schema,
  { properties, rest }: Extract<Field, { kind: 'object' }>,
  context: Context,
): Schema {
  const least = finite(schema['minProperties']) ?? 0
  const members = new Map<string, unknown>()
  const add = (name: string, property: Schema) => {
    if (!members.has(name)) members.set(name, start(property, context))
  }
  for (const { name, schema: property, isRequired } of properties)
    if (isRequired || 'default' in resolved(property, context.root)) add(name, property)
  for (const { name, schema: property } of properties) if (members.size < least) add(name, property)
  for (let index = 1; members.size < Math.min(least, MOST_ITEMS); index++) add(`key${index}`, rest ?? {})
  for (const [name, needed] of Object.entries(record(schema['dependentRequired'])))
    for (const other of members.has(name) ? list(needed) : [])
      add(String(other), properties.find((property) => property.name === other)?.schema ?? rest ?? {})
  return Object.fromEntries(members)
}

function startArray(schema: Schema, { prefix, items }: Extract<Field, { kind: 'array' }>, context: Context): unknown[] {
  const least = Math.min(finite(schema['minItems']) ?? 0, MOST_ITEMS)
  const contained = schema['contains']
  const matches = isSchema(contained) ? Math.min(finite(schema['minContains']) ?? 1, MOST_ITEMS) : 0
  const values: unknown[] = []
  const isUnique = schema['uniqueItems'] === true
  const add = (item: Schema) => {
    const value = start(item, context)
    values.push(isUnique ? distinct(value, item, values, context.root) : value)
  }
  // A tuple is filled as far as it goes, unless nothing asks for it.
  for (const item of prefix.slice(0, Math.max(least, matches === 0 ? 0 : prefix.length))) add(item)
  for (let index = 0; index < matches; index++) add(record(contained))
  while (values.length < least) add(items ?? {})
  return values
}

/** A value like this one that is not in the list yet, where one is found. */
function distinct(value: unknown, unresolved: Schema, others: readonly unknown[], root: Schema): unknown {
  const schema = resolved(unresolved, root)
  const isNew = (candidate: unknown) => !others.some((other) => isSame(candidate, other))
  if (isNew(value)) return value
  const candidates = candidatesFor(value, schema, root, others.length)
  return candidates.find((candidate) => isNew(candidate) && isValid(schema, root, candidate)) ?? value
}

function candidatesFor(value: unknown, schema: Schema, root: Schema, count: number): readonly unknown[] {
  const field = fieldOf(schema, root)
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  const step = finite(schema['multipleOf']) ?? 1
  if (field.kind === 'choice') return field.values
  if (field.kind === 'union') return field.variants.map((variant) => startOf(variant, root))
  if (typeof value === 'boolean') return [true]
  if (typeof value === 'number') return numbers.flatMap((n) => [value + n * step, value - n * step, value + n / 1_000])
  if (typeof value === 'string') return numbers.flatMap((n) => [`${value}${n}`, `${n}${value.slice(String(n).length)}`])
  return numbers.flatMap((n) => changed(value, n))
}

/** An object or list with one of its texts or numbers changed. */
function changed(value: unknown, n: number): unknown[] {
  if (!isSchema(value)) return [n, `example${n}`]
  return Object.entries(value).flatMap(([name, member]) => {
    if (typeof member === 'string') return [{ ...value, [name]: `${member}${n}` }]
    return typeof member === 'number' ? [{ ...value, [name]: member + n }] : []
  })
}

/** The first form whose beginning is valid; forms that the value is inside of already come last. */
function startUnion(schema: Schema, variants: readonly Schema[], context: Context): unknown {
  const { root, ancestors } = context
  const isInside = (variant: Schema) => ancestors.has(resolved(variant, root))
  const ordered = [...variants.filter((variant) => !isInside(variant)), ...variants.filter(isInside)]
  let first: { value: unknown } | undefined
  for (const variant of ordered) {
    const value = start(variant, context)
    if (isValid(schema, root, value)) return value
    first ??= { value }
  }
  return first?.value ?? null
}

/** Zero, or the nearest to it that is within the limits. */
function startNumber(schema: Schema, root: Schema, isInteger: boolean): number {
  const multiple = finite(schema['multipleOf'])
  const step = multiple !== undefined && multiple > 0 ? multiple : undefined
  const limits = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'].flatMap(
    (keyword) => finite(schema[keyword]) ?? [],
  )
  const between = limits.length >= 2 ? (Math.min(...limits) + Math.max(...limits)) / 2 : 0
  const grid = [step ?? 1, ...(isInteger && step !== undefined ? [step * 2, step * 5, step * 10] : [])]
  const near = [...limits, between].flatMap((limit) => [
    limit,
    ...grid.flatMap((unit) => [-1, 0, 1].flatMap((n) => tidy((Math.round(limit / unit) + n) * unit))),
    limit + 1,
    limit - 1,
  ])
  const isType = (value: number) => (isInteger ? Number.isInteger(value) : Number.isFinite(value))
  const limited = numeric(schema)
  return [0, ...near].find((value) => isType(value) && isValid(limited, root, value)) ?? 0
}

const NUMERIC = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum', 'multipleOf'] as const

const numeric = (schema: Schema): Schema =>
  Object.fromEntries(NUMERIC.flatMap((keyword) => (keyword in schema ? [[keyword, schema[keyword]]] : [])))

/** 0.1 + 0.2 is meant to be 0.3. */
const tidy = (value: number): number => Number(value.toPrecision(12))

const examples: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  time: '12:00:00Z',
  duration: 'P1D',
  email: 'name@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/example',
  uuid: '00000000-0000-4000-8000-000000000000',
}

/** Text that a form puts where empty text would be invalid; it is selected when the field gets the focus. */
const EXAMPLE = 'example'

function startText(schema: Schema): string {
  const least = finite(schema['minLength']) ?? 0
  const most = finite(schema['maxLength']) ?? Infinity
  const fits = (text: string) => text.length >= least && text.length <= most
  const format = schema['x-format']
  const known = typeof format === 'string' && Object.hasOwn(examples, format) ? examples[format] : undefined
  if (known !== undefined && fits(known)) return known
  if (least <= 0 && schema['x-pattern'] === undefined) return ''
  const given = list(schema['examples']).find((text) => typeof text === 'string' && fits(text))
  if (typeof given === 'string') return given
  if (least <= 1) return ''
  const length = Math.min(Math.max(least, EXAMPLE.length), most, 10_000)
  return EXAMPLE.repeat(Math.ceil(length / EXAMPLE.length)).slice(0, length)
}

/** Whether the text is what the form itself put there. */
export const isExample = (schema: Schema, text: string): boolean => text !== '' && text === startText(schema)
