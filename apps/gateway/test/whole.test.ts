/** The whole gateway: spaces and callers at the proxy, streaming, restarts, keys, and leaks of secrets. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testDatabase, testRedisUrl, hasRedis } from '@nmg/process/testing'
import { startSimulator, type Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CREDENTIAL_KEYS, SERVICE_TOKEN, spawnGateway, startGateway, type InProcessGateway } from './support/gateway.ts'

let simulator: Simulator
let gateway: InProcessGateway

beforeAll(async () => {
  simulator = await startSimulator({ options: { autoApprove: true, testTools: true } })
  gateway = await startGateway({ mcpUrl: simulator.mcpUrl })
  await gateway.connect('north')
  await gateway.connect('south')
})
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
})

const proxy = (headers: Record<string, string>, body: unknown) =>
  fetch(`${gateway.url}/mcp/notion/proxy`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
const authorization = `Bearer ${SERVICE_TOKEN}`

describe('the proxy', () => {
  it.each([
    ['without a space', { authorization, 'x-user-id': 'ada' }, list, 400, 'missing_space'],
    [
      'with two spaces that disagree',
      { authorization, 'x-user-id': 'ada', 'x-space-id': 'south' },
      { ...list, meta: { space_id: 'north' } },
      403,
      'forbidden_space',
    ],
    [
      'with two different users',
      { authorization, 'x-user-id': 'ada' },
      { ...list, meta: { space_id: 'north', user_id: 'ben' } },
      403,
      'forbidden_space',
    ],
    [
      'with a space that never connected',
      { authorization, 'x-user-id': 'ada' },
      { ...list, meta: { space_id: 'west' } },
      404,
      'not_connected',
    ],
    [
      'with X-User-ID but no service token',
      { 'x-user-id': 'ada' },
      { ...list, meta: { space_id: 'north' } },
      401,
      'unauthenticated',
    ],
    [
      'with a token of Notion instead of the service token',
      { authorization: 'Bearer a:b:c', 'x-user-id': 'ada' },
      { ...list, meta: { space_id: 'north' } },
      401,
      'unauthenticated',
    ],
    ['with a body that is no JSON', { authorization, 'x-space-id': 'north' }, '{"jsonrpc":', 400, 'invalid_json'],
  ])('refuses a call %s', async (_what, headers, body, status, code) => {
    simulator.clearRecorded()
    const response = await proxy(headers, body)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(await response.json()).toMatchObject({
      code,
      status,
      detail: expect.any(String),
      requestId: expect.any(String),
    })
    expect(simulator.recorded.mcpRequests).toEqual([])
  })

  it('starts its error for a missing space with the text that clients look for', async () => {
    const problem = await (await proxy({ authorization }, list)).json()
    expect(problem).toMatchObject({ detail: expect.stringMatching(/^Missing space_id/) })
  })

  it.each([
    ['in meta, as the seed has it', {}, { ...list, meta: { space_id: 'north', user_id: 'ada' } }],
    ['in a header', { 'x-space-id': 'north' }, list],
  ])('reads the space %s and forwards the rest with the token of that space only', async (_what, headers, body) => {
    simulator.clearRecorded()
    const response = await proxy(
      { authorization, 'x-user-id': 'ada', cookie: 'a=b', origin: 'https://app.example', ...headers },
      body,
    )
    expect(response.status).toBe(200)
    const [seen] = simulator.recorded.mcpRequests
    expect(seen?.body).toBe(JSON.stringify(list))
    expect(seen?.headers).not.toHaveProperty('cookie')
    expect(seen?.headers).not.toHaveProperty('origin')
    expect(seen?.headers).not.toHaveProperty('x-user-id')
    expect(seen?.headers).not.toHaveProperty('notion-version')
    expect(seen?.credential).toMatchObject({ kind: 'access_token', standing: 'valid' })
  })

  it('forwards an SSE response event by event while upstream is still working', async () => {
    const call = {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'simulator-stream', arguments: { events: 3, interval_ms: 150 }, _meta: { progressToken: 'p' } },
    }
    const response = await proxy({ authorization, 'x-space-id': 'north', 'mcp-protocol-version': '2025-06-18' }, call)
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const wasUpstreamDone: boolean[] = []
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      wasUpstreamDone.push(simulator.recorded.mcpRequests.at(-1)?.finishedAt !== undefined)
    }
    // If anything buffered, upstream would have finished before the first chunk.
    expect(wasUpstreamDone.length).toBeGreaterThanOrEqual(3)
    expect(wasUpstreamDone[0]).toBe(false)
    expect(text).toContain('notifications/progress')
  })

  it('aborts the call at Notion when the caller disconnects', async () => {
    simulator.clearRecorded()
    const leave = new AbortController()
    const call = { jsonrpc: '2.0', id: 8, method: 'tools/call', params: { name: 'simulator-wait', arguments: {} } }
    const response = fetch(`${gateway.url}/mcp/notion/proxy`, {
      method: 'POST',
      signal: leave.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization,
        'x-space-id': 'north',
      },
      body: JSON.stringify(call),
    })
    await expect.poll(() => simulator.recorded.mcpRequests.length).toBe(1)
    leave.abort()
    await expect(response.then((response) => response.text())).rejects.toThrow()
    await expect.poll(() => simulator.recorded.mcpRequests[0]?.aborted).toBe(true)
  })

  it('forwards responses of Notion unchanged, including a rate limit', async () => {
    simulator.options.mcpFaults = [{ kind: 'edge-rate-limit', status: 529, retryAfterSeconds: 7 } as never]
    const response = await proxy({ authorization, 'x-space-id': 'north' }, list)
    expect(response.status).toBe(529)
    expect(response.headers.get('retry-after')).toBe('7')
  })

  it('responds to an unknown address with the next step', async () => {
    const response = await gateway.fetch('/nowhere')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'not_found' })
  })
})

describe('an MCP session', () => {
  it('belongs to its user and space and does not exist for all others', async () => {
    const sessionful = await startSimulator({ profile: 'notion-2026-01', options: { autoApprove: true } })
    const here = await startGateway({ mcpUrl: sessionful.mcpUrl })
    const replica = await startGateway({ mcpUrl: sessionful.mcpUrl, databaseUrl: here.databaseUrl })
    try {
      await here.connect('north')
      await here.connect('south')
      const initialize = {
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      }
      const opened = await here.call('north', initialize)
      const session = opened.headers.get('mcp-session-id') ?? ''
      expect(session).not.toBe('')
      await opened.text()
      const headers = { 'mcp-session-id': session, 'x-space-id': 'north' }
      expect((await replica.call('north', { method: 'notifications/initialized' }, { headers })).status).toBe(202)
      expect((await replica.call('north', { id: 2, method: 'tools/list' }, { headers })).status).toBe(200)

      sessionful.clearRecorded()
      const foreign = [
        await here.call('north', { id: 3, method: 'tools/list' }, { headers, user: 'ben' }),
        await replica.call('south', { id: 3, method: 'tools/list' }, { headers: { 'mcp-session-id': session } }),
        await here.call('north', { id: 3, method: 'tools/list' }, { headers: { 'mcp-session-id': 'made-up' } }),
        await replica.fetch('/mcp/notion/proxy', { method: 'DELETE', headers, user: 'ben' }),
        await here.fetch('/mcp/notion/proxy', { headers: { ...headers, accept: 'text/event-stream' }, user: 'ben' }),
      ]
      for (const response of foreign) {
        expect(response.status).toBe(404)
        expect(await response.json()).toMatchObject({ code: 'unknown_session' })
      }
      expect(sessionful.recorded.mcpRequests).toEqual([])
      expect((await replica.fetch('/mcp/notion/proxy', { method: 'DELETE', headers })).ok).toBe(true)
      expect((await here.call('north', { id: 4, method: 'tools/list' }, { headers })).status).toBe(404)
    } finally {
      await Promise.all([here.stop(), replica.stop()])
      await sessionful.close()
    }
  })
})

describe('a restart', () => {
  it.each(['the database', ...(hasRedis() ? ['Redis'] : [])])(
    'loses neither a started authorization (stored in %s) nor the connection or its history',
    async (where) => {
      const env: Record<string, string> = where === 'Redis' ? { REDIS_URL: await testRedisUrl() } : {}
      const { url: databaseUrl } = await testDatabase()
      const first = await spawnGateway({ mcpUrl: simulator.mcpUrl, databaseUrl, env })
      await first.connect('kept')
      const { authorizeUrl } = await first.start('begun')
      await first.kill()

      const port = new URL(first.url).port
      const second = await spawnGateway({
        mcpUrl: simulator.mcpUrl,
        databaseUrl,
        env: {
          ...env,
          PORT: port,
          NOTION_MCP_OAUTH_REDIRECT_URI: `${first.url}/integrations/notion/mcp/oauth/callback`,
        },
      })
      try {
        // Uses the port of the first process, which the client of the second one does not know.
        const at = (path: string) => first.fetch(path)
        expect(await (await at('/integrations/notion/kept')).json()).toMatchObject({ status: 'connected' })
        await first.callTool('kept', 'notion-search', { query: 'plan' })
        const consent = await fetch(authorizeUrl, { redirect: 'manual' })
        const end = await fetch(consent.headers.get('location') ?? '', { redirect: 'manual' })
        expect(end.headers.get('location')).toContain('status=success')
        expect(await (await at('/integrations/notion/begun')).json()).toMatchObject({ status: 'connected' })
      } finally {
        await second.stop()
      }
    },
  )
})

describe('CREDENTIAL_KEYS', () => {
  const other = `test:${Buffer.alloc(32, 9).toString('base64')}`
  const next = `next:${Buffer.alloc(32, 8).toString('base64')}`

  it('that do not open stored credentials are named at startup', async () => {
    const databaseUrl = gateway.databaseUrl
    await expect(
      spawnGateway({ mcpUrl: simulator.mcpUrl, databaseUrl, env: { CREDENTIAL_KEYS: next } }),
    ).rejects.toThrow(/gateway: A stored credential cannot be opened\. It was sealed with key "test"/)
    await expect(
      spawnGateway({ mcpUrl: simulator.mcpUrl, databaseUrl, env: { CREDENTIAL_KEYS: other } }),
    ).rejects.toThrow(/the key of that name has a different value/)
  })

  it('can be rotated: a new first key takes over, then the old one can be removed', async () => {
    const first = await startGateway({ mcpUrl: simulator.mcpUrl })
    await first.connect('kept')
    await first.stop()
    const { databaseUrl } = first
    const both = await startGateway({
      mcpUrl: simulator.mcpUrl,
      databaseUrl,
      env: { CREDENTIAL_KEYS: `${next},${CREDENTIAL_KEYS}` },
    })
    await expect.poll(() => both.logs()).toContain('data_keys.rewrapped')
    await both.stop()
    const alone = await startGateway({ mcpUrl: simulator.mcpUrl, databaseUrl, env: { CREDENTIAL_KEYS: next } })
    await alone.callTool('kept', 'notion-search', { query: 'plan' })
    await alone.stop()
  })
})

describe('a secret', () => {
  it('of this run (token, code, client secret, verifier) is in no log, response or database row', async () => {
    const own = await startGateway({
      mcpUrl: simulator.mcpUrl,
      env: { LOG_LEVEL: 'debug', NOTION_MCP_TOKEN_AUTH_METHOD: 'client_secret_basic' },
    })
    const responses: string[] = []
    try {
      for (const space of ['a', 'b', 'c']) await own.connect(space)
      simulator.admin.expireAccessTokens()
      for (const space of ['a', 'b', 'c']) await own.callTool(space, 'notion-search', { query: 'plan' })
      simulator.admin.revokeGrants()
      for (const space of ['a', 'b'])
        responses.push(await (await own.call(space, { id: 1, method: 'tools/list' })).text())
      await own.fetch('/integrations/notion/c', { method: 'DELETE' })
      const { authorizeUrl, state } = await own.start('d', { binding: 'a-random-value-of-the-browser' })
      for (const space of ['a', 'c']) {
        responses.push(await (await own.fetch(`/integrations/notion/${space}`)).text())
        responses.push(await (await own.fetch(`/integrations/notion/${space}/events`)).text())
      }
      expect(responses.join()).toContain('reconnect_required')

      const secrets = [
        ...simulator.issuedSecrets().map(({ value }) => value),
        SERVICE_TOKEN,
        CREDENTIAL_KEYS.slice('test:'.length),
        state,
        'a-random-value-of-the-browser',
        new URL(authorizeUrl).searchParams.get('code_challenge') ?? '',
      ]
      expect(secrets.length).toBeGreaterThan(20)
      const seen = [own.logs(), ...responses, await dump(own.databaseUrl)].join('\n')
      expect(seen.length).toBeGreaterThan(5_000)
      // Neither the secret part of a token, nor its prefix with user and grant.
      const parts = secrets.flatMap((secret) => [secret, ...secret.split(':').filter((part) => part.length >= 16)])
      const userIds = new Set(simulator.admin.grants().map(({ userId }) => userId))
      const found = parts.filter((part) => seen.includes(part) && !userIds.has(part))
      expect(found.length).toBe(0)
    } finally {
      await own.stop()
    }
  })
})

describe('an open stream', () => {
  it.each(['here', 'on another replica'])(
    'ends at once when a user disconnects the space %s, and streams of other spaces continue',
    async (where) => {
      const streaming = await startSimulator({ profile: 'notion-2026-01', options: { autoApprove: true } })
      const here = await startGateway({ mcpUrl: streaming.mcpUrl })
      const there = await startGateway({ mcpUrl: streaming.mcpUrl, databaseUrl: here.databaseUrl })
      const open = async (space: string) => {
        const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
        const session =
          (await here.call(space, { id: 1, method: 'initialize', params })).headers.get('mcp-session-id') ?? ''
        const headers = { accept: 'text/event-stream', 'x-space-id': space, 'mcp-session-id': session }
        const stream = await here.fetch('/mcp/notion/proxy', { headers })
        expect(stream.status).toBe(200)
        return stream.text()
      }
      try {
        for (const space of ['ended', 'kept']) await here.connect(space)
        const ended = open('ended')
        // It may end before the test waits for it.
        ended.catch(() => undefined)
        let isKeptOpen = true
        open('kept').then(
          () => (isKeptOpen = false),
          () => (isKeptOpen = false),
        )
        await expect
          .poll(() => streaming.recorded.mcpRequests.filter(({ httpMethod }) => httpMethod === 'GET').length)
          .toBe(2)
        await (where === 'here' ? here : there).fetch('/integrations/notion/ended', { method: 'DELETE' })
        await expect(ended).rejects.toThrow()
        expect(isKeptOpen).toBe(true)
      } finally {
        await Promise.all([here.stop(), there.stop()])
        await streaming.close()
      }
    },
  )
})

describe('an attacker with write access to the database', () => {
  it('cannot have a refresh token sent elsewhere', async () => {
    const received: string[] = []
    const elsewhere = createServer((req, res) => {
      req.on('data', (bytes: Buffer) => received.push(bytes.toString()))
      req.on('end', () => res.writeHead(400).end())
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const { port } = elsewhere.address() as AddressInfo
    const own = await startGateway({ mcpUrl: simulator.mcpUrl })
    const client = new Client(own.databaseUrl)
    await client.connect()
    try {
      for (const space of ['refreshed', 'disconnected']) await own.connect(space)
      await client.query(
        `update gateway.connections set refresh_due_at = now(), connection = jsonb_set(jsonb_set(jsonb_set(connection,
           '{grant,tokenEndpoint}', $1), '{grant,revocationEndpoint}', $1), '{credential,expiresAt}', '"2026-01-01T00:00:00.000Z"')`,
        [JSON.stringify(`http://127.0.0.1:${port}/steal`)],
      )
      // Caches still have the original; a restarted gateway has only the database.
      const restarted = await startGateway({ mcpUrl: simulator.mcpUrl, databaseUrl: own.databaseUrl })
      const call = await restarted.call('refreshed', { id: 1, method: 'tools/list' })
      expect(call.status).toBe(503)
      expect(await call.json()).toMatchObject({ code: 'credential_unreadable' })
      await restarted.gateway.refreshDue()
      const receipt = await (await restarted.fetch('/integrations/notion/disconnected', { method: 'DELETE' })).json()
      expect(receipt).toMatchObject({ changed: true, revocation: 'failed' })
      await restarted.stop()
      expect(received.length).toBe(0)
    } finally {
      await client.end()
      await own.stop()
      elsewhere.close()
    }
  })
})

describe('an invalid token lifetime', () => {
  it.each([Number.MAX_SAFE_INTEGER, 300_000_000_000, 0, -1, '"soon"', null])(
    'of %s seconds breaks neither the connection nor its refresh',
    async (accessTtlSeconds) => {
      const odd = await startSimulator({ options: { autoApprove: true } })
      const responses = await oddLifetimes(odd.url, accessTtlSeconds)
      const through = await startGateway({ mcpUrl: odd.mcpUrl, env: { NOTION_MCP_TOKEN_ENDPOINT: responses.url } })
      try {
        await through.connect('north')
        odd.admin.expireAccessTokens()
        await through.callTool('north', 'notion-search', { query: 'plan' })
        expect(await through.connection('north')).toMatchObject({ status: 'connected' })
        expect((await through.history('north')).events).toHaveLength(2)
        expect((await through.fetch('/integrations/notion/north', { method: 'DELETE' })).status).toBe(200)
      } finally {
        await through.stop()
        responses.close()
        await odd.close()
      }
    },
  )
})

/** The simulator's token endpoint with a different `expires_in`. */
async function oddLifetimes(
  origin: string,
  expiresIn: number | string | null,
): Promise<{ url: string; close(): void }> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (bytes: Buffer) => chunks.push(bytes))
    req.on('end', () => {
      void fetch(`${origin}/token`, {
        method: 'POST',
        headers: { 'content-type': req.headers['content-type'] ?? '' },
        body: Buffer.concat(chunks),
      }).then(async (response) => {
        const text = (await response.text()).replace(/"expires_in":\d+/, `"expires_in":${expiresIn}`)
        res.writeHead(response.status, { 'content-type': 'application/json' }).end(text)
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, close: () => server.close() }
}

/** All stored data of the gateway, as text. */
async function dump(databaseUrl: string): Promise<string> {
  const client = new Client(databaseUrl)
  await client.connect()
  const { rows: tables } = await client.query<{ name: string }>(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables where table_schema = 'gateway'`,
  )
  const texts: string[] = []
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`)
    texts.push(name, ...rows.map(({ row }) => row))
  }
  await client.end()
  return texts.join('\n')
}
