/** What MCP clients are told when the gateway itself must refuse. */
import { beforeEach, describe, expect, it } from 'vitest'
import { RETURN_BASE } from '../support/gateway.ts'
import { call, initialize, LIST, modern, scene, tool, type Call } from './clients.ts'

const on = scene()
let spaces = 0
let space: string
let key: string

/** A space that was connected and lost its grant. */
const lose = async () => {
  await on.gateway.connect(space)
  on.simulator.admin.revokeGrants()
  on.simulator.admin.expireAccessTokens()
}
beforeEach(async () => {
  space = `lost-${++spaces}`
  key = (await on.newKey({ spaceId: space })).key
})
const ask = (init: Call = {}) => call(key, on.endpoint(space), init)
const connectUrl = () => `${RETURN_BASE}/?space=${space}`

describe('a client of a space that is not connected', () => {
  it('is told so under a status at which it stops, with the link', async () => {
    const { status, headers, rpc } = await ask()
    expect(status).toBe(403)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('www-authenticate')).toBeNull()
    expect(headers.get('cache-control')).toBe('no-store')
    expect(rpc).toEqual({
      jsonrpc: '2.0',
      id: 'a-list',
      error: {
        code: 1011,
        message: expect.stringMatching(/^No Notion integration connected/),
        data: { reason: 'not_connected', connectUrl: connectUrl(), requestId: expect.any(String) },
      },
    })
  })
})

describe('a client of a space whose grant is lost', () => {
  it.each([
    ['a number', '7'],
    ['a number that loses digits in JavaScript', '9007199254740993.10'],
    ['a text', '"a\\u0041\\"b"'],
  ])('gets its id back as it came: %s', async (_, id) => {
    await lose()
    const { status, text, rpc } = await ask({ body: `{"jsonrpc":"2.0","id":${id},"method":"tools/list"}` })
    expect(status).toBe(403)
    expect(text.startsWith(`{"jsonrpc":"2.0","id":${id},"error":`)).toBe(true)
    expect(rpc.error).toMatchObject({ code: 1012, data: { reason: 'reconnect_required', connectUrl: connectUrl() } })
  })

  it.each([
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}'],
    ['an answer to the server', '{"jsonrpc":"2.0","id":3,"result":{}}'],
    ['a batch', JSON.stringify([LIST, LIST])],
    ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}'],
    ['an id that is no id', '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}'],
    ['an id of great length', JSON.stringify({ ...LIST, id: 'x'.repeat(1000) })],
  ])('gets no id for %s', async (_, body) => {
    await lose()
    const { status, rpc } = await ask({ body })
    expect(status).toBe(403)
    expect(rpc).not.toHaveProperty('id')
    expect(rpc.error?.data.reason).toBe('reconnect_required')
  })

  it.each(['GET', 'DELETE'])('gets no id for %s', async (method) => {
    await lose()
    const { status, rpc } = await ask({ method })
    expect(status).toBe(403)
    expect(rpc).not.toHaveProperty('id')
  })

  it("never sees Notion's challenge", async () => {
    await lose()
    const { headers, text } = await ask()
    expect(headers.get('www-authenticate')).toBeNull()
    expect(text).not.toContain(new URL(on.simulator.url).host)
  })
})

describe('a client whose call needs more permissions than the connection has', () => {
  it('is told so with the link, and nothing that would have it log in anew', async () => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push({ kind: 'insufficient-scope', scope: 'pages:write' })
    const { status, headers, rpc } = await ask()
    expect(status).toBe(403)
    expect(headers.get('www-authenticate')).toBeNull()
    expect(rpc).toMatchObject({
      id: 'a-list',
      error: { code: 1016, data: { reason: 'consent_required', connectUrl: connectUrl() } },
    })
    expect((await ask()).status).toBe(200)
  })
})

