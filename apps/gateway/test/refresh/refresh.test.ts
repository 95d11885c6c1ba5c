/** Refreshes by whole gateways over HTTP against the simulator, and the responses to calls meanwhile. */
import type { Simulator, TokenFault } from 'notion-simulator'
import { Client } from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { REFRESH_TIMES } from '../../src/connections/refresh-schedule.ts'
import { observeSteps } from '../../src/failpoints.ts'
import { testDatabase } from '@nmg/process/testing'
import type { InProcessGateway } from '../support/gateway.ts'
import { refreshSetup } from '../support/refresh-setup.ts'
import { databaseLine } from './database-line.ts'

const HOURS_8 = 28_800
const times = { ...REFRESH_TIMES, silencePauseMs: 300, propagationPauseMs: 100 }

const { notion: simulator, start, stop, connect, connectExpired, refreshes } = refreshSetup(times)
let notion: Simulator
beforeEach(() => {
  notion = simulator()
})

/** Replicas on one database. */
async function replicas(count: number): Promise<[InProcessGateway, ...InProcessGateway[]]> {
  const first = await start()
  const others = Array.from({ length: count - 1 }, () => start({ databaseUrl: first.databaseUrl }))
  return [first, ...(await Promise.all(others))]
}

/** Connects the space with an access token that Notion no longer accepts. */
async function connectRejected(gateway: InProcessGateway, space: string): Promise<void> {
  await connect(gateway, space, HOURS_8)
  notion.admin.expireAccessTokens()
}

const standings = () => refreshes().map(({ presented }) => presented?.standing)
const times20 = Array.from({ length: 20 }, (_, i) => i)
const list = { id: 1, method: 'tools/list' }
const search = (gateway: InProcessGateway, space: string) => gateway.callTool(space, 'notion-search', { query: 'plan' })
const faulty = (...faults: TokenFault[]) => notion.options.tokenFaults.push(...faults)

/** Proves that the stored refresh token is valid by using it. */
async function isAlive(gateway: InProcessGateway, space: string): Promise<boolean> {
  notion.admin.expireAccessTokens()
  await expect.poll(async () => (await gateway.call(space, list)).status, { timeout: 10_000, interval: 200 }).toBe(200)
  return notion.admin.grants().every(({ status }) => status === 'active')
}

describe('a grant without a refresh token', () => {
  const reconnect = expect.objectContaining({ code: 'reconnect_required' }) as unknown
  const callNorth = async (gateway: InProcessGateway) => {
    const response = await gateway.call('north', list)
    return [response.status, await response.json()]
  }

  it.each([
    ['upstream rejects its access token', HOURS_8, 'revoked'],
    ['its access token has expired', 1, 'expired'],
  ])('requires a reconnect when %s', async (_when, lifeSeconds, reason) => {
    const gateway = await start()
    notion.setOptions({ refreshTokens: false })
    await connect(gateway, 'north', lifeSeconds)
    expect((await gateway.call('north', list)).status).toBe(200)
    await gateway.gateway.refreshDue()
    const { status, tokenExpiresAt, reconnectBy } = await gateway.connection('north')
    expect([status, reconnectBy]).toEqual(['connected', tokenExpiresAt])

    if (reason === 'revoked') notion.admin.expireAccessTokens()
    else await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(await callNorth(gateway)).toEqual([401, reconnect])
    expect(await gateway.connection('north')).toMatchObject({ status: 'reconnect_required', reason })
    expect((await gateway.history('north')).events[0]).toMatchObject({ error: 'invalid_token', reason })
    expect(await callNorth(gateway)).toEqual([401, reconnect])
    expect(refreshes()).toEqual([])
  })

  it('is marked as expired without any call', async () => {
    const gateway = await start()
    notion.setOptions({ refreshTokens: false })
    await connectExpired(gateway, 'north')
    await gateway.gateway.refreshDue()
    expect(await gateway.connection('north')).toMatchObject({ status: 'reconnect_required', reason: 'expired' })
    expect(notion.recorded.tokenRequests).toEqual([])
    await connect(gateway, 'north', HOURS_8)
    expect((await gateway.call('north', list)).status).toBe(200)
  })

  it('is revoked by its access token at the disconnect', async () => {
    const gateway = await start()
    notion.setOptions({ refreshTokens: false })
    await connect(gateway, 'north', HOURS_8)
    const receipt = await gateway.fetch('/integrations/notion/north', { method: 'DELETE' })
    expect(await receipt.json()).toMatchObject({ changed: true, revocation: 'revoked' })
  })
})

