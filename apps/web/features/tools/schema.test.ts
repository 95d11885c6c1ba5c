import Ajv from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSchema, safeSchema, type Schema } from './safe-schema.ts'
import { faultsOf } from './schema-faults.ts'
import { fieldOf } from './schema.ts'
import { startOf } from './start-value.ts'

/** Another implementation of JSON Schema. */
const accepts = (schema: Schema, value: unknown): boolean => {
  const ajv = new Ajv({ strict: false, validateFormats: false, ownProperties: true })
  return ajv.compile(schema)(value)
}

const safe = (schema: Schema): Schema => {
  const copy = safeSchema(schema)
  if (!copy) throw new Error('The schema is too large.')
  return copy
}

const begin = (schema: Schema): unknown => startOf(safe(schema), safe(schema))
const kindOf = (schema: Schema) => fieldOf(safe(schema), safe(schema)).kind

const node: Schema = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 2 }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
  required: ['name', 'children'],
}
const chain: Schema = {
  type: 'object',
  properties: { next: { anyOf: [{ $ref: '#/$defs/chain' }, { type: 'null' }] } },
  required: ['next'],
}

/** One of each kind of schema that a tool may have for an argument. */
const family: Readonly<Record<string, Schema>> = {
  'free-form object': { type: 'object' },
  'object with free values': { type: 'object', additionalProperties: { type: 'number' } },
  'object with least members': { type: 'object', minProperties: 2, additionalProperties: { type: 'string' } },
  'free-form object with least members': { type: 'object', minProperties: 3 },
  'members that nothing declares': { type: 'object', required: ['a'], properties: { b: { type: 'string' } } },
  'members that come together': {
    type: 'object',
    properties: { a: { type: 'string', default: '' }, b: { type: 'number' } },
    dependentRequired: { a: ['b'] },
  },
  'least items': { type: 'array', minItems: 3, items: { type: 'integer', exclusiveMinimum: 5 } },
  'distinct items': { type: 'array', minItems: 3, uniqueItems: true, items: { type: 'string', minLength: 2 } },
  'distinct choices': { type: 'array', minItems: 2, uniqueItems: true, items: { enum: ['a', 'b', 'c'] } },
  'distinct objects': {
    type: 'array',
    minItems: 2,
    uniqueItems: true,
    items: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
  },
  tuple: { type: 'array', prefixItems: [{ type: 'string' }, { const: 7 }], items: false, minItems: 2 },
  'item that must be there': { type: 'array', contains: { const: 'x' }, minContains: 2 },
  'exclusive minimum': { type: 'number', exclusiveMinimum: 0 },
  'exclusive maximum': { type: 'number', exclusiveMaximum: 0 },
  'narrow range': { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.001 },
  'negative range': { type: 'integer', minimum: -9, maximum: -3 },
  multiple: { type: 'number', minimum: 0.15, multipleOf: 0.1 },
  'whole multiple': { type: 'integer', minimum: 1, multipleOf: 2.5 },
  'least length': { type: 'string', minLength: 12 },
  'exact length': { type: 'string', minLength: 3, maxLength: 3 },
  format: { type: 'string', format: 'date-time' },
  default: { type: 'string', minLength: 3, default: 'abc' },
  'default that is not valid': { type: 'integer', minimum: 3, default: 1 },
  'constant object': { const: { a: [1] } },
  'choice of several types': { enum: [null, 'null', { a: 1 }, 2] },
  nullable: { type: ['string', 'null'], minLength: 2 },
  'several types': { type: ['integer', 'array'], minimum: 4, minItems: 1 },
  'anyOf beside properties': {
    type: 'object',
    properties: { a: { type: 'string', minLength: 2 }, b: { type: 'number' } },
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  'oneOf beside properties': {
    type: 'object',
    properties: { kind: { type: 'string' }, both: { type: 'string', minLength: 2 } },
    required: ['kind', 'both'],
    oneOf: [
      { properties: { kind: { const: 'x' }, x: { type: 'number' } }, required: ['x'] },
      { properties: { kind: { const: 'y' } } },
    ],
  },
  'oneOf whose first form matches twice': { oneOf: [{ type: 'number' }, { type: 'integer' }, { type: 'string' }] },
  'both anyOf and oneOf': {
    anyOf: [{ minimum: 2 }, { minimum: 8 }],
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  'anyOf with limits beside': { type: 'string', maxLength: 4, anyOf: [{ minLength: 3 }, { const: 'ab' }] },
  allOf: {
    allOf: [
      { type: 'object', properties: { a: { type: 'integer', minimum: 3 } }, required: ['a'] },
      { properties: { a: { maximum: 3 } } },
    ],
  },
  recursion: { $ref: '#/$defs/node' },
  'recursion that ends in null': { $ref: '#/$defs/chain' },
  'reference with siblings': { $ref: '#/$defs/short', minLength: 2 },
  anything: {},
  'names that are members of every object': {
    type: 'object',
    properties: { constructor: { type: 'string' }, toString: { type: 'number' } },
    required: ['constructor'],
  },
}
const $defs = { node, chain, short: { type: 'string', maxLength: 3 } }
const argumentsWith = (schema: Schema): Schema => ({
  type: 'object',
  properties: { value: schema },
  required: ['value'],
  $defs,
})

describe.each(Object.entries(family))('a form for %s', (_, schema) => {
  it('begins valid, by this implementation and by another', () => {
    const whole = argumentsWith(schema)
    const value = begin(whole)
    expect([...faultsOf(safe(whole), safe(whole), value)]).toEqual([])
    expect([value, accepts(whole, value)]).toEqual([value, true])
  })
})

describe('a form', () => {
  it('keeps the properties beside alternatives', () => {
    const field = fieldOf(safe(argumentsWith(family['anyOf beside properties'] ?? {})), {})
    expect(field).toMatchObject({ kind: 'object' })
    const schema = safe({ ...family['anyOf beside properties'] })
    const union = fieldOf(schema, schema)
    expect(union.kind).toBe('union')
    for (const variant of union.kind === 'union' ? union.variants : []) {
      expect(fieldOf(variant, schema)).toMatchObject({ properties: [{ name: 'a' }, { name: 'b' }] })
    }
  })

  it('leaves a text that must not be empty to the person, and asks for it', () => {
    const schema = safe(argumentsWith({ type: 'string', minLength: 1 }))
    expect(begin(schema)).toEqual({ value: '' })
    expect([...faultsOf(schema, schema, begin(schema))]).toEqual([['/value', 'Enter at least one character.']])
  })

  it('writes what it cannot know as JSON', () => {
    for (const schema of [{ type: 'object' }, {}, { type: 'object', additionalProperties: true }, { type: 'thing' }])
      expect(kindOf(schema)).toBe('json')
    expect(kindOf({ enum: Array.from({ length: 1_000 }, (__, n) => n) })).toBe('json')
  })

  it('begins valid for generated schemas, which another implementation confirms', () => {
    fc.assert(
      fc.property(anySchema(3), (schema) => {
        const whole = argumentsWith(schema)
        expect(accepts(whole, begin(whole))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('can be filled with any valid value, and finds nothing wrong with it', () => {
    fc.assert(
      fc.property(anySchema(2), fc.jsonValue(), (schema, value) => {
        const whole = argumentsWith(schema)
        const filled = { value }
        const isAccepted = accepts(whole, filled)
        expect(faultsOf(safe(whole), safe(whole), filled).size === 0).toBe(isAccepted)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a schema that is meant to hang the page', () => {
  const doubling = (keyword: 'allOf' | 'anyOf') => ({
    $ref: '#/$defs/n0',
    $defs: Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [
        `n${n}`,
        n === 39 ? { type: 'string' } : { [keyword]: [{ $ref: `#/$defs/n${n + 1}` }, { $ref: `#/$defs/n${n + 1}` }] },
      ]),
    ),
  })
  const deep = (depth: number): Schema => (depth === 0 ? {} : { type: 'object', properties: { a: deep(depth - 1) } })
  const wide = { type: 'object', required: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] }
  const evil = '^(([a-z])+.)+[A-Z]([a-z])+$'
  const long = 'a'.repeat(50_000)

  const hostile: Readonly<Record<string, unknown>> = {
    pattern: { type: 'object', properties: { a: { type: 'string', pattern: evil, default: long } }, required: ['a'] },
    'pattern of names': {
      type: 'object',
      patternProperties: { [evil]: { type: 'number' } },
      additionalProperties: false,
      default: { [long]: 1 },
    },
    'pattern that is no regular expression': { type: 'string', pattern: '(' },
    'format of an address': { type: 'string', format: 'url', default: `http://${long}!` },
    'references that double (allOf)': doubling('allOf'),
    'references that double (anyOf)': doubling('anyOf'),
    'reference to itself': { $ref: '#' },
    'references in a circle': { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    'alternatives of itself': { anyOf: [{ $ref: '#' }, { $ref: '#' }] },
    'required members of itself': {
      ...wide,
      properties: Object.fromEntries(wide.required.map((name) => [name, { $ref: '#' }])),
    },
    'required members that multiply': {
      $ref: '#/$defs/n0',
      $defs: Object.fromEntries(
        Array.from({ length: 12 }, (_, n) => [
          `n${n}`,
          {
            ...wide,
            properties: Object.fromEntries(wide.required.map((name) => [name, { $ref: `#/$defs/n${n + 1}` }])),
          },
        ]),
      ),
    },
    'many least items': { type: 'array', minItems: 1e9, items: { type: 'array', minItems: 1e9, items: {} } },
    'many least members': { type: 'object', minProperties: 1e9, additionalProperties: { type: 'string' } },
    'long text': { type: 'string', minLength: 1e12 },
    'odd keywords': { type: 7, properties: [], required: 'a', enum: {}, allOf: {}, anyOf: 'x', items: 3, minimum: 'x' },
    'odd reference': { $ref: '#/%E0%A4%A' },
    'odd identifier': { $id: 'http://[', type: 'string' },
    'own prototype': JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}',
    ),
  }

  it.each(Object.entries(hostile))('does not, with %s', (_, schema) => {
    const startedAt = performance.now()
    const copy = safeSchema(schema)
    if (copy) {
      const value = startOf(copy, copy)
      faultsOf(copy, copy, value)
      faultsOf(copy, copy, { a: long })
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  it.each([
    deep(5_00),
    { type: 'object', properties: Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [n, {}])) },
  ])('has no form when it is too large (%#)', (schema) => expect(safeSchema(schema)).toBeUndefined())

  it('forbids nothing that depends on a pattern', () => {
    const a = { type: 'string', pattern: '^a$' }
    const cases: readonly [Schema, unknown][] = [
      [a, 'a'],
      [{ not: a }, 'b'],
      [{ oneOf: [a, { type: 'string', pattern: '^b$' }] }, 'a'],
      [JSON.parse('{"if":{"pattern":"^a$"},"then":{"const":"a"},"else":{"const":"b"}}') as Schema, 'b'],
      [{ type: 'object', patternProperties: { '^x': {} }, additionalProperties: false }, { x1: 1 }],
      [{ type: 'object', properties: { pattern: { type: 'string' } }, required: ['pattern'] }, { pattern: '^' }],
      [{ type: 'array', contains: a, maxContains: 1 }, ['a', 'b']],
      [{ allOf: [{ patternProperties: { '^x': {} } }], unevaluatedProperties: false }, { x1: 1 }],
    ]
    for (const [schema, value] of cases) {
      expect(accepts(schema, value)).toBe(true)
      expect([...faultsOf(safe(schema), safe(schema), value)]).toEqual([])
    }
  })
})

/** Schemas that some value satisfies. */
function anySchema(depth: number): fc.Arbitrary<Schema> {
  const leaf: fc.Arbitrary<Schema> = fc.oneof(
    fc.constant({}),
    fc.constant({ type: 'boolean' }),
    fc.constant({ type: 'null' }),
    fc.record({ type: fc.constant('string'), minLength: fc.constantFrom(0, 2, 3, 20) }),
    fc.record({
      enum: fc.uniqueArray(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 4, selector: JSON.stringify }),
    }),
    fc.record({ const: fc.jsonValue({ maxDepth: 2 }) }),
    fc
      .tuple(fc.constantFrom('integer', 'number'), fc.integer({ min: -50, max: 50 }), fc.integer({ min: 2, max: 50 }))
      .chain(([type, from, size]) =>
        fc.constantFrom<Schema>(
          { type, minimum: from },
          { type, exclusiveMinimum: from },
          { type, maximum: from },
          { type, exclusiveMaximum: from },
          { type, exclusiveMinimum: from, exclusiveMaximum: from + size },
          { type, minimum: from, multipleOf: size },
        ),
      ),
  )
  if (depth === 0) return leaf
  const below = anySchema(depth - 1)
  const names = fc.constantFrom('a', 'b/c', 'd~e', 'constructor', 'ü')
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    fc.record({ type: fc.constant('array'), items: below, minItems: fc.nat(3) }),
    fc
      .uniqueArray(fc.tuple(names, below, fc.boolean()), { selector: ([name]) => name, maxLength: 4 })
      .map((members): Schema => ({
        type: 'object',
        properties: Object.fromEntries(members.map(([name, schema]) => [name, schema])),
        required: members.flatMap(([name, , isRequired]) => (isRequired ? [name] : [])),
        additionalProperties: false,
      })),
    fc.record({ anyOf: fc.array(below, { minLength: 1, maxLength: 3 }) }),
    fc.tuple(below, fc.string()).map(([schema, description]) => ({ allOf: [schema, { description }] })),
  )
}

it('knows schemas from other values', () => {
  expect([{}, [], null, 'x'].map(isSchema)).toEqual([true, false, false, false])
})
