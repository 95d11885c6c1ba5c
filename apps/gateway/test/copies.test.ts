/** Gateways on restored or copied databases: the original keeps its grants, whatever happens to the copy. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HoldReason } from '@nmg/contract'
import { hasRedis, testRedisUrl } from '@nmg/process/testing'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { cloneByTemplate, databaseCommand, dump, withClient } from './support/database-copies.ts'
import { startGateway, type GatewayTestOptions, type InProcessGateway } from './support/gateway.ts'

let notion: Simulator
const running = new Set<InProcessGateway>()

beforeEach(async () => {
  // The strictest server, which revokes the grant when a replaced token is presented.
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null, graceMs: 0 } })
})
afterEach(async () => {
  await Promise.all([...running].map(stop))
  await notion.close()
})

async function start({ env, ...options }: Partial<GatewayTestOptions> = {}): Promise<InProcessGateway> {
  const gateway = await startGateway({
    mcpUrl: notion.mcpUrl,
    env: { SHUTDOWN_GRACE_SECONDS: '0', ...env },
    ...options,
  })
  running.add(gateway)
  return gateway
}

async function stop(gateway: InProcessGateway): Promise<void> {
  running.delete(gateway)
  await gateway.stop()
}

const list = { id: 1, method: 'tools/list' }
const statusOf = async (gateway: InProcessGateway, space = 'north') => (await gateway.call(space, list)).status
const tokensSent = () => notion.recorded.tokenRequests.map(({ grantType }) => grantType)
const grantStates = () => notion.admin.grants().map(({ status }) => status)

/** Uses a refresh token of this gateway. @returns the status of the call that needs it. */
async function refreshed(gateway: InProcessGateway, space = 'north'): Promise<number> {
  notion.admin.expireAccessTokens()
  return statusOf(gateway, space)
}

/** The expected connection while the database is held for these reasons. */
const heldFor = (...reasons: HoldReason[]) => ({
  status: 'connected',
  hold: { since: expect.any(String) as string, reasons },
})

/** A folder for the credential mark that outlives a gateway. */
function markPlace(): Pick<GatewayTestOptions, 'locations'> {
  const markFolder = mkdtempSync(join(tmpdir(), 'nmg-marks-'))
  onTestFinished(() => rmSync(markFolder, { recursive: true, force: true }))
  return { locations: { dataFolder: null, markFolder } }
}