describe('an access token about to expire', () => {
  it.each([1, 2])('is refreshed once when 20 calls on %i replicas need it', async (count) => {
    const gateways = await replicas(count)
    await connect(gateways[0], 'north', 30)
    const responses = await Promise.all(
      times20.map((i) => (gateways[i % count] as InProcessGateway).call('north', { ...list, id: i })),
    )
    expect(responses.map(({ status }) => status)).toEqual(times20.map(() => 200))
    expect(standings()).toEqual(['current'])
    expect((await gateways[0].connection('north')).lastRefreshedAt).toBeDefined()
  })

  it('is refreshed when it expires within the margin, and not before', async () => {
    const gateway = await start({ env: { NOTION_MCP_REFRESH_MARGIN_SECONDS: '100' } })
    await connect(gateway, 'north', 110)
    await search(gateway, 'north')
    expect(refreshes()).toHaveLength(0)
    await connect(gateway, 'south', 90)
    await search(gateway, 'south')
    expect(refreshes()).toHaveLength(1)
  })

  it('is not refreshed by each call when the lifetimes are shorter than the margin', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 30)
    notion.setOptions({ accessTtlSeconds: 30 })
    for (let i = 0; i < 5; i++) await search(gateway, 'north')
    expect(refreshes()).toHaveLength(1)
  })

  it('does not delay the calls of another space during a slow refresh', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 1)
    await connect(gateway, 'south', HOURS_8)
    faulty({ kind: 'slow', delayMs: 1_500 })
    const slow = search(gateway, 'north')
    const startedAt = performance.now()
    await search(gateway, 'south')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await slow
  })
})

