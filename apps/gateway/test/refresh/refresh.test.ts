/** Whole gateways over HTTP against the simulator: who refreshes when, and what becomes of the calls meanwhile. */
import { startSimulator, type Simulator, type TokenFault } from 'notion-simulator'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REFRESH_TIMES } from '../../src/connections/refresh-schedule.ts'
import { testDatabase } from '@nmg/process/testing'
import { startGateway, type GatewayTestOptions, type InProcessGateway } from '../support/gateway.ts'
import { databaseLine } from './database-line.ts'

const HOURS_8 = 28_800
const times = { ...REFRESH_TIMES, silencePauseMs: 300, propagationPauseMs: 100 }

let notion: Simulator
const running: InProcessGateway[] = []

beforeEach(async () => {
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null } })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
  await notion.close()
})

async function start({ env, ...options }: Partial<GatewayTestOptions> = {}): Promise<InProcessGateway> {
  const gateway = await startGateway({
    mcpUrl: notion.mcpUrl,
    failpoints: { times },
    env: { SHUTDOWN_GRACE_SECONDS: '0', ...env },
    ...options,
  })
  running.push(gateway)
  return gateway
}

/** Replicas on one database. */
async function replicas(count: number): Promise<[InProcessGateway, ...InProcessGateway[]]> {
  const first = await start()
  const others = Array.from({ length: count - 1 }, () => start({ databaseUrl: first.databaseUrl }))
  return [first, ...(await Promise.all(others))]
}

/** Connects the space with an access token that lives for so long; later ones live as usual. */
async function connect(gateway: InProcessGateway, space: string, lifeSeconds: number): Promise<void> {
  notion.setOptions({ accessTtlSeconds: lifeSeconds })
  await gateway.connect(space)
  notion.setOptions({ accessTtlSeconds: HOURS_8 })
  notion.clearRecorded()
}

/** Connects the space with an access token that Notion does not take any more. */
async function connectRefused(gateway: InProcessGateway, space: string): Promise<void> {
  await connect(gateway, space, HOURS_8)
  notion.admin.expireAccessTokens()
}

/** Connects the spaces, and waits until their access tokens are over. */
async function connectUntilOver(gateway: InProcessGateway, ...spaces: string[]): Promise<void> {
  for (const space of spaces) await connect(gateway, space, 1)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
}

const refreshes = () => notion.recorded.tokenRequests.filter(({ grantType }) => grantType === 'refresh_token')
const standings = () => refreshes().map(({ presented }) => presented?.standing)
const times20 = Array.from({ length: 20 }, (_, i) => i)
const list = { id: 1, method: 'tools/list' }
const search = (gateway: InProcessGateway, space: string) => gateway.callTool(space, 'notion-search', { query: 'plan' })
const faulty = (...faults: TokenFault[]) => notion.options.tokenFaults.push(...faults)

/** Proves that the stored refresh token is good still: by using it. */
async function isAlive(gateway: InProcessGateway, space: string): Promise<boolean> {
  notion.admin.expireAccessTokens()
  await expect.poll(async () => (await gateway.call(space, list)).status, { timeout: 10_000, interval: 200 }).toBe(200)
  return notion.admin.grants().every(({ status }) => status === 'active')
}

describe('a grant without a refresh token', () => {
  const reconnect = expect.objectContaining({ code: 'reconnect_required' }) as unknown
  const asTold = async (gateway: InProcessGateway) => {
    const answer = await gateway.call('north', list)
    return [answer.status, await answer.json()]
  }

  it.each([
    ['when upstream refuses its access token', HOURS_8, 'revoked'],
    ['when its access token is over', 1, 'expired'],
  ])('is used, and must be given again %s', async (_when, lifeSeconds, reason) => {
    const gateway = await start()
    notion.setOptions({ refreshTokens: false })
    await connect(gateway, 'north', lifeSeconds)
    expect((await gateway.call('north', list)).status).toBe(200)
    await gateway.gateway.refreshDue()
    const { status, tokenExpiresAt, reconnectBy } = await gateway.connection('north')
    expect([status, reconnectBy]).toEqual(['connected', tokenExpiresAt])

    if (reason === 'revoked') notion.admin.expireAccessTokens()
    else await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(await asTold(gateway)).toEqual([401, reconnect])
    expect(await gateway.connection('north')).toMatchObject({ status: 'reconnect_required', reason })
    expect((await gateway.history('north')).events[0]).toMatchObject({ error: 'invalid_token', reason })
    expect(await asTold(gateway)).toEqual([401, reconnect])
    expect(refreshes()).toEqual([])
  })

  it('is noticed to be over although nobody calls', async () => {
    const gateway = await start()
    notion.setOptions({ refreshTokens: false })
    await connectUntilOver(gateway, 'north')
    await gateway.gateway.refreshDue()
    expect(await gateway.connection('north')).toMatchObject({ status: 'reconnect_required', reason: 'expired' })
    expect(notion.recorded.tokenRequests).toEqual([])
    await connect(gateway, 'north', HOURS_8)
    expect((await gateway.call('north', list)).status).toBe(200)
  })

  it('is revoked by its access token when it is disconnected', async () => {
    const gateway = await start()
    notion.setOptions({ refreshTokens: false })
    await connect(gateway, 'north', HOURS_8)
    const receipt = await gateway.fetch('/integrations/notion/north', { method: 'DELETE' })
    expect(await receipt.json()).toMatchObject({ changed: true, revocation: 'revoked' })
  })
})