describe('a stale dump restored beside the running original', () => {
  it('sends no token, and the original keeps its grants', async () => {
    const original = await start()
    await original.connect('north')
    await original.connect('south')
    const stale = await dump(original.databaseUrl)
    expect(await refreshed(original)).toBe(200)

    notion.clearRecorded()
    const copy = await start({ databaseUrl: await stale.restore() })
    await copy.gateway.refreshDue()
    const response = await copy.call('north', list)
    expect([response.status, await response.json()]).toEqual([
      503,
      expect.objectContaining({
        code: 'refresh_unavailable',
        detail: expect.stringMatching(/npm run database/) as string,
      }),
    ])
    expect(response.headers.get('retry-after')).toBe('60')
    expect(await copy.connection('north')).toMatchObject(heldFor('restored_dump', 'copied_database'))
    expect(await (await copy.fetch('/readyz')).json()).toMatchObject({
      status: 'ready',
      hold: { reasons: ['restored_dump', 'copied_database'] },
    })

    // No revocation or authorization request is sent either.
    expect(await (await copy.fetch('/integrations/notion/south', { method: 'DELETE' })).json()).toMatchObject({
      changed: true,
      revocation: 'failed',
    })
    expect((await copy.fetch('/integrations/notion/oauth/mcp/start?space_id=north')).status).toBe(503)
    expect(tokensSent()).toEqual([])
    expect(await refreshed(original)).toBe(200)
    expect(await refreshed(original, 'south')).toBe(200)
    expect(grantStates()).toEqual(['active', 'active'])
  })

  it('uses an access token while it is valid', async () => {
    const original = await start()
    await original.connect('north')
    const copy = await start({ databaseUrl: await (await dump(original.databaseUrl)).restore() })
    expect(await statusOf(copy)).toBe(200)
    expect(await copy.connection('north')).toMatchObject(heldFor('restored_dump', 'copied_database'))
    expect((await original.connection('north')).hold).toBeUndefined()
  })

  it('loses its credentials without a revocation by detach and can connect again', async () => {
    const original = await start()
    await original.connect('north')
    const databaseUrl = await (await dump(original.databaseUrl)).restore()
    const copy = await start({ databaseUrl })
    notion.clearRecorded()
    expect(await databaseCommand('detach', { DATABASE_URL: databaseUrl })).toMatch(/credentials of 1 connections here/)
    await expect.poll(() => statusOf(copy)).toBe(401)
    expect(await copy.connection('north')).toMatchObject({ status: 'reconnect_required', reason: 'detached' })
    expect(tokensSent()).toEqual([])
    const stored = await withClient(databaseUrl, (client) =>
      client.query(`select (select count(*)::int from gateway.data_keys) as keys,
                           (select count(*)::int from gateway.connection_events where event->'credential'->>'sealed' <> '') as sealed`),
    )
    expect(stored.rows).toEqual([{ keys: 0, sealed: 0 }])

    await copy.gateway.refreshDue()
    await copy.connect('north')
    expect(await refreshed(copy)).toBe(200)
    expect(await refreshed(original)).toBe(200)
    expect(grantStates()).toEqual(['active', 'active'])
  })

  it('takes over from the stopped original after adopt', async () => {
    const original = await start()
    await original.connect('north')
    const databaseUrl = await (await dump(original.databaseUrl)).restore()
    await stop(original)
    const copy = await start({ databaseUrl })
    expect(await refreshed(copy)).toBe(503)
    expect(await databaseCommand('status', { DATABASE_URL: databaseUrl })).toMatch(
      /hold .*restored_dump, copied_database/,
    )
    await databaseCommand('adopt', { DATABASE_URL: databaseUrl })
    await copy.gateway.refreshDue()
    expect((await copy.connection('north')).hold).toBeUndefined()
    expect(await refreshed(copy)).toBe(200)
    await stop(copy)
    expect(await refreshed(await start({ databaseUrl }))).toBe(200)
    expect(grantStates()).toEqual(['active'])
  })
})

describe('a database restored in place', () => {
  it('is detected by a running gateway before its next refresh', async () => {
    const gateway = await start()
    await gateway.connect('north')
    const stale = await dump(gateway.databaseUrl)
    expect(await refreshed(gateway)).toBe(200)
    await stale.restoreInto(gateway.databaseUrl)
    notion.clearRecorded()
    expect(await refreshed(gateway)).toBe(503)
    expect(await gateway.connection('north')).toMatchObject(heldFor('restored_dump', 'credentials_missing'))
    expect(tokensSent()).toEqual([])
  })

  /** Restores the rows as a snapshot does, with their original transaction IDs. */
  async function putBackCount(databaseUrl: string): Promise<void> {
    await withClient(databaseUrl, (client) => client.query('update gateway.credential_count set value = value - 1'))
  }

  it('is detected by a running gateway if it has a lower count than the gateway has stored', async () => {
    const gateway = await start()
    await gateway.connect('north')
    await putBackCount(gateway.databaseUrl)
    notion.clearRecorded()
    expect(await refreshed(gateway)).toBe(503)
    expect(await gateway.connection('north')).toMatchObject(heldFor('credentials_missing'))
    expect(tokensSent()).toEqual([])
  })

  it('is detected at startup by the mark in a folder', async () => {
    const place = markPlace()
    const gateway = await start(place)
    const { databaseUrl } = gateway
    await gateway.connect('north')
    await stop(gateway)
    const restarted = await start({ databaseUrl, ...place })
    expect((await restarted.connection('north')).hold).toBeUndefined()
    await stop(restarted)
    await putBackCount(databaseUrl)
    expect(await (await start({ databaseUrl, ...place })).connection('north')).toMatchObject(
      heldFor('credentials_missing'),
    )
  })

  it.skipIf(!hasRedis())('is detected by the mark in Redis, even if a copy has stored more credentials', async () => {
    const env = { REDIS_URL: await testRedisUrl() }
    const original = await start({ env })
    await original.connect('north')
    await stop(original)
    const cloneUrl = await cloneByTemplate(original.databaseUrl)
    await databaseCommand('adopt', { DATABASE_URL: cloneUrl })
    const clone = await start({ env, databaseUrl: cloneUrl })
    expect(await refreshed(clone)).toBe(200)

    notion.clearRecorded()
    const late = await start({ env, databaseUrl: original.databaseUrl })
    expect(await refreshed(late)).toBe(503)
    expect(await late.connection('north')).toMatchObject(heldFor('credentials_missing'))
    expect(tokensSent()).toEqual([])
    expect(await refreshed(clone)).toBe(200)
    expect(grantStates()).toEqual(['active'])
  })
})