describe('a 401 from upstream', () => {
  it('to all calls with an old token causes one refresh on two replicas', async () => {
    const [here, there] = (await replicas(2)) as [InProcessGateway, InProcessGateway]
    await connect(here, 'north', HOURS_8)
    for (const gateway of [here, there]) await search(gateway, 'north')
    notion.admin.expireAccessTokens()
    await Promise.all(times20.map((i) => search(i % 2 ? here : there, 'north')))
    expect(standings()).toEqual(['current'])
  })

  it('causes no refresh when a newer token is stored, with which calls succeed, and writes happen only once', async () => {
    const [here, there] = (await replicas(2)) as [InProcessGateway, InProcessGateway]
    await connect(here, 'north', HOURS_8)
    await search(there, 'north')
    // These arrive with the old token and are processed after the rotation.
    notion.setOptions({ mcpFaults: [{ kind: 'slow', tool: 'notion-create-pages', delayMs: 1_000, times: 20 }] })
    const writes = times20.map((i) =>
      there.callTool('north', 'notion-create-pages', { pages: [{ properties: { title: `In flight ${i}` } }] }),
    )
    await expect
      .poll(() => notion.recorded.mcpRequests.filter(({ tool }) => tool === 'notion-create-pages').length)
      .toBe(20)
    notion.admin.expireAccessTokens()
    await search(here, 'north')
    expect(refreshes()).toHaveLength(1)

    for (const result of await Promise.all(writes)) expect(result.isError).not.toBe(true)
    expect(refreshes()).toHaveLength(1)
    const titles = notion.workspaces.flatMap(({ pages }) => [...pages.values()].map((page) => JSON.stringify(page)))
    for (const i of times20) expect(titles.filter((page) => page.includes(`"In flight ${i}"`))).toHaveLength(1)
  })

  it('right after a refresh causes a retry of the call with the same token, which may not have propagated yet', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 1)
    notion.options.mcpFaults.push({ kind: 'unauthorized', method: 'tools/call' })
    await search(gateway, 'north')
    expect(refreshes()).toHaveLength(1)
    expect(notion.recorded.mcpRequests.map(({ credential }) => credential.generation)).toEqual([1, 1])
  })

  it('before the new token has propagated causes a pause and no further refresh', async () => {
    const gateway = await start({ failpoints: { times: { ...times, propagationPauseMs: 1_200 } } })
    await connectExpired(gateway, 'north')
    notion.setOptions({ kvLagMs: 700 })
    await search(gateway, 'north')
    expect(standings()).toEqual(['current'])
    expect(notion.recorded.mcpRequests.map(({ credential }) => credential.standing)).toEqual(['not-yet-known', 'valid'])
    notion.setOptions({ kvLagMs: 0 })
    expect(await isAlive(gateway, 'north')).toBe(true)
  })

  it('that persists causes one refresh, two calls with the new token, and an error with the time of the next attempt', async () => {
    const gateway = await start()
    await connect(gateway, 'north', HOURS_8)
    notion.options.mcpFaults.push({ kind: 'unauthorized', times: 'always' })
    const response = await gateway.call('north', list)
    expect([response.status, response.headers.get('retry-after')]).toEqual([502, '60'])
    expect(await response.json()).toMatchObject({ code: 'upstream_refuses_token' })
    expect(refreshes()).toHaveLength(1)
    expect(notion.recorded.mcpRequests).toHaveLength(3)
  })

  it.each([
    ['a lost connection', { kind: 'lost-response' }, 502],
    ['an error of the edge', { kind: 'edge-error', status: 503 }, 503],
    ['a rate limit of the edge', { kind: 'edge-rate-limit' }, 429],
  ] as const)('is the only response that causes a retry, unlike %s', async (_what, fault, status) => {
    const gateway = await start()
    await connect(gateway, 'north', HOURS_8)
    notion.options.mcpFaults.push({ ...fault, method: 'tools/call' })
    const call = { id: 1, method: 'tools/call', params: { name: 'notion-search', arguments: { query: 'x' } } }
    expect((await gateway.call('north', call)).status).toBe(status)
    expect(notion.recorded.mcpRequests).toHaveLength(1)
  })
})

describe('a final refusal', () => {
  it('is recorded, requires a reconnect, and is followed by no further token request, even after a restart', async () => {
    const [here, there] = (await replicas(2)) as [InProcessGateway, InProcessGateway]
    await connect(here, 'north', 1)
    notion.admin.revokeGrants()
    const responses = await Promise.all(times20.map((i) => (i % 2 ? here : there).call('north', list)))
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]))
    expect(refreshes()).toHaveLength(1)

    const restarted = await start({ databaseUrl: here.databaseUrl })
    for (const gateway of [here, there, restarted]) {
      const response = await gateway.call('north', list)
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ code: 'reconnect_required' })
      await gateway.gateway.refreshDue()
    }
    expect(refreshes()).toHaveLength(1)
    expect(await here.connection('north')).toMatchObject({ status: 'reconnect_required', reason: 'revoked' })
    expect((await here.history('north')).events[0]).toMatchObject({
      type: 'NotionIntegrationAuthorizationFailed',
      error: 'invalid_grant',
    })
  })

  it('of a deleted client requires a reconnect, which registers a new client and keeps the process ID', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 1)
    const before = await gateway.connection('north')
    notion.admin.forgetClients()
    expect((await gateway.call('north', list)).status).toBe(401)
    expect(refreshes()).toHaveLength(1)
    expect(await gateway.connection('north')).toMatchObject({ status: 'reconnect_required', reason: 'client_lost' })

    await gateway.connect('north')
    expect(notion.recorded.registrations).toHaveLength(1)
    const after = await gateway.connection('north')
    expect(after).toMatchObject({ status: 'connected', processId: before.processId })
    await search(gateway, 'north')
    expect(await isAlive(gateway, 'north')).toBe(true)
  })
})

