import { describe, expect, it } from 'vitest'
import { isUsableTool, withoutOddTools } from './tool-definitions.ts'

const good = {
  name: 'good',
  inputSchema: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
}
const withSchema = (inputSchema: unknown) => ({ name: 'odd', inputSchema })
const withProperty = (property: unknown) => withSchema({ type: 'object', properties: { a: property } })
const nested = (depth: number): object => (depth === 0 ? {} : { type: 'array', items: nested(depth - 1) })

const odd: Record<string, unknown> = {
  'no object': 'tool',
  null: null,
  'no name': { inputSchema: {} },
  'a name that providers refuse': { ...good, name: 'with spaces' },
  'a name that is no text': { ...good, name: 5 },
  'no inputSchema': { name: 'odd' },
  'a null inputSchema': withSchema(null),
  'a text as inputSchema': withSchema('object'),
  'a list as inputSchema': withSchema([]),
  'true as inputSchema': withSchema(true),
  'a schema of a string': withSchema({ type: 'string' }),
  'properties that are a list': withSchema({ type: 'object', properties: [] }),
  'properties that are null': withSchema({ type: 'object', properties: null }),
  'a property that is a text': withProperty('string'),
  'a property of an unknown type': withProperty({ type: 'text' }),
  'a required that is no list': withSchema({ type: 'object', required: 'query' }),
  'an enum that is no list': withProperty({ enum: 'a' }),
  'an anyOf that is no list': withProperty({ anyOf: { type: 'string' } }),
  'a reference that is no text': withProperty({ $ref: 5 }),
  'broken definitions': withSchema({ type: 'object', $defs: { a: 1 } }),
  'a schema without end': withProperty(nested(100)),
  'a description that is no text': { ...good, description: { text: 'x' } },
  'a title that is null': { ...good, title: null },
  'a hint that is no boolean': { ...good, annotations: { readOnlyHint: 'yes' } },
  'annotations that are a list': { ...good, annotations: [] },
}

describe('a tool', () => {
  it.each(Object.entries(odd))('with %s is not usable', (_, tool) => {
    expect(isUsableTool(tool)).toBe(false)
  })

  it.each([
    good,
    withSchema({}),
    withSchema({ type: 'object' }),
    withProperty(true),
    withProperty({ type: ['string', 'null'], enum: ['a', null] }),
    withProperty({ anyOf: [{ type: 'string' }, { $ref: '#/$defs/a' }] }),
    withProperty({ type: 'array', items: [{ type: 'string' }] }),
    withProperty(nested(20)),
    {
      ...good,
      title: 'T',
      description: 'D',
      annotations: { title: 'T', readOnlyHint: true },
      _meta: {},
      icons: 'whatever',
    },
  ])('%j is usable', (tool) => {
    expect(isUsableTool(tool)).toBe(true)
  })
})

describe('a list of tools', () => {
  const message = { jsonrpc: '2.0', id: 1, result: { tools: [good, ...Object.values(odd), good], nextCursor: 'n' } }
  const expected = { jsonrpc: '2.0', id: 1, result: { tools: [good], nextCursor: 'n' } }

  it('loses only the tools that cannot be used, as JSON and as an event stream', async () => {
    const left: string[] = []
    const json = await withoutOddTools(Response.json(message), (names) => left.push(...names))
    expect(await json.json()).toEqual(expected)
    expect(left).toHaveLength(Object.keys(odd).length + 1)
    const events = `: comment\n\nevent: message\nid: 7\ndata: ${JSON.stringify(message)}\n\n`
    const stream = await withoutOddTools(
      new Response(events, { headers: { 'content-type': 'text/event-stream' } }),
      () => undefined,
    )
    expect(await stream.text()).toBe(`: comment\n\nevent: message\nid: 7\ndata: ${JSON.stringify(expected)}\n\n`)
  })

  it.each(['not JSON', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}', '{"result":{"tools":5}}', '[]'])(
    'is left as it is when it is %s',
    async (text) => {
      const response = await withoutOddTools(new Response(text), () => undefined)
      expect(await response.text()).toBe(text)
    },
  )
})