describe('a client that can send its person to a URL', () => {
  const URLS = { elicitation: { url: {} } }

  it('up to 2025-11-25 gets an error that asks for it, also from another replica', async () => {
    await on.gateway.connect(space)
    expect((await ask({ body: initialize(URLS) })).status).toBe(200)
    await lose()
    const replica = await on.replica()
    for (const at of [on.gateway, replica]) {
      await expect
        .poll(async () => (await call(key, on.endpoint(space, at), { body: tool('notion-search') })).status)
        .toBe(200)
      const { rpc, headers } = await call(key, on.endpoint(space, at), { body: tool('notion-search') })
      expect(headers.get('content-type')).toBe('application/json')
      expect(rpc).toEqual({
        jsonrpc: '2.0',
        id: 7,
        error: {
          code: -32042,
          message: expect.stringContaining('Reconnect Notion'),
          data: {
            reason: 'reconnect_required',
            connectUrl: connectUrl(),
            elicitations: [
              {
                mode: 'url',
                url: connectUrl(),
                message: expect.any(String),
                elicitationId: expect.stringMatching(/^[\da-f-]{36}$/),
              },
            ],
          },
        },
      })
    }
    await replica.stop()
  })

  it('gets the plain error when it takes forms only, or for what opens the session', async () => {
    await lose()
    await ask({ body: initialize({ elicitation: {} }) })
    expect((await ask({ body: tool('notion-search') })).status).toBe(403)
    expect((await ask({ body: initialize(URLS) })).status).toBe(403)
  })

  it('since 2026-07-28 gets a result that says what is missing, and only where results may', async () => {
    await lose()
    const search = modern(tool('notion-search', { query: 'x' }), URLS)
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'notion-search' }
    const { status, rpc } = await ask({ body: search, headers })
    expect(status).toBe(200)
    expect(rpc).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: {
        resultType: 'input_required',
        inputRequests: {
          connect_notion: {
            method: 'elicitation/create',
            params: { mode: 'url', message: expect.stringContaining('Reconnect Notion'), url: connectUrl() },
          },
        },
      },
    })
    expect((await ask({ body: modern(LIST, URLS) })).status).toBe(403)
    expect((await ask({ body: modern(tool('notion-search'), {}) })).status).toBe(403)
  })

  it('since 2026-07-28 is not asked again and again', async () => {
    await lose()
    const search = modern(tool('notion-search', { query: 'x' }), URLS)
    const again = { ...search, params: { ...search.params, inputResponses: { connect_notion: { action: 'accept' } } } }
    const { status, rpc } = await ask({ body: again })
    expect(status).toBe(403)
    expect(rpc.error?.data).toMatchObject({ reason: 'reconnect_required', connectUrl: connectUrl() })
  })
})

describe('a client that asks for what cannot be', () => {
  it.each([
    ['a body that is no JSON', { body: '{"jsonrpc":' }, 400, -32700, 'invalid_json'],
    ['a message with two members meta', { body: '{"meta":{},"meta":{}}' }, 400, -32600, 'invalid_request'],
    ['another method of HTTP', { method: 'PUT' }, 405, 1014, 'method_not_allowed'],
    ['a body that is too large', { body: `"${'x'.repeat(5_000_000)}"` }, 413, 1021, 'too_large'],
  ])('%s is told so', async (_, init, status, code, reason) => {
    const answer = await ask(init)
    expect(answer.status).toBe(status)
    expect(answer.rpc.error).toMatchObject({ code, data: { reason } })
    expect(answer.rpc).not.toHaveProperty('id')
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET, POST, DELETE' : null)
  })

  it('gets 502 when the connection to Notion breaks after the request was sent', async () => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push({ kind: 'lost-request' })
    const answer = await ask()
    expect(answer.status).toBe(502)
    expect(answer.rpc).toMatchObject({ id: 'a-list', error: { code: 1039, data: { reason: 'outcome_unknown' } } })
  })
})

describe('what Notion itself says', () => {
  it.each([
    ['a limit of its edge', { kind: 'edge-rate-limit', retryAfterSeconds: 17 } as const, 429],
    ['trouble of its edge', { kind: 'edge-error', status: 502 } as const, 502],
  ])('passes as it came: %s', async (_, fault, status) => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push(fault)
    const answer = await ask()
    expect(answer.status).toBe(status)
    expect(answer.rpc.error?.data?.reason).toBeUndefined()
    if (status === 429) expect(answer.headers.get('retry-after')).toBe('17')
  })

  it('passes as it came: a limit as the result of a tool', async () => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push({ kind: 'tool-rate-limit' })
    const answer = await ask({ body: tool('notion-search', { query: 'x' }) })
    expect(answer.status).toBe(200)
    expect(answer.rpc.result?.isError).toBe(true)
    expect(answer.text).toContain('rate_limited')
  })
})