describe('a token request without a readable response', () => {
  it.each<[string, TokenFault, string[]]>([
    ['a response lost after the rotation', { kind: 'lost-response' }, ['current', 'previous']],
    ['a truncated response', { kind: 'cut-body' }, ['current', 'previous']],
    ['broken JSON after the rotation', { kind: 'not-json' }, ['current', 'previous']],
    ['a web page after the rotation', { kind: 'html-after' }, ['current', 'previous']],
    ['a web page', { kind: 'html' }, ['(nothing)', 'current']],
    ['a server error after the rotation', { kind: 'server-error-after', status: 502 }, ['current', 'previous']],
    ['a server error', { kind: 'server-error', status: 500 }, ['(nothing)', 'current']],
    ['a lost request', { kind: 'lost-request' }, ['(nothing)', 'current']],
    [
      'a temporary OAuth error',
      { kind: 'refused', error: 'temporarily_unavailable', status: 400 },
      ['(nothing)', 'current'],
    ],
  ])('is repeated once and promptly after %s, and the call succeeds', async (_what, fault, presented) => {
    const gateway = await start()
    await connectRejected(gateway, 'north')
    faulty(fault)
    await search(gateway, 'north')
    expect(standings().map((standing) => standing ?? '(nothing)')).toEqual(presented)
    expect(await isAlive(gateway, 'north')).toBe(true)
  })

  it.each<[string, TokenFault]>([
    ['before the rotation', { kind: 'rate-limited', retryAfterSeconds: 2 }],
    ['after the rotation', { kind: 'rate-limited-after', retryAfterSeconds: 2 }],
  ])('is repeated only after Retry-After of a 429 %s', async (_when, fault) => {
    const gateway = await start()
    await connectRejected(gateway, 'north')
    faulty(fault)
    const startedAt = performance.now()
    const response = await gateway.call('north', list)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(2)
    expect((await gateway.call('north', list)).status).toBe(503)
    expect(await gateway.connection('north')).toMatchObject({ status: 'connected' })
    expect(refreshes()).toHaveLength(1)
    expect(await isAlive(gateway, 'north')).toBe(true)
    expect(performance.now() - startedAt).toBeGreaterThan(2_000)
  })

  it('twice in a row causes a growing pause and never ends the connection', async () => {
    const gateway = await start()
    await connectRejected(gateway, 'north')
    faulty({ kind: 'lost-response', times: 2 })
    const response = await gateway.call('north', list)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(standings()).toEqual(['current', 'previous'])
    expect(await isAlive(gateway, 'north')).toBe(true)
    expect(standings()).not.toContain('retired')
  })

  it('within its deadline is not repeated while the server may still be processing it', async () => {
    const gateway = await start({
      failpoints: { times: { ...times, mayRedeemForMs: 500, redeemWithinMs: 1_000, silencePauseMs: 2_000 } },
    })
    await connectRejected(gateway, 'north')
    faulty({ kind: 'slow', delayMs: 1_800 })
    expect((await gateway.call('north', list)).status).toBe(503)
    expect(await isAlive(gateway, 'north')).toBe(true)
    expect(standings().slice(0, 2)).toEqual(['current', 'previous'])
  })

  it('leaves the access token in use while it is valid', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 50)
    faulty({ kind: 'server-error', times: 'always', status: 503 })
    for (let i = 0; i < 5; i++) await search(gateway, 'north')
    expect(refreshes().length).toBeLessThanOrEqual(2)
    expect(await gateway.connection('north')).toMatchObject({ status: 'connected' })
  })
})

describe('an authorization server that is down', () => {
  it('gets occasional requests instead of one per call and is used again soon after it is back', async () => {
    const gateway = await start()
    const spaces = Array.from({ length: 12 }, (_, i) => `space-${i}`)
    await connectExpired(gateway, ...spaces)
    faulty({ kind: 'server-error', times: 'always', status: 503 })
    for (const space of spaces) expect((await gateway.call(space, list)).status).toBe(503)
    expect(gateway.logs()).toContain('authorization_server.down')
    // Three connections failed, with one repetition each.
    expect(refreshes()).toHaveLength(6)

    notion.setOptions({ tokenFaults: [] })
    await expect
      .poll(async () => Promise.all(spaces.map(async (space) => (await gateway.call(space, list)).status)), {
        timeout: 15_000,
        interval: 300,
      })
      .toEqual(spaces.map(() => 200))
    expect(gateway.logs()).toContain('authorization_server.up')
  })
})

