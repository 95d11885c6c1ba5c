/** JSON Schema 2020-12, as far as forms are made of it. What a server sends as a schema can be anything. */
export type Schema = Readonly<Record<string, unknown>>

export const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a form shows for a schema. */
export type Field =
  | { readonly kind: 'object'; readonly properties: readonly Property[]; readonly rest: Schema | undefined }
  | { readonly kind: 'array'; readonly items: Schema }
  | { readonly kind: 'choice'; readonly values: readonly unknown[] }
  | { readonly kind: 'union'; readonly variants: readonly Schema[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number'; readonly isInteger: boolean; readonly minimum?: number; readonly maximum?: number }
  | { readonly kind: 'text' }
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'json' }

export interface Property {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
}

/** Follows `$ref` within the document, and merges `allOf`. A circle of references ends as it is. */
export function resolved(schema: Schema, root: Schema, depth = 0): Schema {
  if (depth > 20) return {}
  const { $ref, allOf, ...own } = schema
  let result: Schema = own
  if (typeof $ref === 'string') {
    const target = pointed(root, $ref)
    if (target) result = { ...resolved(target, root, depth + 1), ...own }
  }
  if (!Array.isArray(allOf)) return result
  return allOf.filter(isSchema).reduce<Schema>((merged, part) => {
    const next = resolved(part, root, depth + 1)
    return {
      ...next,
      ...merged,
      properties: { ...record(next['properties']), ...record(merged['properties']) },
      required: [...list(next['required']), ...list(merged['required'])],
    }
  }, result)
}

function pointed(root: Schema, reference: string): Schema | undefined {
  if (!reference.startsWith('#')) return undefined
  const steps = reference.slice(1).split('/').filter(Boolean)
  const names = steps.map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
  let found: unknown = root
  for (const name of names) found = isSchema(found) && Object.hasOwn(found, name) ? found[name] : undefined
  return isSchema(found) ? found : undefined
}

const record = (value: unknown): Schema => (isSchema(value) ? value : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

export function fieldOf(unresolved: Schema, root: Schema): Field {
  const schema = resolved(unresolved, root)
  if ('const' in schema) return { kind: 'constant', value: schema['const'] }
  if (Array.isArray(schema['enum'])) return { kind: 'choice', values: list(schema['enum']) }
  const variants = [...list(schema['anyOf']), ...list(schema['oneOf']), ...typeVariants(schema)].filter(isSchema)
  if (variants.length > 1) return { kind: 'union', variants }
  if (variants[0]) return fieldOf(variants[0], root)
  switch (schema['type'] ?? (isSchema(schema['properties']) ? 'object' : undefined)) {
    case 'object': {
      const required = list(schema['required'])
      const properties = Object.entries(record(schema['properties'])).map(([name, property]) => ({
        name,
        schema: record(property),
        isRequired: required.includes(name),
      }))
      const rest = schema['additionalProperties']
      return { kind: 'object', properties, rest: isSchema(rest) ? rest : undefined }
    }
    case 'array':
      return { kind: 'array', items: record(schema['items']) }
    case 'boolean':
      return { kind: 'boolean' }
    case 'integer':
    case 'number': {
      const minimum = number(schema['minimum'])
      const maximum = number(schema['maximum'])
      return {
        kind: 'number',
        isInteger: schema['type'] === 'integer',
        ...(minimum === undefined ? {} : { minimum }),
        ...(maximum === undefined ? {} : { maximum }),
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

/** `"type": ["string", "null"]` is a union, too. */
const typeVariants = ({ type, ...rest }: Schema): readonly unknown[] =>
  Array.isArray(type) ? type.map((one: unknown) => ({ ...rest, type: one })) : []

/** What a field begins with: its default, else nothing but what it must have. */
export function startOf(unresolved: Schema, root: Schema, depth = 0): unknown {
  const schema = resolved(unresolved, root)
  if ('default' in schema) return schema['default']
  const field = fieldOf(schema, root)
  switch (field.kind) {
    case 'object':
      if (depth > 8) return {}
      return Object.fromEntries(
        field.properties
          .filter((property) => property.isRequired || 'default' in resolved(property.schema, root))
          .map((property) => [property.name, startOf(property.schema, root, depth + 1)]),
      )
    case 'array': {
      const isFilled = (number(schema['minItems']) ?? 0) > 0 && depth <= 8
      return isFilled ? [startOf(field.items, root, depth + 1)] : []
    }
    case 'choice':
      return field.values[0]
    case 'union':
      return startOf(field.variants[0] ?? {}, root, depth + 1)
    case 'boolean':
      return false
    case 'number':
      return field.minimum ?? 0
    case 'text':
      return ''
    case 'constant':
      return field.value
    case 'json':
      return null
  }
}

/** A name for one of several forms of a value. */
export function variantName(unresolved: Schema, root: Schema, index: number): string {
  const schema = resolved(unresolved, root)
  if (typeof schema['title'] === 'string') return schema['title']
  const field = fieldOf(schema, root)
  switch (field.kind) {
    case 'object': {
      const constants = field.properties.flatMap(({ schema: property }) => {
        const one = resolved(property, root)
        return typeof one['const'] === 'string' ? [one['const']] : []
      })
      return (
        constants.join(', ') ||
        field.properties
          .map(({ name }) => name)
          .slice(0, 2)
          .join(', ') ||
        `Form ${index + 1}`
      )
    }
    case 'constant':
      return JSON.stringify(field.value)
    case 'choice':
      return field.values.map(String).join(' or ')
    default:
      return field.kind
  }
}