describe('an access token about to end', () => {
  it.each([1, 2])('is renewed once, however many calls on %i replicas want it', async (count) => {
    const gateways = await replicas(count)
    await connect(gateways[0], 'north', 30)
    const answers = await Promise.all(
      times20.map((i) => (gateways[i % count] as InProcessGateway).call('north', { ...list, id: i })),
    )
    expect(answers.map(({ status }) => status)).toEqual(times20.map(() => 200))
    expect(standings()).toEqual(['current'])
    expect((await gateways[0].connection('north')).lastRefreshedAt).toBeDefined()
  })

  it('is renewed when it ends within the margin, and not before', async () => {
    const gateway = await start({ env: { NOTION_MCP_REFRESH_MARGIN_SECONDS: '100' } })
    await connect(gateway, 'north', 110)
    await search(gateway, 'north')
    expect(refreshes()).toHaveLength(0)
    await connect(gateway, 'south', 90)
    await search(gateway, 'south')
    expect(refreshes()).toHaveLength(1)
  })

  it('is not renewed by each call when no token lives longer than the margin', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 30)
    notion.setOptions({ accessTtlSeconds: 30 })
    for (let i = 0; i < 5; i++) await search(gateway, 'north')
    expect(refreshes()).toHaveLength(1)
  })

  it('does not hold up the calls of another space while its own renewal is slow', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 1)
    await connect(gateway, 'south', HOURS_8)
    faulty({ kind: 'slow', delayMs: 1_500 })
    const slow = search(gateway, 'north')
    const begun = performance.now()
    await search(gateway, 'south')
    expect(performance.now() - begun).toBeLessThan(1_000)
    await slow
  })
})

describe('401 from upstream', () => {
  it('on every call, for one old token, brings one refresh over two replicas', async () => {
    const [here, there] = (await replicas(2)) as [InProcessGateway, InProcessGateway]
    await connect(here, 'north', HOURS_8)
    for (const gateway of [here, there]) await search(gateway, 'north')
    notion.admin.expireAccessTokens()
    await Promise.all(times20.map((i) => search(i % 2 ? here : there, 'north')))
    expect(standings()).toEqual(['current'])
  })

  it('brings none when the store has a newer token, and the calls succeed by it; also writes, and each only once', async () => {
    const [here, there] = (await replicas(2)) as [InProcessGateway, InProcessGateway]
    await connect(here, 'north', HOURS_8)
    await search(there, 'north')
    // These arrive with the old token, and are looked at after the rotation.
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

  it('right after a refresh has the call sent once more, not another refresh: the token may not be known everywhere yet', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 1)
    notion.options.mcpFaults.push({ kind: 'unauthorized', method: 'tools/call' })
    await search(gateway, 'north')
    expect(refreshes()).toHaveLength(1)
    expect(notion.recorded.mcpRequests.map(({ credential }) => credential.generation)).toEqual([1, 1])
  })

  it('because the new token is not known everywhere yet is waited out, and the new refresh token not risked', async () => {
    const gateway = await start({ failpoints: { times: { ...times, propagationPauseMs: 1_200 } } })
    await connectUntilOver(gateway, 'north')
    notion.setOptions({ kvLagMs: 700 })
    await search(gateway, 'north')
    expect(standings()).toEqual(['current'])
    expect(notion.recorded.mcpRequests.map(({ credential }) => credential.standing)).toEqual(['not-yet-known', 'valid'])
    notion.setOptions({ kvLagMs: 0 })
    expect(await isAlive(gateway, 'north')).toBe(true)
  })

  it('that stays brings one refresh, the new token twice, and then an error that says when the next attempt is', async () => {
    const gateway = await start()
    await connect(gateway, 'north', HOURS_8)
    notion.options.mcpFaults.push({ kind: 'unauthorized', times: 'always' })
    const answer = await gateway.call('north', list)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([502, '60'])
    expect(await answer.json()).toMatchObject({ code: 'upstream_refuses_token' })
    expect(refreshes()).toHaveLength(1)
    expect(notion.recorded.mcpRequests).toHaveLength(3)
  })

  it.each([
    ['a connection that broke', { kind: 'lost-response' }, 502],
    ['an error of the edge', { kind: 'edge-error', status: 503 }, 503],
    ['a rate limit of the edge', { kind: 'edge-rate-limit' }, 429],
  ] as const)('is the only answer that has a call sent again: not %s', async (_what, fault, status) => {
    const gateway = await start()
    await connect(gateway, 'north', HOURS_8)
    notion.options.mcpFaults.push({ ...fault, method: 'tools/call' })
    const call = { id: 1, method: 'tools/call', params: { name: 'notion-search', arguments: { query: 'x' } } }
    expect((await gateway.call('north', call)).status).toBe(status)
    expect(notion.recorded.mcpRequests).toHaveLength(1)
  })
})