describe('a copy of the whole database', () => {
  it('made from a template is detected', async () => {
    const original = await start()
    await original.connect('north')
    await stop(original)
    const clone = await start({ databaseUrl: await cloneByTemplate(original.databaseUrl) })
    expect(await clone.connection('north')).toMatchObject(heldFor('copied_database'))
  })

  it('is detected by a different public URL, without effect on the original', async () => {
    const env = { GATEWAY_PUBLIC_URL: 'https://notion.example' }
    const original = await start({ env })
    const { databaseUrl } = original
    await original.connect('north')
    const staging = await start({ databaseUrl, env: { GATEWAY_PUBLIC_URL: 'https://staging.example' } })
    notion.clearRecorded()
    expect(await refreshed(staging)).toBe(503)
    expect(await staging.connection('north')).toMatchObject(heldFor('other_public_url'))
    expect(tokensSent()).toEqual([])
    expect(await refreshed(original)).toBe(200)
  })
})

describe('a move', () => {
  it('holds the original at once and lets the copy take over', async () => {
    const original = await start()
    const { databaseUrl } = original
    await original.connect('north')
    await databaseCommand('move', { DATABASE_URL: databaseUrl })
    expect(await refreshed(original)).toBe(503)
    expect(await original.connection('north')).toMatchObject(heldFor('moved_away'))
    const copy = await start({ databaseUrl: await (await dump(databaseUrl)).restore() })
    expect(await refreshed(copy)).toBe(200)
    notion.clearRecorded()
    await stop(original)
    expect(await refreshed(await start({ databaseUrl }))).toBe(503)
    expect(tokensSent()).toEqual([])
    expect(grantStates()).toEqual(['active'])
  })
})

describe('an unchanged database', () => {
  it.each([
    ['renamed', (name: string) => `alter database ${name} rename to ${name}_renamed`],
    ['rewritten by VACUUM', () => 'vacuum (full, freeze) gateway.database_identity'],
  ])('is used without a hold after it was %s', async (_what, statement) => {
    const gateway = await start()
    await gateway.connect('north')
    await stop(gateway)
    const url = new URL(gateway.databaseUrl)
    const sql = statement(url.pathname.slice(1))
    const server = new URL(url)
    if (sql.includes('rename')) server.pathname = 'postgres'
    server.username = 'postgres'
    server.password = ''
    await withClient(server.href, (client) => client.query(sql))
    if (sql.includes('rename')) url.pathname += '_renamed'
    const again = await start({ databaseUrl: url.href })
    expect(await refreshed(again)).toBe(200)
    expect((await again.connection('north')).hold).toBeUndefined()
  })
})
