/** Gateways on real clusters that are copied, moved, crashed, promoted or restored. */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { databaseCommand, withClient } from '../test/support/database-copies.ts'
import {
  spawnGateway,
  startGateway,
  type GatewayClient,
  type GatewayTestOptions,
  type InProcessGateway,
  type ProcessGateway,
} from '../test/support/gateway.ts'
import { copyFiles, makeCluster, type Cluster } from './cluster.ts'

let notion: Simulator

beforeEach(async () => {
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null, graceMs: 0 } })
})
afterEach(() => notion.close())

const list = { id: 1, method: 'tools/list' }
const tokensSent = () => notion.recorded.tokenRequests.map(({ grantType }) => grantType)
const grantStates = () => notion.admin.grants().map(({ status }) => status)

/** Uses a refresh token of this gateway. @returns the status of the call that needs it. */
async function refreshed(gateway: GatewayClient): Promise<number> {
  notion.admin.expireAccessTokens()
  return (await gateway.call('north', list)).status
}

const reasonsOf = async (gateway: GatewayClient) => (await gateway.connection('north')).hold?.reasons

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-data-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Asserts that `copy` sends no token, that `original` keeps working, and that no grant is lost. */
async function isKeptFrom(copy: GatewayClient, original: GatewayClient): Promise<void> {
  notion.clearRecorded()
  expect(await refreshed(copy)).toBe(503)
  expect(tokensSent()).toEqual([])
  expect(await refreshed(original)).toBe(200)
  expect(await refreshed(original)).toBe(200)
  expect(new Set(grantStates())).toEqual(new Set(['active']))
}

describe('the folder of the embedded database', () => {
  const start = async (dataDir: string): Promise<ProcessGateway> => {
    const gateway = await spawnGateway({
      mcpUrl: notion.mcpUrl,
      env: { DATABASE_URL: '', DATA_DIR: dataDir, SHUTDOWN_GRACE_SECONDS: '0' },
    })
    onTestFinished(() => gateway.kill())
    return gateway
  }

  it.each([
    ['with the lock file of the running server', false],
    ['without it', true],
  ])('is detected as a copy made while the original runs, %s', async (_how, isWithoutPid) => {
    const [dataDir, copyDir] = [temporaryFolder(), join(temporaryFolder(), 'copy')]
    const original = await start(dataDir)
    await original.connect('north')
    await withClient(urlIn(dataDir), (client) => client.query('checkpoint'))
    copyFiles(dataDir, copyDir)
    if (isWithoutPid) rmSync(join(copyDir, 'postgres/postmaster.pid'))
    expect(await refreshed(original)).toBe(200)
    const copy = await start(copyDir)
    expect(await reasonsOf(copy)).toContain('copied_data_folder')
    await isKeptFrom(copy, original)
  })

  it('is used without a hold after a crash and after a rename', async () => {
    const [first, second] = [join(temporaryFolder(), 'data'), join(temporaryFolder(), 'data')]
    const original = await start(first)
    await original.connect('north')
    await original.kill()
    const afterCrash = await start(first)
    expect(await refreshed(afterCrash)).toBe(200)
    await afterCrash.stop()
    renameSync(first, second)
    const moved = await start(second)
    expect(await reasonsOf(moved)).toBeUndefined()
    expect(await refreshed(moved)).toBe(200)
    expect(grantStates()).toEqual(['active'])
  })

  it('takes over at its new location after an announced move', async () => {
    const [dataDir, target] = [join(temporaryFolder(), 'data'), join(temporaryFolder(), 'data')]
    const original = await start(dataDir)
    await original.connect('north')
    await original.stop()
    await databaseCommand('move', { DATA_DIR: dataDir })
    copyFiles(dataDir, target)
    const moved = await start(target)
    expect(await reasonsOf(moved)).toBeUndefined()
    expect(await refreshed(moved)).toBe(200)
    const left = await start(dataDir)
    expect(await reasonsOf(left)).toEqual(['moved_away'])
    await isKeptFrom(left, moved)
  })
})

const urlIn = (dataDir: string) =>
  `postgresql://postgres@localhost:5432/gateway?host=${encodeURIComponent(join(dataDir, 'postgres-socket'))}`