describe('a final refusal', () => {
  it('is an event, asks for a reconnect, and is followed by not one further token request, also after a restart', async () => {
    const [here, there] = (await replicas(2)) as [InProcessGateway, InProcessGateway]
    await connect(here, 'north', 1)
    notion.admin.revokeGrants()
    const answers = await Promise.all(times20.map((i) => (i % 2 ? here : there).call('north', list)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expect(refreshes()).toHaveLength(1)

    const again = await start({ databaseUrl: here.databaseUrl })
    for (const gateway of [here, there, again]) {
      const answer = await gateway.call('north', list)
      expect(answer.status).toBe(401)
      expect(await answer.json()).toMatchObject({ code: 'reconnect_required' })
      await gateway.gateway.refreshDue()
    }
    expect(refreshes()).toHaveLength(1)
    expect(await here.connection('north')).toMatchObject({ status: 'reconnect_required', reason: 'revoked' })
    expect((await here.history('north')).events[0]).toMatchObject({
      type: 'NotionIntegrationAuthorizationFailed',
      error: 'invalid_grant',
    })
  })

  it('because the client is gone asks for a reconnect that registers a new one, under the same process', async () => {
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

describe('an answer that is none', () => {
  it.each<[string, TokenFault, string[]]>([
    ['an answer that was lost after the rotation', { kind: 'lost-response' }, ['current', 'previous']],
    ['an answer that was cut off', { kind: 'cut-body' }, ['current', 'previous']],
    ['broken JSON after the rotation', { kind: 'not-json' }, ['current', 'previous']],
    ['a web page after the rotation', { kind: 'html-after' }, ['current', 'previous']],
    ['a web page', { kind: 'html' }, ['(nothing)', 'current']],
    ['a server error after the rotation', { kind: 'server-error-after', status: 502 }, ['current', 'previous']],
    ['a server error', { kind: 'server-error', status: 500 }, ['(nothing)', 'current']],
    ['a request that was lost', { kind: 'lost-request' }, ['(nothing)', 'current']],
    [
      'an OAuth error that says to try again',
      { kind: 'refused', error: 'temporarily_unavailable', status: 400 },
      ['(nothing)', 'current'],
    ],
  ])('%s, is followed by one attempt more, at once, and the call succeeds', async (_what, fault, presented) => {
    const gateway = await start()
    await connectRefused(gateway, 'north')
    faulty(fault)
    await search(gateway, 'north')
    expect(standings().map((standing) => standing ?? '(nothing)')).toEqual(presented)
    expect(await isAlive(gateway, 'north')).toBe(true)
  })

  it.each<[string, TokenFault]>([
    ['before it did anything', { kind: 'rate-limited', retryAfterSeconds: 2 }],
    ['after it rotated the token', { kind: 'rate-limited-after', retryAfterSeconds: 2 }],
  ])('429, given by the server %s, is waited out as long as it says', async (_when, fault) => {
    const gateway = await start()
    await connectRefused(gateway, 'north')
    faulty(fault)
    const begun = performance.now()
    const answer = await gateway.call('north', list)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(2)
    expect((await gateway.call('north', list)).status).toBe(503)
    expect(await gateway.connection('north')).toMatchObject({ status: 'connected' })
    expect(refreshes()).toHaveLength(1)
    expect(await isAlive(gateway, 'north')).toBe(true)
    expect(performance.now() - begun).toBeGreaterThan(2_000)
  })

  it('twice in a row leads to growing pauses and never to the end of the connection', async () => {
    const gateway = await start()
    await connectRefused(gateway, 'north')
    faulty({ kind: 'lost-response', times: 2 })
    const answer = await gateway.call('north', list)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(standings()).toEqual(['current', 'previous'])
    expect(await isAlive(gateway, 'north')).toBe(true)
    expect(standings()).not.toContain('retired')
  })

  it('from a server that is slower than its deadline is not followed by a second request while it is at work', async () => {
    const gateway = await start({
      failpoints: { times: { ...times, mayRedeemForMs: 500, redeemWithinMs: 1_000, silencePauseMs: 2_000 } },
    })
    await connectRefused(gateway, 'north')
    faulty({ kind: 'slow', delayMs: 1_800 })
    expect((await gateway.call('north', list)).status).toBe(503)
    expect(await isAlive(gateway, 'north')).toBe(true)
    expect(standings().slice(0, 2)).toEqual(['current', 'previous'])
  })

  it('leaves the access token in use for as long as it is good', async () => {
    const gateway = await start()
    await connect(gateway, 'north', 50)
    faulty({ kind: 'server-error', times: 'always', status: 503 })
    for (let i = 0; i < 5; i++) await search(gateway, 'north')
    expect(refreshes().length).toBeLessThanOrEqual(2)
    expect(await gateway.connection('north')).toMatchObject({ status: 'connected' })
  })
})

describe('an authorization server that is down', () => {
  it('is asked now and then, not once for each call, and is used again soon after it is back', async () => {
    const gateway = await start()
    const spaces = Array.from({ length: 12 }, (_, i) => `space-${i}`)
    await connectUntilOver(gateway, ...spaces)
    faulty({ kind: 'server-error', times: 'always', status: 503 })
    for (const space of spaces) expect((await gateway.call(space, list)).status).toBe(503)
    expect(gateway.logs()).toContain('authorization_server.down')
    // Three connections found out, with one repetition each.
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

describe('a refresh that something else overtakes', () => {
  it('leaves nothing behind when the space is disconnected meanwhile', async () => {
    const gateway = await start()
    await connectRefused(gateway, 'north')
    faulty({ kind: 'slow-after', delayMs: 800 })
    const call = gateway.call('north', list)
    await expect.poll(() => refreshes().length).toBe(1)
    await gateway.fetch('/integrations/notion/north', { method: 'DELETE' })
    expect((await call).status).toBe(404)
    await expect.poll(() => notion.admin.grants().map(({ status }) => status)).toEqual(['revoked'])
    expect(await gateway.connection('north')).toMatchObject({ status: 'disconnected' })
  })

  it('gives way to a consent that a person gives meanwhile', async () => {
    const gateway = await start()
    await connectRefused(gateway, 'north')
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

describe('a pair that the database does not take', () => {
  it('is kept, tried again, and raised as an alert, until it is stored; nobody uses it before', async () => {
    const line = await databaseLine((await testDatabase()).url)
    const steps: string[] = []
    const onStep = (step: string) => {
      steps.push(step)
      if (step === 'answered' && steps.filter((one) => one === step).length === 1) line.cut()
    }
    const gateway = await start({ databaseUrl: line.url, failpoints: { times, onStep } })
    try {
      await connectRefused(gateway, 'north')
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
      // One redemption, and what it brought is what is stored.
      expect(standings()).toEqual(['current'])
      expect(steps).toContain('stored')
      expect(await isAlive(gateway, 'north')).toBe(true)
      expect(standings()).toEqual(['current', 'current'])
    } finally {
      line.heal()
      await gateway.stop()
      running.splice(running.indexOf(gateway), 1)
      await line.close()
    }
  })

  it('for good does not hold up the space once a person has consented again', async () => {
    const gateway = await start({ failpoints: { times: { ...times, callTimeoutMs: 500 } } })
    await connectRefused(gateway, 'north')
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
