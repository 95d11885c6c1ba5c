/** Error responses of the gateway itself to MCP clients. */
import { beforeEach, describe, expect, it } from 'vitest'
import { RETURN_BASE } from '../support/gateway.ts'
import { call, initialize, LIST, modern, clientFixture, tool, type Call } from './clients.ts'

const on = clientFixture()
let spaces = 0
let space: string
let key: string

/** Connects the space, then revokes its grant. */
const connectAndRevoke = async () => {
  await on.gateway.connect(space)
  on.simulator.admin.revokeGrants()
  on.simulator.admin.expireAccessTokens()
}
beforeEach(async () => {
  space = `space-${++spaces}`
  key = (await on.newKey({ spaceId: space })).key
})
const send = (init: Call = {}) => call(key, on.endpoint(space), init)
const connectUrl = () => `${RETURN_BASE}/?space=${space}`

describe('a client of a space that is not connected', () => {
  it('gets 403, on which it stops, and the link to connect', async () => {
    const { status, headers, rpc } = await send()
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

describe('a client of a space whose grant was revoked', () => {
  it.each([
    ['a number', '7'],
    ['a number that loses digits in JavaScript', '9007199254740993.10'],
    ['a string', '"a\\u0041\\"b"'],
  ])('gets the id of its request unchanged: %s', async (_, id) => {
    await connectAndRevoke()
    const { status, text, rpc } = await send({ body: `{"jsonrpc":"2.0","id":${id},"method":"tools/list"}` })
    expect(status).toBe(403)
    expect(text.startsWith(`{"jsonrpc":"2.0","id":${id},"error":`)).toBe(true)
    expect(rpc.error).toMatchObject({ code: 1012, data: { reason: 'reconnect_required', connectUrl: connectUrl() } })
  })

  it.each([
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}'],
    ['a response to the server', '{"jsonrpc":"2.0","id":3,"result":{}}'],
    ['a batch', JSON.stringify([LIST, LIST])],
    ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}'],
    ['a very long id', JSON.stringify({ ...LIST, id: 'x'.repeat(1000) })],
  ])('gets no id in the error for %s', async (_, body) => {
    await connectAndRevoke()
    const { status, rpc } = await send({ body })
    expect(status).toBe(403)
    expect(rpc).not.toHaveProperty('id')
    expect(rpc.error?.data.reason).toBe('reconnect_required')
  })

  it.each(['GET', 'DELETE'])('gets no id in the error for %s', async (method) => {
    await connectAndRevoke()
    const { status, rpc } = await send({ method })
    expect(status).toBe(403)
    expect(rpc).not.toHaveProperty('id')
  })

  it("does not receive Notion's challenge", async () => {
    await connectAndRevoke()
    const { headers, text } = await send()
    expect(headers.get('www-authenticate')).toBeNull()
    expect(text).not.toContain(new URL(on.simulator.url).host)
  })
})

describe('a client whose call requires step-up authorization', () => {
  it('gets the link to connect, and no challenge that would start a login', async () => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push({ kind: 'insufficient-scope', scope: 'pages:write' })
    const { status, headers, rpc } = await send()
    expect(status).toBe(403)
    expect(headers.get('www-authenticate')).toBeNull()
    expect(rpc).toMatchObject({
      id: 'a-list',
      error: { code: 1016, data: { reason: 'consent_required', connectUrl: connectUrl() } },
    })
    expect((await send()).status).toBe(200)
  })
})

describe('a client that supports URL elicitation', () => {
  const URLS = { elicitation: { url: {} } }

  it('up to 2025-11-25 gets an elicitation error, also from another replica', async () => {
    await on.gateway.connect(space)
    expect((await send({ body: initialize(URLS) })).status).toBe(200)
    await connectAndRevoke()
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

  it('gets the plain error if it supports only forms, and for initialize', async () => {
    await connectAndRevoke()
    await send({ body: initialize({ elicitation: {} }) })
    expect((await send({ body: tool('notion-search') })).status).toBe(403)
    expect((await send({ body: initialize(URLS) })).status).toBe(403)
  })

  it('since 2026-07-28 gets an input_required result, only for methods that allow it', async () => {
    await connectAndRevoke()
    const search = modern(tool('notion-search', { query: 'x' }), URLS)
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'notion-search' }
    const { status, rpc } = await send({ body: search, headers })
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
    expect((await send({ body: modern(LIST, URLS) })).status).toBe(403)
    expect((await send({ body: modern(tool('notion-search'), {}) })).status).toBe(403)
  })

  it('since 2026-07-28 gets the plain error after it has responded to the elicitation', async () => {
    await connectAndRevoke()
    const search = modern(tool('notion-search', { query: 'x' }), URLS)
    const answered = {
      ...search,
      params: { ...search.params, inputResponses: { connect_notion: { action: 'accept' } } },
    }
    const { status, rpc } = await send({ body: answered })
    expect(status).toBe(403)
    expect(rpc.error?.data).toMatchObject({ reason: 'reconnect_required', connectUrl: connectUrl() })
  })
})

describe('a client with an invalid request', () => {
  it.each([
    ['a body that is not JSON', { body: '{"jsonrpc":' }, 400, -32700, 'invalid_json'],
    ['a message with a duplicate member meta', { body: '{"meta":{},"meta":{}}' }, 400, -32600, 'invalid_request'],
    ['an unsupported HTTP method', { method: 'PUT' }, 405, 1014, 'method_not_allowed'],
    ['a body that is too large', { body: `"${'x'.repeat(5_000_000)}"` }, 413, 1021, 'too_large'],
  ])('gets an error for %s', async (_, init, status, code, reason) => {
    const response = await send(init)
    expect(response.status).toBe(status)
    expect(response.rpc.error).toMatchObject({ code, data: { reason } })
    expect(response.rpc).not.toHaveProperty('id')
    expect(response.headers.get('allow')).toBe(status === 405 ? 'GET, POST, DELETE' : null)
  })

  it('gets 502 if the connection to Notion breaks after the request was sent', async () => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push({ kind: 'lost-request' })
    const response = await send()
    expect(response.status).toBe(502)
    expect(response.rpc).toMatchObject({ id: 'a-list', error: { code: 1039, data: { reason: 'outcome_unknown' } } })
  })
})

describe('an error from Notion', () => {
  it.each([
    ['a rate limit of its edge', { kind: 'edge-rate-limit', retryAfterSeconds: 17 } as const, 429],
    ['an error of its edge', { kind: 'edge-error', status: 502 } as const, 502],
  ])('passes unchanged: %s', async (_, fault, status) => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push(fault)
    const response = await send()
    expect(response.status).toBe(status)
    expect(response.rpc.error?.data?.reason).toBeUndefined()
    if (status === 429) expect(response.headers.get('retry-after')).toBe('17')
  })

  it('passes unchanged: a rate limit as the result of a tool', async () => {
    await on.gateway.connect(space)
    on.simulator.options.mcpFaults.push({ kind: 'tool-rate-limit' })
    const response = await send({ body: tool('notion-search', { query: 'x' }) })
    expect(response.status).toBe(200)
    expect(response.rpc.result?.isError).toBe(true)
    expect(response.text).toContain('rate_limited')
  })
})
