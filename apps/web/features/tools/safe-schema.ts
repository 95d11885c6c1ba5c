/** JSON Schema as far as forms are made of it. What a server sends as a schema can be anything; see {@link safeSchema}. */
export type Schema = Readonly<Record<string, unknown>>

export const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Larger schemas have no form. The largest of Notion's has a few hundred nodes. */
const MOST_NODES = 3_000
const DEEPEST = 60

/** Keywords whose value is data. */
const DATA = new Set(['default', 'const', 'enum', 'examples', 'required', 'dependentRequired', 'type'])
/** Keywords whose value is schemas by name. */
const NAMED = new Set(['properties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'])
/** Evaluating a stranger's regular expression can take years, and so can the library's own for some formats. They become hints. */
const HINTS = new Map([
  ['pattern', 'x-pattern'],
  ['format', 'x-format'],
])
/** Keywords that would refuse what the server accepts, once a condition inside of them is left out. */
const EXACT = new Set(['not', 'if', 'then', 'else', 'maxContains', 'unevaluatedProperties', 'unevaluatedItems'])

/**
 * A copy that can be evaluated without hanging the page: bounded, without regular expressions, and accepting at least what the original
 * accepts. `pattern` and `format` stay as the hints `x-pattern` and `x-format`. Undefined when it is too large, or no schema.
 */
export function safeSchema(input: unknown): Schema | undefined {
  if (!isSchema(input) || !isSmall(input)) return undefined
  const { schema, isLoosened } = withoutPatterns(input)
  return isLoosened ? withoutExact(schema) : schema
}

function isSmall(input: unknown): boolean {
  let nodes = 0
  const fits = (value: unknown, depth: number): boolean => {
    nodes += 1
    if (nodes > MOST_NODES || depth > DEEPEST) return false
    return typeof value !== 'object' || value === null || Object.values(value).every((part) => fits(part, depth + 1))
  }
  return fits(input, 0)
}

function withoutPatterns(input: Schema): { schema: Schema; isLoosened: boolean } {
  let isLoosened = false
  const copy = (schema: unknown): unknown => (isSchema(schema) ? copyNode(schema) : schema)
  const copyNode = (node: Schema): Schema => {
    const members = Object.entries(node).flatMap(([keyword, value]): [string, unknown][] => {
      const hint = HINTS.get(keyword)
      if (hint === undefined && keyword !== 'patternProperties') return [[keyword, mapBelow(keyword, value, copy)]]
      isLoosened = true
      return hint !== undefined && typeof value === 'string' ? [[hint, value]] : []
    })
    const { additionalProperties, ...rest } = Object.fromEntries(members)
    // It is about names that match no pattern, and those are not known.
    return additionalProperties === undefined || 'patternProperties' in node ? rest : { ...rest, additionalProperties }
  }
  const schema = copyNode(input)
  return { schema, isLoosened }
}

function withoutExact(node: Schema): Schema {
  const weaken = (schema: unknown): unknown => (isSchema(schema) ? withoutExact(schema) : schema)
  const { oneOf, ...rest } = Object.fromEntries(
    Object.entries(node)
      .filter(([keyword]) => !EXACT.has(keyword))
      .map(([keyword, value]) => [keyword, mapBelow(keyword, value, weaken)]),
  )
  if (oneOf === undefined) return rest
  // Several may match now, where exactly one did.
  if (rest['anyOf'] === undefined) return { ...rest, anyOf: oneOf }
  const { allOf } = rest
  return { ...rest, allOf: [...(Array.isArray(allOf) ? (allOf as unknown[]) : []), { anyOf: oneOf }] }
}

/** A keyword's value with each schema in it replaced. */
function mapBelow(keyword: string, value: unknown, map: (schema: unknown) => unknown): unknown {
  if (DATA.has(keyword)) return value
  if (Array.isArray(value)) return value.map(map)
  if (!NAMED.has(keyword) || !isSchema(value)) return map(value)
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, map(schema)]))
}
