import { isReadOnlyTool } from '@nmg/contract'
import { beforeAll, describe, expect, it } from 'vitest'
import { call, initialize, LIST, modern, clientFixture, tool, type Call } from './clients.ts'

const on = clientFixture()
let key: string
let token: string
beforeAll(async () => {
  key = (await on.newKey({ scope: 'notion:read' })).key
  token = await on.token('north', { scope: 'notion:read' })
})
const send = (init: Call) => call(token, on.endpoint(), init)
const search = tool('notion-search', { query: 'launch' })
const write = tool('notion-create-pages', { pages: [] })

describe('a client with the scope notion:read', () => {
  it.each([
    ['a read-only tool', search],
    ['the list of tools', LIST],
    ['initialize', initialize()],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
    ['a response to the server', { jsonrpc: '2.0', id: 1, result: {} }],
  ])('may send %s', async (_, body) => {
    const response = await send({ body })
    expect(response.rpc.error?.data?.reason).toBeUndefined()
    expect(response.status).toBeLessThan(300)
  })

  it.each([
    'resources/list',
    'resources/read',
    'prompts/list',
    'prompts/get',
    'completion/complete',
    'logging/setLevel',
  ])('may call %s', async (method) => {
    on.simulator.clearRecorded()
    await send({ body: { jsonrpc: '2.0', id: 1, method, params: { uri: 'x:y', name: 'notion-update-page' } } })
    expect(on.simulator.recorded.mcpRequests).toHaveLength(1)
  })

  const duplicateMethod =
    '{"jsonrpc":"2.0","id":7,"method":"tools/list","method":"tools/call","params":{"name":"notion-update-page"}}'
  it.each([
    ['a writing tool', write, {}, 'insufficient_scope'],
    ['an unknown tool', tool('notion-read-everything'), {}, 'insufficient_scope'],
    ['an unknown tool with readOnlyHint', tool('simulator-wait'), {}, 'insufficient_scope'],
    ['a tool without a name', { ...write, params: {} }, {}, 'insufficient_scope'],
    ['a tool whose name is not a string', { ...write, params: { name: ['notion-search'] } }, {}, 'insufficient_scope'],
    ['a tool name with different case', tool('Notion-Search'), {}, 'insufficient_scope'],
    ['a tool name with a trailing space', tool('notion-search '), {}, 'insufficient_scope'],
    ['an unknown method', { jsonrpc: '2.0', id: 7, method: 'pages/delete' }, {}, 'insufficient_scope'],
    [
      'tasks/cancel, because the task may belong to another client',
      { ...write, method: 'tasks/cancel' },
      {},
      'insufficient_scope',
    ],
    ['a batch with a read-only and a writing tool', [search, write], {}, 'insufficient_scope'],
    ['a nested batch', [[write]], {}, 'invalid_request'],
    [
      'a writing tool with escapes in its method',
      '{"id":7,"method":"tools\\/c\\u0061ll","params":{"name":"notion-update-page"}}',
      {},
      'insufficient_scope',
    ],
    ['a duplicate method', duplicateMethod, {}, 'invalid_request'],
    ['a duplicate method with different case', duplicateMethod.replace('"method"', '"Method"'), {}, 'invalid_request'],
    ['a member METHOD', { ...write, method: undefined, METHOD: 'tools/call' }, {}, 'insufficient_scope'],
    [
      'duplicate params',
      '{"id":7,"method":"tools/call","params":{"name":"notion-search"},"params":{"name":"notion-update-page"}}',
      {},
      'invalid_request',
    ],
    [
      'a duplicate name',
      '{"id":7,"method":"tools/call","params":{"name":"notion-search","name":"notion-update-page"}}',
      {},
      'invalid_request',
    ],
    [
      'a duplicate name with an escape',
      '{"id":7,"method":"tools/call","params":{"name":"notion-search","n\\u0061me":"notion-update-page"}}',
      {},
      'invalid_request',
    ],
    [
      'an Mcp-Method header with another method',
      LIST,
      { 'mcp-method': 'tools/call', 'mcp-name': 'notion-update-page' },
      'insufficient_scope',
    ],
    ['an Mcp-Name header with another tool', search, { 'mcp-name': 'notion-update-page' }, 'insufficient_scope'],
    [
      'an encoded Mcp-Name header with another tool',
      search,
      { 'mcp-method': 'tools/call', 'mcp-name': `=?base64?${Buffer.from('notion-update-page').toString('base64')}?=` },
      'insufficient_scope',
    ],
    [
      'an Mcp-Method header that turns another method into a tool call',
      { jsonrpc: '2.0', id: 7, method: 'prompts/get', params: { name: 'notion-update-page' } },
      { 'mcp-method': 'tools/call' },
      'insufficient_scope',
    ],
  ])('may not send %s', async (_, body, headers, reason) => {
    on.simulator.clearRecorded()
    const response = await send({ body, headers })
    expect(response.rpc.error?.data.reason).toBe(reason)
    expect(response.status).toBe(reason === 'invalid_request' ? 400 : 403)
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('may call a read-only tool with the headers of 2026-07-28', async () => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'notion-search' }
    expect((await send({ body: modern(search), headers })).status).toBe(200)
  })

  it('gets a challenge with the required scope and its resource metadata', async () => {
    const response = await send({ body: write })
    const metadata = `${new URL(on.resource()).origin}/.well-known/oauth-protected-resource/mcp/notion/spaces/north`
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope", error_description="[^"]+", /,
    )
    expect(response.headers.get('www-authenticate')).toContain(
      `resource_metadata="${metadata}", scope="notion:read notion:write"`,
    )
    expect(response.rpc).toMatchObject({
      id: 7,
      error: { code: 1002, message: expect.stringContaining('notion-create-pages') },
    })
  })

  it.each([
    ['a tool', write, 'the tool notion-create-pages is not known to be read-only'],
    ['a method', { ...LIST, method: 'tasks/cancel' }, 'the method tasks/cancel is not known to be read-only'],
    [
      'a method that looks like a notification',
      { ...LIST, method: 'notifications/../tools/call' },
      'the method notifications/',
    ],
    ['a name with special characters', tool('a"b'), 'the tool is not known to be read-only'],
  ])('gets the rejected tool or method in the message: %s', async (_, body, text) => {
    on.simulator.clearRecorded()
    expect((await send({ body })).rpc.error?.message).toContain(text)
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it.each(['skills/list', 'skills/get', 'resources/directory/read'])(
    'may call %s of the extension Skills',
    async (method) => {
      on.simulator.clearRecorded()
      await send({ body: { ...LIST, method } })
      expect(on.simulator.recorded.mcpRequests).toHaveLength(1)
    },
  )

  it('gets no challenge with a key, because a login cannot widen its scope', async () => {
    const response = await call(key, on.endpoint(), { body: write })
    expect(response.status).toBe(403)
    expect(response.rpc.error?.data.reason).toBe('insufficient_scope')
    expect(response.headers.get('www-authenticate')).toBeNull()
  })

  it('cannot inject parameters into the challenge', async () => {
    const response = await send({ body: tool('x", scope="admin"\r\nX: y') })
    expect(response.headers.get('www-authenticate')).not.toContain('admin')
  })
})

describe('a client with the scope notion:write', () => {
  it('may call all tools', async () => {
    const response = await call(await on.token('north', { scope: 'notion:write' }), on.endpoint(), { body: write })
    expect(response.status).toBe(200)
  })
})

describe('the list of tools for notion:read', () => {
  const toolNames = (text: string) =>
    [...text.matchAll(/"name":"([\w-]+)","(?:title|description|inputSchema)"/g)].map(([, name]) => name ?? '')

  it.each([
    ['in JSON', 'json', LIST],
    ['in an event stream', 'sse', LIST],
    ['in JSON as of 2026-07-28', 'json', modern(LIST)],
    ['in an event stream as of 2026-07-28', 'sse', modern(LIST)],
  ] as const)('%s contains only read-only tools, with unchanged bytes', async (_, answers, body) => {
    on.simulator.setOptions({ answers })
    const headers =
      '_meta' in (body.params ?? {}) ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' } : {}
    const unfiltered = await call(await on.token(), on.endpoint(), { body, headers })
    const filtered = await send({ body, headers })
    expect(filtered.headers.get('content-type')).toBe(unfiltered.headers.get('content-type'))

    const all = toolNames(unfiltered.text)
    expect(all.length).toBeGreaterThan(20)
    expect(toolNames(filtered.text)).toEqual(all.filter(isReadOnlyTool))
    expect(toolNames(filtered.text).length).toBeLessThan(all.length)
    for (const tool of unfiltered.rpc.result?.tools ?? []) {
      const text = JSON.stringify(tool)
      expect(unfiltered.text).toContain(text)
      expect(filtered.text.includes(text)).toBe(isReadOnlyTool(tool.name))
    }
    // The bytes around the tools do not change either.
    const around = (text: string) => [text.slice(0, text.indexOf('{"name"')), text.slice(text.lastIndexOf(']'))]
    expect(around(filtered.text)).toEqual(around(unfiltered.text))
  })

  it('follows the classification, whatever the annotations of the tools say', async () => {
    const { rpc } = await call(await on.token(), on.endpoint())
    const tools = (rpc.result?.tools ?? []) as { name: string; annotations?: { readOnlyHint?: boolean } }[]
    const hinted = tools.filter(({ annotations }) => annotations?.readOnlyHint === true).map(({ name }) => name)
    // Their documentation does not guarantee that they only read.
    const doubtful = ['notion-wait-session', 'simulator-stream', 'simulator-wait', 'simulator-payload']
    expect(hinted.filter((name) => !isReadOnlyTool(name) && !doubtful.includes(name))).toEqual([])
    expect(
      tools
        .map(({ name }) => name)
        .filter(isReadOnlyTool)
        .filter((name) => !hinted.includes(name)),
    ).toEqual([])
  })

  it('is requested uncompressed, because the gateway parses it', async () => {
    on.simulator.clearRecorded()
    await send({ headers: { 'accept-encoding': 'gzip, br' } })
    await send({ body: search, headers: { 'accept-encoding': 'gzip, br' } })
    expect(on.simulator.recorded.mcpRequests.map(({ headers }) => headers['accept-encoding'])).toEqual([
      'identity',
      'gzip, br',
    ])
  })

  it('is filtered in a resumed stream as well', async () => {
    on.simulator.setOptions({ sessions: 'required', getStream: true, resumable: true, answers: 'sse' })
    const opened = await send({ body: initialize() })
    const session = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-11-25',
    }
    const first = await send({ headers: session })
    const [, id = ''] = /^id: ?(.+)$/m.exec(first.text) ?? []
    expect(id).not.toBe('')

    const abort = new AbortController()
    const stream = await fetch(on.endpoint(), {
      headers: { ...session, authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': id },
      signal: abort.signal,
    })
    let text = ''
    for await (const chunk of stream.body ?? []) {
      text += Buffer.from(chunk).toString()
      if (text.includes('"tools"') && text.endsWith('\n\n')) break
    }
    abort.abort()
    expect(toolNames(text)).toEqual(toolNames(first.text))
    expect(text).not.toContain('notion-create-pages"')
    on.simulator.setOptions({ sessions: 'none', getStream: false, resumable: false })
  })

  it('returns an upstream error unchanged', async () => {
    on.simulator.options.mcpFaults.push({ kind: 'edge-error', status: 503 })
    const response = await send({})
    expect(response.status).toBe(503)
    expect(response.rpc.error?.data?.reason).toBeUndefined()
  })
})
