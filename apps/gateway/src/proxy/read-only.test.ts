import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readVerdict } from './read-only.ts'

const isReading = (name: string) => name === 'get'
const verdict = (body: string, ...headers: string[]) => readVerdict(Buffer.from(body), headers, isReading)

describe('what a reader asks', () => {
  it('is judged as JSON.parse would read it, for any body, or refused', () => {
    const name = fc.constantFrom('get', 'put', 'g\\u0065t', 'GET')
    const method = fc.constantFrom('tools/call', 'tools/list', 'tools\\/call', 'pages/delete', 'notifications/progress')
    const members = fc.array(
      fc.oneof(
        method.map((text) => `"method":"${text}"`),
        name.map((text) => `"params":{"name":"${text}"}`),
        name.map((text) => `"params":{"arguments":{"name":"${text}","method":"x"},"name" : "${text}"}`),
        fc.jsonValue().map((value) => `"other":${JSON.stringify(value)}`),
        fc.constant('"params":null'),
        fc.constant('"params":["name","get"]'),
      ),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(members, (parts) => {
        const body = `{${parts.join(' , ')}}`
        const read = JSON.parse(body) as { method?: string; params?: { name?: string } | null }
        const asked = verdict(body)
        const isWrite =
          read.method === 'pages/delete' || (read.method === 'tools/call' && !isReading(String(read.params?.name)))
        if (isWrite) expect(asked.isAllowed).toBe(false)
        const isAmbiguous = ['"method"', '"params"'].some(
          (member) => parts.filter((part) => part.startsWith(member)).length > 1,
        )
        if (!isWrite && !isAmbiguous) {
          expect(asked).toEqual({ isAllowed: true, listsTools: read.method === 'tools/list' })
        }
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    'notifications/../tools/call',
    'notifications/',
    'notifications/x',
    'notifications/initialized ',
    'Notifications/initialized',
    'notifications/message',
    'skills/delete',
    'skills/lists',
    'resources/directory/write',
    'resources/read/../../tools/call',
    'tasks/cancel',
    'tasks/update',
    'ui/message',
    'tools',
    '',
    '__proto__',
  ])('is refused as a method for %j, with and without an id', (method) => {
    const refused = { isAllowed: false, refused: 'writing', kind: 'method', what: method }
    expect(verdict(JSON.stringify({ method }))).toEqual(refused)
    expect(verdict(JSON.stringify({ id: 1, method, params: { name: 'get' } }))).toEqual(refused)
    expect(verdict('{"method":"ping"}', 'Mcp-Method', method)).toEqual(refused)
  })

  it.each([
    'notifications/initialized',
    'notifications/cancelled',
    'notifications/progress',
    'notifications/roots/list_changed',
    'skills/list',
    'skills/get',
    'resources/directory/read',
    'tasks/get',
    'tasks/list',
    'tasks/result',
  ])('may be %s', (method) => {
    expect(verdict(JSON.stringify({ id: 1, method }))).toEqual({ isAllowed: true, listsTools: false })
  })

  it('is refused as a tool when it calls one', () => {
    expect(verdict('{"method":"tools/call","params":{"name":"put"}}')).toMatchObject({ kind: 'tool', what: 'put' })
    expect(verdict('{"method":"tools/call"}')).toMatchObject({ kind: 'tool', what: '' })
  })

  it.each(['7', '"text"', 'null', '[]', '{}', '[1,"a"]'])('is nothing in %s', (body) => {
    expect(verdict(body)).toEqual({ isAllowed: true, listsTools: false })
  })

  it('is read at any depth of what it carries along', () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000)
    expect(verdict(`{"params":{"arguments":${deep},"name":"get"},"method":"tools/call"}`).isAllowed).toBe(true)
  })

  it.each([
    ['the method of the header', ['Mcp-Method', 'pages/delete']],
    ['one of several methods in headers', ['mcp-method', 'tools/list', 'MCP-METHOD', 'pages/delete']],
    ['the name in the header', ['mcp-method', 'tools/call', 'mcp-name', 'put']],
    ['one of several names in headers', ['mcp-method', 'tools/call', 'mcp-name', 'get', 'mcp-name', 'put']],
    ['a name in the header that is encoded', ['mcp-method', 'tools/call', 'mcp-name', '=?BASE64?cHV0?=']],
    ['the method of the header, without any name', ['mcp-method', 'tools/call']],
  ])('is judged by %s as well', (_, headers) => {
    expect(verdict('{"method":"tools/list"}', ...headers).isAllowed).toBe(false)
  })

  it('is judged by the method of the header with the name of the body', () => {
    const body = '{"method":"tools/list","params":{"name":"put"}}'
    expect(verdict(body, 'mcp-method', 'tools/call', 'mcp-name', 'get').isAllowed).toBe(false)
    expect(verdict(body.replace('put', 'get'), 'mcp-method', 'tools/call', 'mcp-name', 'get').isAllowed).toBe(true)
  })

  it.each(['PARAMS', 'paramſ', 'Param\\u017f'])(
    'is ambiguous with %s beside params: some readers take them for one',
    (name) => {
      const body = `{"method":"tools/call","params":{"name":"get"},"${name}":{"name":"put"}}`
      expect(verdict(body)).toEqual({ isAllowed: false, refused: 'ambiguous' })
    },
  )
})
