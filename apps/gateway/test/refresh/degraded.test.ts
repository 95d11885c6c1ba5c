/** Degraded connections: connected, but the credential cannot be refreshed or used. And endpoints that have moved. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { REFRESH_TIMES } from '../../src/connections/refresh-schedule.ts'
import { fixedClient } from '../support/fixed-client.ts'
import { freePort, type InProcessGateway } from '../support/gateway.ts'
import { refreshSetup } from '../support/refresh-setup.ts'

const times = { ...REFRESH_TIMES, propagationPauseMs: 20, repeatPauseMs: 10 }
const list = { id: 1, method: 'tools/list' }
const eventually = { timeout: 20_000, interval: 200 }

const { notion: simulator, start, stop, connectExpired, refreshes } = refreshSetup(times)
let notion: Simulator
beforeEach(() => {
  notion = simulator()
})

const call = async (gateway: InProcessGateway, space: string) => {
  const response = await gateway.call(space, list)
  const { code, detail } = (response.status === 200 ? {} : await response.json()) as { code?: string; detail?: string }
  return { status: response.status, retryAfter: Number(response.headers.get('retry-after')), code, detail }
}

describe('an MCP server that rejects every token', () => {
  it('causes one refresh for many calls on all replicas, and the connection shows the reason', async () => {
    const here = await start()
    const there = await start({ databaseUrl: here.databaseUrl })
    await here.connect('north')
    notion.options.mcpFaults.push({ kind: 'unauthorized', times: 'always' })
    notion.clearRecorded()
    for (const gateway of [here, there, here, there, here, there]) {
      const { status, code, retryAfter } = await call(gateway, 'north')
      expect([status, code]).toEqual([502, 'upstream_refuses_token'])
      expect(retryAfter).toBeGreaterThan(40)
      expect(retryAfter).toBeLessThanOrEqual(60)
    }
    expect(refreshes()).toHaveLength(1)
    const { status, degraded } = await there.connection('north')
    expect([status, degraded?.reason, degraded?.lastError]).toEqual(['connected', 'upstream_refuses_token', 'HTTP 401'])
    expect(Date.parse(degraded?.nextAttemptAt as string)).toBeGreaterThan(Date.now())
  })

  it('causes one refresh for parallel calls, which count as one attempt', async () => {
    const gateway = await start()
    await gateway.connect('north')
    notion.options.mcpFaults.push({ kind: 'unauthorized', times: 'always' })
    notion.clearRecorded()
    const responses = await Promise.all(Array.from({ length: 20 }, () => call(gateway, 'north')))
    for (const { code, retryAfter } of responses) {
      expect(code).toBe('upstream_refuses_token')
      expect(retryAfter).toBeLessThanOrEqual(60)
    }
    expect(refreshes()).toHaveLength(1)
  })

  it('ends the degraded state as soon as it accepts a token', async () => {
    const gateway = await start()
    await gateway.connect('north')
    notion.options.mcpFaults.push({ kind: 'unauthorized', times: 'always' })
    await call(gateway, 'north')
    expect((await gateway.connection('north')).degraded).toBeDefined()
    notion.setOptions({ mcpFaults: [] })
    expect((await call(gateway, 'north')).status).toBe(200)
    await expect.poll(async () => (await gateway.connection('north')).degraded).toBeUndefined()
  })

  it('gets new tokens after 1, 2, 4 … minutes', async () => {
    let shiftMs = 0
    const clock = () => new Date(Date.now() + shiftMs)
    const gateway = await start({ clock })
    await gateway.connect('north')
    notion.options.mcpFaults.push({ kind: 'unauthorized', times: 'always' })
    notion.clearRecorded()
    const waits: number[] = []
    for (let i = 1; i <= 4; i++) {
      const { retryAfter } = await call(gateway, 'north')
      waits.push(retryAfter)
      expect(refreshes()).toHaveLength(i)
      shiftMs += retryAfter * 1000 - 5_000
      expect((await call(gateway, 'north')).code).toBe('upstream_refuses_token')
      expect(refreshes()).toHaveLength(i)
      shiftMs += 6_000
    }
    expect(waits).toEqual([60, 120, 240, 480])
  })
})

describe('an authorization server that refuses a refresh without a final error', () => {
  it('gets three requests, then one per hour, and users may reconnect', async () => {
    let shiftMs = 0
    const gateway = await start({ clock: () => new Date(Date.now() + shiftMs) })
    await connectExpired(gateway, 'north')
    notion.setOptions({ tokenResponse: { status: 400, error: 'invalid_request', on: 'refresh_token' } })
    await expect
      .poll(
        async () => (await call(gateway, 'north')) && (await gateway.connection('north')).degraded?.reason,
        eventually,
      )
      .toBe('renewal_refused')
    expect(refreshes()).toHaveLength(3)
    const { status, code, retryAfter, detail } = await call(gateway, 'north')
    expect([status, code]).toEqual([503, 'refresh_unavailable'])
    expect(retryAfter).toBeGreaterThan(3_500)
    expect(detail).toContain('reconnect Notion now: http://localhost:3999/?space=north')
    expect((await gateway.connection('north')).degraded).toMatchObject({ lastError: 'invalid_request' })
    expect(refreshes()).toHaveLength(3)

    // Once per hour for calls and the background refresh together.
    for (let hour = 1; hour <= 3; hour++) {
      shiftMs += 3_601_000
      for (let i = 0; i < 3; i++) {
        await gateway.gateway.refreshDue()
        await call(gateway, 'north')
      }
      expect(refreshes()).toHaveLength(3 + hour)
    }
    const since = (await gateway.connection('north')).degraded?.since as string
    expect(Date.parse(since)).toBeLessThan(Date.now() + 60_000)

    notion.setOptions({ tokenResponse: null })
    shiftMs += 3_601_000
    expect((await call(gateway, 'north')).status).toBe(200)
    expect((await gateway.connection('north')).degraded).toBeUndefined()
  })

  it('does not degrade a connection with a valid access token and is not requested permanently', async () => {
    let shiftMs = 0
    const gateway = await start({ clock: () => new Date(Date.now() + shiftMs) })
    notion.setOptions({ accessTtlSeconds: 28_800 })
    await gateway.connect('north')
    notion.setOptions({ tokenResponse: { status: 400, error: 'invalid_request', on: 'refresh_token' } })
    notion.clearRecorded()
    // The background refresh starts half an hour before the token expires.
    shiftMs = 28_800_000 - 25 * 60_000
    for (let i = 0; i < 60; i++) {
      await gateway.gateway.refreshDue()
      shiftMs += 20_000
    }
    expect(refreshes()).toHaveLength(3)
    expect((await gateway.connection('north')).degraded).toBeUndefined()
    expect((await call(gateway, 'north')).status).toBe(200)
  })
})

describe('an unavailable authorization server', () => {
  it.each([
    ['cannot be connected to', 'renewal_unreachable'],
    ['responds with 503', 'renewal_unreadable'],
  ])(
    'that %s degrades a connection with an expired access token (%s) and is tried again within a minute',
    async (how, reason) => {
      const first = await start()
      await connectExpired(first, 'north')
      const closedPort = { NOTION_MCP_TOKEN_ENDPOINT: `http://127.0.0.1:${await freePort()}/token` }
      const isUnreachable = reason === 'renewal_unreachable'
      const gateway = await start({ databaseUrl: first.databaseUrl, env: isUnreachable ? closedPort : {} })
      if (!isUnreachable) notion.setOptions({ tokenResponse: { status: 503, on: 'refresh_token' } })
      await expect
        .poll(async () => (await call(gateway, 'north')) && (await gateway.connection('north')).degraded?.reason, {
          ...eventually,
          message: how,
        })
        .toBe(reason)
      expect((await call(gateway, 'north')).retryAfter).toBeLessThanOrEqual(60)
      notion.setOptions({ tokenResponse: null })
      await expect.poll(async () => (await call(first, 'north')).status, eventually).toBe(200)
      expect((await first.connection('north')).degraded).toBeUndefined()
    },
  )
})

describe('a stored credential that does not open', () => {
  const damages: Record<string, string> = {
    'its data key is damaged': `update gateway.data_keys set wrapped = encode(sha256('x'), 'base64')`,
    'its data key is lost': `delete from gateway.data_keys`,
    'it was changed': `update gateway.connections set connection = jsonb_set(connection, '{credential,sealed}', '"AAAA"')`,
  }
  it.each(Object.entries(damages))(
    'because %s is shown before and after a call, and a reconnect helps',
    async (_why, sql) => {
      const gateway = await start()
      await gateway.connect('north')
      const database = new Client(gateway.databaseUrl)
      await database.connect()
      await database.query(sql)
      await database.end()
      // The first replica still has the token in memory; another one has only the database.
      const other = await start({ databaseUrl: gateway.databaseUrl }).catch(() => undefined)
      if (!other) return // A gateway does not start without a key in use.
      expect((await other.connection('north')).degraded).toMatchObject({ reason: 'credential_unreadable' })
      const { status, code, detail } = await call(other, 'north')
      expect([status, code]).toEqual([503, 'credential_unreadable'])
      expect(detail).toContain('http://localhost:3999/?space=north')
      await other.gateway.refreshDue()
      expect((await other.connection('north')).degraded).toMatchObject({ reason: 'credential_unreadable' })
      await other.connect('north')
      expect((await call(other, 'north')).status).toBe(200)
      expect((await other.connection('north')).degraded).toBeUndefined()
    },
  )
})

describe('the fixed client of the settings', () => {
  it('with a wrong secret makes the consent fail with client_rejected', async () => {
    const gateway = await start({ env: { ...(await fixedClient(notion)), NOTION_MCP_CLIENT_SECRET: 'wrong' } })
    expect((await gateway.authorize('north')).searchParams.get('error')).toBe('client_rejected')
  })

  it('with a wrong secret keeps the grant, which the right secret recovers', async () => {
    const env = { ...(await fixedClient(notion)) }
    const first = await start({ env })
    await connectExpired(first, 'north')
    await stop(first)

    const { databaseUrl } = first
    const wrong = await start({ databaseUrl, env: { ...env, NOTION_MCP_CLIENT_SECRET: 'wrong' } })
    await expect
      .poll(async () => (await call(wrong, 'north')) && (await wrong.connection('north')).degraded?.reason, eventually)
      .toBe('client_rejected')
    expect((await call(wrong, 'north')).detail).toContain('NOTION_MCP_CLIENT_SECRET')
    expect((await wrong.connection('north')).status).toBe('connected')
    await stop(wrong)

    // After five minutes at the latest.
    const right = await start({ databaseUrl, env, clock: () => new Date(Date.now() + 301_000) })
    expect((await call(right, 'north')).status).toBe(200)
  })
})

describe('a token endpoint that has moved', () => {
  it.each([404, 405, 410, 301, 307, 308, 'closed'] as const)(
    'and responds with %s is found in the metadata of the same issuer',
    async (status) => {
      const gateway = await start()
      await gateway.connect('north')
      notion.admin.expireAccessTokens()
      notion.setOptions({ movedTokenEndpoint: { path: '/oauth2/token', status } })
      expect((await call(gateway, 'north')).status).toBe(200)
      // The new endpoint is stored: another gateway uses it at once.
      const other = await start({ databaseUrl: gateway.databaseUrl })
      notion.admin.expireAccessTokens()
      notion.clearRecorded()
      expect((await call(other, 'north')).status).toBe(200)
      expect(refreshes()).toHaveLength(1)
      expect(notion.recorded.discoveries).toEqual([])
    },
  )

  it('is looked up at most once a minute for all connections', async () => {
    const gateway = await start()
    for (const space of ['north', 'south', 'east']) await gateway.connect(space)
    notion.admin.expireAccessTokens()
    notion.clearRecorded()
    notion.setOptions({ tokenResponse: { status: 404, on: 'refresh_token' } })
    await Promise.all(['north', 'south', 'east'].map((space) => call(gateway, space)))
    expect(notion.recorded.discoveries.filter(({ path }) => path.includes('oauth-authorization-server'))).toHaveLength(
      1,
    )
  })

  it('is overridden by the settings, also for earlier connections', async () => {
    const first = await start()
    await first.connect('north')
    notion.admin.expireAccessTokens()
    notion.clearRecorded()
    notion.setOptions({ movedTokenEndpoint: { path: '/oauth2/token', status: 404 } })
    const other = await start({
      databaseUrl: first.databaseUrl,
      env: { NOTION_MCP_TOKEN_ENDPOINT: `${notion.url}/oauth2/token` },
    })
    expect((await call(other, 'north')).status).toBe(200)
    expect(refreshes().map(({ fault }) => fault)).toEqual([undefined])
  })

  it('is not used if it was changed in the database', async () => {
    const received: string[] = []
    const thief = createServer((req, res) => {
      req.on('data', (bytes: Buffer) => received.push(bytes.toString()))
      req.on('end', () => res.writeHead(400).end())
    }).listen(0, '127.0.0.1')
    await once(thief, 'listening')
    const { port } = thief.address() as AddressInfo
    const gateway = await start()
    await connectExpired(gateway, 'north')
    const database = new Client(gateway.databaseUrl)
    await database.connect()
    await database.query(
      `update gateway.connections set connection = jsonb_set(jsonb_set(connection, '{grant,tokenEndpoint}', $1), '{grant,issuer}', $2)`,
      [JSON.stringify(`http://127.0.0.1:${port}/token`), JSON.stringify(`http://127.0.0.1:${port}`)],
    )
    await database.end()
    const other = await start({ databaseUrl: gateway.databaseUrl })
    expect((await call(other, 'north')).code).toBe('credential_unreadable')
    await other.gateway.refreshDue()
    expect(received).toEqual([])
    thief.close()
  })
})

describe('a resource indicator rejected at the refresh', () => {
  it('is omitted from then on', async () => {
    const gateway = await start()
    await gateway.connect('north')
    notion.setOptions({ refuseResource: ['refresh_token'] })
    notion.admin.expireAccessTokens()
    notion.clearRecorded()
    expect((await call(gateway, 'north')).status).toBe(200)
    expect(refreshes()).toHaveLength(2)
    const other = await start({ databaseUrl: gateway.databaseUrl })
    notion.admin.expireAccessTokens()
    notion.clearRecorded()
    expect((await call(other, 'north')).status).toBe(200)
    expect(refreshes()).toHaveLength(1)
  })

  it.each([
    [403, 'invalid_target'],
    [404, 'invalid_target'],
    [400, 'invalid_resource'],
  ])('is omitted after a rejection with %d %s', async (status, error) => {
    const gateway = await start()
    await gateway.connect('north')
    notion.setOptions({ tokenResponse: { status, error, on: 'refresh_token', times: 1 } })
    notion.admin.expireAccessTokens()
    notion.clearRecorded()
    expect((await call(gateway, 'north')).status).toBe(200)
    expect(refreshes()).toHaveLength(2)
  })
})

describe('an authorization server with a temporary status and a JSON error', () => {
  it.each([408, 425, 429])('is tried again within a minute after %d, which is not a refusal', async (status) => {
    const gateway = await start({ clock: () => new Date(Date.now() + shiftMs) })
    let shiftMs = 0
    await connectExpired(gateway, 'north')
    notion.setOptions({ tokenResponse: { status, error: 'timeout', on: 'refresh_token' } })
    for (let i = 0; i < 5; i++) {
      const { retryAfter } = await call(gateway, 'north')
      expect(retryAfter).toBeLessThanOrEqual(76)
      shiftMs += retryAfter * 1000 + 1_000
    }
    expect((await gateway.connection('north')).degraded?.reason).toBe('renewal_unreadable')
    notion.setOptions({ tokenResponse: null })
    expect((await call(gateway, 'north')).status).toBe(200)
  })
})

describe('a refusal with the refresh token in place of an error code', () => {
  it('does not leak it into the connection or the log', async () => {
    const token = 'short.refresh-token_1'
    notion.setOptions({ tokenResponse: { with: { refresh_token: token }, on: 'authorization_code', times: 1 } })
    const gateway = await start()
    await connectExpired(gateway, 'north')
    notion.setOptions({ tokenRefusal: { status: 400, error: token } })
    await expect
      .poll(
        async () => (await call(gateway, 'north')) && (await gateway.connection('north')).degraded?.lastError,
        eventually,
      )
      .toBe('http_400')
    expect(gateway.logs()).not.toContain(token)
  })
})