describe('a refresh in flight', () => {
  it('leaves no grant behind when the space is disconnected meanwhile', async () => {
    const gateway = await start()
    await connectRejected(gateway, 'north')
    faulty({ kind: 'slow-after', delayMs: 800 })
    const call = gateway.call('north', list)
    await expect.poll(() => refreshes().length).toBe(1)
    await gateway.fetch('/integrations/notion/north', { method: 'DELETE' })
    expect((await call).status).toBe(404)
    await expect.poll(() => notion.admin.grants().map(({ status }) => status)).toEqual(['revoked'])
    expect(await gateway.connection('north')).toMatchObject({ status: 'disconnected' })
  })

  it('gives way to a new consent', async () => {
    const gateway = await start()
    await connectRejected(gateway, 'north')
    faulty({ kind: 'slow-after', delayMs: 800 })
    const call = gateway.call('north', list)
    await expect.poll(() => refreshes().length).toBe(1)
    await gateway.connect('north')
    expect((await call).status).toBe(200)
    notion.admin.expireAccessTokens()
    await search(gateway, 'north')
    expect((await gateway.connection('north')).status).toBe('connected')
    expect(notion.admin.grants().filter(({ status }) => status === 'active')).toHaveLength(1)
  })
})

describe('a pair of tokens that the database does not accept', () => {
  it('is retried with alerts until it is stored, and not used before', async () => {
    const line = await databaseLine((await testDatabase()).url)
    const steps: string[] = []
    const onStep = (step: string) => {
      steps.push(step)
      if (step === 'response_received' && steps.filter((one) => one === step).length === 1) line.cut()
    }
    const gateway = await start({ databaseUrl: line.url, failpoints: { times, wrapPorts: observeSteps(onStep) } })
    try {
      await connectRejected(gateway, 'north')
      const call = gateway.call('north', list)
      await expect.poll(() => gateway.logs()).toContain('credential.not_stored')
      expect(notion.recorded.mcpRequests.map(({ credential }) => credential.generation)).toEqual([0])
      line.heal()
      expect((await call).status).toBe(200)
      const alerts = gateway
        .logs()
        .split('\n')
        .filter((text) => text.includes('credential.not_stored'))
        .map((text) => JSON.parse(text) as object)
      expect(alerts[0]).toMatchObject({ level: 'error', alert: true, space: 'north' })
      expect(gateway.logs()).toContain('credential.stored_late')
      // One redemption, whose result is stored.
      expect(standings()).toEqual(['current'])
      expect(steps).toContain('stored')
      expect(await isAlive(gateway, 'north')).toBe(true)
      expect(standings()).toEqual(['current', 'current'])
    } finally {
      line.heal()
      await stop(gateway)
      await line.close()
    }
  })

  it('permanently does not block the space after a new consent', async () => {
    const gateway = await start({ failpoints: { times: { ...times, callTimeoutMs: 500 } } })
    await connectRejected(gateway, 'north')
    await query(
      gateway.databaseUrl,
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
       create trigger refuse before insert on gateway.connection_events for each row
         when (new.event->>'type' = 'NotionIntegrationTokenRefreshed') execute function refuse()`,
    )
    expect((await gateway.call('north', list)).status).toBe(503)
    expect(gateway.logs()).toContain('credential.not_stored')
    await gateway.connect('north')
    expect((await gateway.call('north', list)).status).toBe(200)
    await query(gateway.databaseUrl, 'drop trigger refuse on gateway.connection_events')
    notion.admin.expireAccessTokens()
    await search(gateway, 'north')
    expect((await gateway.connection('north')).status).toBe('connected')
  })
})

async function query(databaseUrl: string, text: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(text)
  await client.end()
}
