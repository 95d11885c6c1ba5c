/** What a gateway does on a database that was restored or copied: the original keeps its grants, whatever happens to the copy. */
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
  // The strictest server: whoever presents a token that was replaced loses the grant at once.
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

/** The connection as it is while the database is held, for these reasons. */
const heldFor = (...reasons: HoldReason[]) => ({
  status: 'connected',
  hold: { since: expect.any(String) as string, reasons },
})

/** A place for the mark that outlives a gateway. */
function markPlace(): Pick<GatewayTestOptions, 'locations'> {
  const markFolder = mkdtempSync(join(tmpdir(), 'nmg-marks-'))
  onTestFinished(() => rmSync(markFolder, { recursive: true, force: true }))
  return { locations: { dataFolder: null, markFolder } }
}

describe('a stale dump restored beside the living original', () => {
  it('sends no token, and the original keeps its grants', async () => {
    const original = await start()
    await original.connect('north')
    await original.connect('south')
    const stale = await dump(original.databaseUrl)
    expect(await refreshed(original)).toBe(200)

    notion.clearRecorded()
    const copy = await start({ databaseUrl: await stale.restore() })
    await copy.gateway.refreshDue()
    const answer = await copy.call('north', list)
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({
        code: 'refresh_unavailable',
        detail: expect.stringMatching(/npm run database/) as string,
      }),
    ])
    expect(answer.headers.get('retry-after')).toBe('60')
    expect(await copy.connection('north')).toMatchObject(heldFor('restored_dump', 'copied_database'))
    expect(await (await copy.fetch('/readyz')).json()).toMatchObject({
      status: 'ready',
      hold: { reasons: ['restored_dump', 'copied_database'] },
    })

    // Nor is anything revoked, or asked for.
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

  it('uses an access token for as long as it is valid', async () => {
    const original = await start()
    await original.connect('north')
    const copy = await start({ databaseUrl: await (await dump(original.databaseUrl)).restore() })
    expect(await statusOf(copy)).toBe(200)
    expect(await copy.connection('north')).toMatchObject(heldFor('restored_dump', 'copied_database'))
    expect((await original.connection('north')).hold).toBeUndefined()
  })

  it('has its logins deleted, not revoked, by detach, and connects anew', async () => {
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

  it('goes on where the original has stopped, once it is adopted', async () => {
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

describe('a database that was put back in place', () => {
  it('is noticed before the next refresh of a gateway that runs on it', async () => {
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

  /** As after a snapshot: every row as it was, written by the transactions that wrote it. */
  async function putBackCount(databaseUrl: string): Promise<void> {
    await withClient(databaseUrl, (client) => client.query('update gateway.credential_count set value = value - 1'))
  }

  it('is noticed under a gateway that runs, when it counts less than that has stored', async () => {
    const gateway = await start()
    await gateway.connect('north')
    await putBackCount(gateway.databaseUrl)
    notion.clearRecorded()
    expect(await refreshed(gateway)).toBe(503)
    expect(await gateway.connection('north')).toMatchObject(heldFor('credentials_missing'))
    expect(tokensSent()).toEqual([])
  })

  it('is noticed at the start, by the mark in a folder', async () => {
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

  it.skipIf(!hasRedis())('is noticed by the mark in Redis, which a copy cannot outrun', async () => {
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
  it('made as a template is noticed', async () => {
    const original = await start()
    await original.connect('north')
    await stop(original)
    const clone = await start({ databaseUrl: await cloneByTemplate(original.databaseUrl) })
    expect(await clone.connection('north')).toMatchObject(heldFor('copied_database'))
  })

  it('is noticed by another public URL, which the original does not mind', async () => {
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
  it('has the original hold at once, and the copy go on', async () => {
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

describe('a database that is the same', () => {
  it.each([
    ['renamed', (name: string) => `alter database ${name} rename to ${name}_renamed`],
    ['rewritten by VACUUM', () => 'vacuum (full, freeze) gateway.database_identity'],
  ])('is used as before when it was %s', async (_what, statement) => {
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
