import { isReadOnlyTool } from '@nmg/contract'
import { beforeAll, describe, expect, it } from 'vitest'
import { call, initialize, LIST, modern, scene, tool, type Call } from './clients.ts'

const on = scene()
let key: string
let token: string
beforeAll(async () => {
  key = (await on.newKey({ scope: 'notion:read' })).key
  token = await on.token('north', { scope: 'notion:read' })
})
const ask = (init: Call) => call(token, on.endpoint(), init)
const search = tool('notion-search', { query: 'launch' })
const write = tool('notion-create-pages', { pages: [] })

describe('a client that may only read', () => {
  it.each([
    ['a tool that reads', search],
    ['the list of tools', LIST],
    ['what opens a session', initialize()],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
    ['an answer to the server', { jsonrpc: '2.0', id: 1, result: {} }],
  ])('may send %s', async (_, body) => {
    const answer = await ask({ body })
    expect(answer.rpc.error?.data?.reason).toBeUndefined()
    expect(answer.status).toBeLessThan(300)
  })

  it.each([
    'resources/list',
    'resources/read',
    'prompts/list',
    'prompts/get',
    'completion/complete',
    'logging/setLevel',
  ])('may ask upstream for %s', async (method) => {
    on.simulator.clearRecorded()
    await ask({ body: { jsonrpc: '2.0', id: 1, method, params: { uri: 'x:y', name: 'notion-update-page' } } })
    expect(on.simulator.recorded.mcpRequests).toHaveLength(1)
  })

  const twice =
    '{"jsonrpc":"2.0","id":7,"method":"tools/list","method":"tools/call","params":{"name":"notion-update-page"}}'
  it.each([
    ['a tool that writes', write, {}, 'insufficient_scope'],
    ['a tool that nobody knows', tool('notion-read-everything'), {}, 'insufficient_scope'],
    ['a tool that says of itself that it reads', tool('simulator-wait'), {}, 'insufficient_scope'],
    ['a tool without a name', { ...write, params: {} }, {}, 'insufficient_scope'],
    ['a tool whose name is no text', { ...write, params: { name: ['notion-search'] } }, {}, 'insufficient_scope'],
    ['a tool in other letters', tool('Notion-Search'), {}, 'insufficient_scope'],
    ['a tool with a space behind its name', tool('notion-search '), {}, 'insufficient_scope'],
    ['a method that nobody knows', { jsonrpc: '2.0', id: 7, method: 'pages/delete' }, {}, 'insufficient_scope'],
    ['the end of a task, which may be of another', { ...write, method: 'tasks/cancel' }, {}, 'insufficient_scope'],
    ['a tool that writes behind one that reads, in a batch', [search, write], {}, 'insufficient_scope'],
    ['a batch in a batch', [[write]], {}, 'invalid_request'],
    [
      'a tool that writes, with an escape in its method',
      '{"id":7,"method":"tools\\/c\\u0061ll","params":{"name":"notion-update-page"}}',
      {},
      'insufficient_scope',
    ],
    ['a method that is there twice', twice, {}, 'invalid_request'],
    [
      'a method that is there twice, once in other letters',
      twice.replace('"method"', '"Method"'),
      {},
      'invalid_request',
    ],
    ['a method in other letters', { ...write, method: undefined, METHOD: 'tools/call' }, {}, 'insufficient_scope'],
    [
      'params that are there twice',
      '{"id":7,"method":"tools/call","params":{"name":"notion-search"},"params":{"name":"notion-update-page"}}',
      {},
      'invalid_request',
    ],
    [
      'a name that is there twice',
      '{"id":7,"method":"tools/call","params":{"name":"notion-search","name":"notion-update-page"}}',
      {},
      'invalid_request',
    ],
    [
      'a name that is there twice, once escaped',
      '{"id":7,"method":"tools/call","params":{"name":"notion-search","n\\u0061me":"notion-update-page"}}',
      {},
      'invalid_request',
    ],
    [
      'a header that names another method',
      LIST,
      { 'mcp-method': 'tools/call', 'mcp-name': 'notion-update-page' },
      'insufficient_scope',
    ],
    ['a header that names another tool', search, { 'mcp-name': 'notion-update-page' }, 'insufficient_scope'],
    [
      'a header that names another tool, encoded',
      search,
      { 'mcp-method': 'tools/call', 'mcp-name': `=?base64?${Buffer.from('notion-update-page').toString('base64')}?=` },
      'insufficient_scope',
    ],
    [
      'a header that makes a call of what is none',
      { jsonrpc: '2.0', id: 7, method: 'prompts/get', params: { name: 'notion-update-page' } },
      { 'mcp-method': 'tools/call' },
      'insufficient_scope',
    ],
  ])('may not send %s', async (_, body, headers, reason) => {
    on.simulator.clearRecorded()
    const answer = await ask({ body, headers })
    expect(answer.rpc.error?.data.reason).toBe(reason)
    expect(answer.status).toBe(reason === 'invalid_request' ? 400 : 403)
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('may send a tool that reads with the headers of 2026-07-28', async () => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'notion-search' }
    expect((await ask({ body: modern(search), headers })).status).toBe(200)
  })

  it('is told which scope to ask for, by its authorization server', async () => {
    const answer = await ask({ body: write })
    const metadata = `${new URL(on.resource()).origin}/.well-known/oauth-protected-resource/mcp/notion/spaces/north`
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope", error_description="[^"]+", /,
    )
    expect(answer.headers.get('www-authenticate')).toContain(
      `resource_metadata="${metadata}", scope="notion:read notion:write"`,
    )
    expect(answer.rpc).toMatchObject({
      id: 7,
      error: { code: 1002, message: expect.stringContaining('notion-create-pages') },
    })
  })

  it.each([
    ['a tool', write, 'the tool notion-create-pages is not known to only read'],
    ['a method', { ...LIST, method: 'tasks/cancel' }, 'the method tasks/cancel is not known to only read'],
    [
      'a method that hides as a notification',
      { ...LIST, method: 'notifications/../tools/call' },
      'the method notifications/',
    ],
    ['a name that fits into no sentence', tool('a"b'), 'the tool is not known to only read'],
  ])('reads in the message what was refused: %s', async (_, body, text) => {
    on.simulator.clearRecorded()
    expect((await ask({ body })).rpc.error?.message).toContain(text)
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it.each(['skills/list', 'skills/get', 'resources/directory/read'])(
    'may ask upstream for %s of the extension Skills',
    async (method) => {
      on.simulator.clearRecorded()
      await ask({ body: { ...LIST, method } })
      expect(on.simulator.recorded.mcpRequests).toHaveLength(1)
    },
  )

  it('is not sent to log in when it has a key, of which no login makes more', async () => {
    const answer = await call(key, on.endpoint(), { body: write })
    expect(answer.status).toBe(403)
    expect(answer.rpc.error?.data.reason).toBe('insufficient_scope')
    expect(answer.headers.get('www-authenticate')).toBeNull()
  })

  it('cannot put its own text into the challenge', async () => {
    const answer = await ask({ body: tool('x", scope="admin"\r\nX: y') })
    expect(answer.headers.get('www-authenticate')).not.toContain('admin')
  })
})

describe('a client that may write', () => {
  it('may call everything', async () => {
    const answer = await call(await on.token('north', { scope: 'notion:write' }), on.endpoint(), { body: write })
    expect(answer.status).toBe(200)
  })
})

describe('the list of tools', () => {
  const names = (text: string) =>
    [...text.matchAll(/"name":"([\w-]+)","(?:title|description|inputSchema)"/g)].map(([, name]) => name ?? '')

  it.each([
    ['in JSON', 'json', LIST],
    ['in an event stream', 'sse', LIST],
    ['in JSON as of 2026-07-28', 'json', modern(LIST)],
    ['in an event stream as of 2026-07-28', 'sse', modern(LIST)],
  ] as const)('%s holds only what a reader may call, each to the byte as it came', async (_, answers, body) => {
    on.simulator.setOptions({ answers })
    const headers =
      '_meta' in (body.params ?? {}) ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' } : {}
    const whole = await call(await on.token(), on.endpoint(), { body, headers })
    const cut = await ask({ body, headers })
    expect(cut.headers.get('content-type')).toBe(whole.headers.get('content-type'))

    const all = names(whole.text)
    expect(all.length).toBeGreaterThan(20)
    expect(names(cut.text)).toEqual(all.filter(isReadOnlyTool))
    expect(names(cut.text).length).toBeLessThan(all.length)
    for (const one of whole.rpc.result?.tools ?? []) {
      const text = JSON.stringify(one)
      expect(whole.text).toContain(text)
      expect(cut.text.includes(text)).toBe(isReadOnlyTool(one.name))
    }
    // Around the tools, nothing has changed either.
    const around = (text: string) => [text.slice(0, text.indexOf('{"name"')), text.slice(text.lastIndexOf(']'))]
    expect(around(cut.text)).toEqual(around(whole.text))
  })

  it('is what the classification calls reading, though the tools themselves say otherwise', async () => {
    const { rpc } = await call(await on.token(), on.endpoint())
    const tools = (rpc.result?.tools ?? []) as { name: string; annotations?: { readOnlyHint?: boolean } }[]
    const hinted = tools.filter(({ annotations }) => annotations?.readOnlyHint === true).map(({ name }) => name)
    // Whether waiting is all that it does, is not written anywhere.
    const doubtful = ['notion-wait-session', 'simulator-stream', 'simulator-wait', 'simulator-payload']
    expect(hinted.filter((name) => !isReadOnlyTool(name) && !doubtful.includes(name))).toEqual([])
    expect(
      tools
        .map(({ name }) => name)
        .filter(isReadOnlyTool)
        .filter((name) => !hinted.includes(name)),
    ).toEqual([])
  })

  it('is asked for uncompressed, because it is read', async () => {
    on.simulator.clearRecorded()
    await ask({ headers: { 'accept-encoding': 'gzip, br' } })
    await ask({ body: search, headers: { 'accept-encoding': 'gzip, br' } })
    expect(on.simulator.recorded.mcpRequests.map(({ headers }) => headers['accept-encoding'])).toEqual([
      'identity',
      'gzip, br',
    ])
  })

  it('that is delivered again holds no more than the first time', async () => {
    on.simulator.setOptions({ sessions: 'required', getStream: true, resumable: true, answers: 'sse' })
    const opened = await ask({ body: initialize() })
    const session = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-11-25',
    }
    const first = await ask({ headers: session })
    const [, id = ''] = /^id: ?(.+)$/m.exec(first.text) ?? []
    expect(id).not.toBe('')

    const leave = new AbortController()
    const stream = await fetch(on.endpoint(), {
      headers: { ...session, authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': id },
      signal: leave.signal,
    })
    let text = ''
    for await (const piece of stream.body ?? []) {
      text += Buffer.from(piece).toString()
      if (text.includes('"tools"') && text.endsWith('\n\n')) break
    }
    leave.abort()
    expect(names(text)).toEqual(names(first.text))
    expect(text).not.toContain('notion-create-pages"')
    on.simulator.setOptions({ sessions: 'none', getStream: false, resumable: false })
  })

  it('that cannot be had is told as upstream tells it', async () => {
    on.simulator.options.mcpFaults.push({ kind: 'edge-error', status: 503 })
    const answer = await ask({})
    expect(answer.status).toBe(503)
    expect(answer.rpc.error?.data?.reason).toBeUndefined()
  })
})