describe('a cluster', () => {
  const running = new Set<InProcessGateway>()
  afterEach(async () => {
    await Promise.all([...running].map(stop))
  })
  const stop = async (gateway: InProcessGateway) => {
    running.delete(gateway)
    await gateway.stop()
  }
  const start = async (databaseUrl: string, more: Partial<GatewayTestOptions> = {}) => {
    const gateway = await startGateway({
      mcpUrl: notion.mcpUrl,
      databaseUrl,
      env: { SHUTDOWN_GRACE_SECONDS: '0' },
      ...more,
    })
    running.add(gateway)
    return gateway
  }
  const withMark = (markFolder: string) => ({ locations: { dataFolder: null, markFolder } })

  it('restored from a cold snapshot is detected', async () => {
    const cluster = await makeCluster()
    const mark = withMark(temporaryFolder())
    await stop(await connected(cluster, mark))
    await cluster.stop()
    const snapshot = cluster.copy()
    await cluster.start()
    const original = await start(cluster.url(), mark)
    expect(await refreshed(original)).toBe(200)
    await stop(original)
    await cluster.stop()
    await snapshot.start()
    notion.clearRecorded()
    const late = await start(snapshot.url(), mark)
    expect(await reasonsOf(late)).toEqual(['credentials_missing'])
    expect(await refreshed(late)).toBe(503)
    expect(tokensSent()).toEqual([])
  })

  it('is used without a hold after a crash', async () => {
    const cluster = await makeCluster()
    const gateway = await connected(cluster)
    await cluster.crash()
    await cluster.start()
    await expect.poll(() => refreshed(gateway)).toBe(200)
    expect(await reasonsOf(gateway)).toBeUndefined()
    expect(grantStates()).toEqual(['active'])
  })

  it('recovered to a point in time is detected with and without the mark', async () => {
    const cluster = await makeCluster()
    const mark = withMark(temporaryFolder())
    const original = await connected(cluster, mark)
    const base = await cluster.standby()
    await sleep(1_100)
    const moment = new Date()
    await sleep(1_100)
    expect(await refreshed(original)).toBe(200)
    await withClient(cluster.url(), (client) => client.query('select pg_switch_wal()'))
    await expect.poll(() => archived(cluster)).toBe(true)
    const restored = cluster.pointInTime(base, moment)
    await restored.start()
    await expect.poll(() => isPrimary(restored)).toBe(true)

    const stranger = await start(restored.url())
    expect(await reasonsOf(stranger)).toEqual(['timeline_unproven'])
    await isKeptFrom(stranger, original)
    await stop(stranger)
    await withClient(restored.url(), (client) => client.query('delete from gateway.database_hold'))
    const late = await start(restored.url(), mark)
    expect(await reasonsOf(late)).toEqual(['credentials_missing'])
    await isKeptFrom(late, original)
  })

  it('loses no grant when its standby is promoted under traffic', async () => {
    const cluster = await makeCluster()
    const way = await switchableWay(cluster.url())
    const gateways = [await start(way.url), await start(way.url)] as const
    for (const space of ['north', 'south', 'east', 'west']) await gateways[0].connect(space)
    const standby = await cluster.standby()
    await standby.start()
    await expect.poll(() => isCaughtUp(cluster)).toBe(true)

    let isOver = false
    const statuses: number[] = []
    const traffic = gateways.map(async (gateway) => {
      while (!isOver) {
        for (const space of ['north', 'south', 'east', 'west']) statuses.push((await gateway.call(space, list)).status)
      }
    })
    const churn = (async () => {
      while (!isOver) {
        notion.admin.expireAccessTokens()
        await sleep(1_500)
      }
    })()
    await sleep(3_000)
    // An orderly stop, so all commits have reached the standby.
    way.cut()
    await cluster.stop()
    await withClient(standby.url(), (client) => client.query('select pg_promote()'))
    way.leadTo(standby.url())
    await sleep(2_000)
    isOver = true
    await Promise.all([...traffic, churn])
    for (const space of ['north', 'south', 'east', 'west']) {
      // An attempt in flight is taken over when it is old enough.
      await expect.poll(async () => (await gateways[0].call(space, list)).status, { timeout: 60_000 }).toBe(200)
    }
    expect(statuses.filter((status) => ![200, 503].includes(status))).toEqual([])
    for (const gateway of gateways) {
      expect(await reasonsOf(gateway)).toBeUndefined()
      expect(await refreshed(gateway)).toBe(200)
    }
    expect(gateways.map((gateway) => gateway.logs()).join('')).toContain('"database.promoted"')
    expect(new Set(grantStates())).toEqual(new Set(['active']))
  })

  it('is held until adopt when its standby is promoted without the last commits', async () => {
    const cluster = await makeCluster()
    const way = await switchableWay(cluster.url())
    const gateway = await start(way.url)
    await gateway.connect('north')
    const standby = await cluster.standby()
    await standby.start()
    await expect.poll(() => isCaughtUp(cluster)).toBe(true)
    await standby.stop()
    expect(await refreshed(gateway)).toBe(200)
    way.cut()
    await cluster.crash()
    await standby.start()
    await withClient(standby.url(), (client) => client.query('select pg_promote()'))
    way.leadTo(standby.url())
    notion.clearRecorded()
    await expect.poll(() => reasonsOf(gateway)).toEqual(['credentials_missing'])
    expect(await refreshed(gateway)).toBe(503)
    expect(tokensSent()).toEqual([])
    // The stored token is the previous one, which the server accepts, as after a lost response.
    await databaseCommand('adopt', { DATABASE_URL: standby.url() })
    await gateway.gateway.refreshDue()
    expect(await refreshed(gateway)).toBe(200)
    expect(grantStates()).toEqual(['active'])
  })

  async function connected(cluster: Cluster, more: Partial<GatewayTestOptions> = {}): Promise<InProcessGateway> {
    const gateway = await start(cluster.url(), more)
    await gateway.connect('north')
    return gateway
  }
})

const ask = async (cluster: Cluster, sql: string): Promise<boolean> =>
  withClient(
    cluster.url('postgres'),
    async (client) => (await client.query<{ yes: boolean }>(sql)).rows[0]?.yes === true,
  )

const isPrimary = (cluster: Cluster) => ask(cluster, 'select not pg_is_in_recovery() as yes')
const isCaughtUp = (primary: Cluster) =>
  ask(primary, 'select coalesce(bool_and(replay_lsn = pg_current_wal_lsn()), false) as yes from pg_stat_replication')
const archived = async (cluster: Cluster) =>
  readdirSync(join(cluster.folder, 'pg_wal/archive_status')).every((name) => name.endsWith('.done'))

/** A TCP proxy to a database that can be switched to another one, as by a failover. */
async function switchableWay(first: string): Promise<{ url: string; cut(): void; leadTo(url: string): void }> {
  let target: string | undefined = first
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (target === undefined) return void near.destroy()
    const far = connect(`${new URL(target).searchParams.get('host')}/.s.PGSQL.5432`)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const cut = () => {
    target = undefined
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(cut)
  return {
    url: `postgresql://postgres@127.0.0.1:${(server.address() as AddressInfo).port}/gateway`,
    cut,
    leadTo(url) {
      target = url
    },
  }
}
