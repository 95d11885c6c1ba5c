import { testDatabase } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresRefreshLocks } from '../src/refresh/postgres-refresh-lock.ts'
import { CONNECTION_CHANNEL, connectionChanges } from '../src/connections/connection-changes.ts'
import { postgresNotifications } from '../src/platform/notifications.ts'
import { postgresConnectionStore, streamOf } from '../src/connections/postgres-connection-store.ts'
import { migrate, openPool } from '../src/platform/database.ts'
import { degradedAgain } from '../src/connections/degraded.ts'
import { evolve, type ConnectionEvent } from '../src/connections/connection.ts'
import { REFRESH_TIMES } from '../src/connections/refresh-schedule.ts'
import { jsonLog } from '../src/platform/log.ts'
import type { Append, ConnectionStore } from '../src/connections/connection-store.ts'

const log = jsonLog('silent')
const now = new Date('2026-01-15T12:00:00Z')

let url: string
let sql: ReturnType<typeof openPool>
let store: ConnectionStore

beforeAll(async () => {
  ;({ url } = await testDatabase())
  // Three replicas that start concurrently.
  await Promise.all([migrate(url), migrate(url), migrate(url)])
  sql = openPool(url, log)
  store = postgresConnectionStore(sql)
})
afterAll(() => sql.end())

const authorized = (generation: number): ConnectionEvent => ({
  type: 'NotionIntegrationAuthorized',
  at: now,
  by: 'ada',
  grant: {
    issuer: 'https://notion.example',
    tokenEndpoint: 'https://notion.example/token',
    revocationEndpoint: null,
    resource: null,
    scope: null,
    authorizedAt: now,
    authorizedBy: 'ada',
  },
  credential: { sealed: `sealed ${generation}`, keyId: 'k', generation, expiresAt: now, isRenewable: true },
})

async function next(spaceId: string, event?: ConnectionEvent, more: Partial<Append> = {}): Promise<Append> {
  const { stream, version, connection } = await store.read(spaceId)
  const appended = event ?? authorized(version + 1)
  return {
    stream,
    spaceId,
    expectedVersion: version,
    event: appended,
    connection: evolve(connection, appended),
    refreshDueAt: null,
    ...more,
  }
}

describe('the connection store', () => {
  it('reads a space that was never connected as absent, at version 0', async () => {
    expect(await store.read('nobody')).toMatchObject({
      version: 0,
      connection: { status: 'absent' },
      dataKey: null,
      intent: null,
    })
  })

  it('maps each space to its own stream permanently', () => {
    expect(streamOf('north')).toBe(streamOf('north'))
    expect(streamOf('north')).not.toBe(streamOf('south'))
    expect(streamOf('north')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('accepts one of ten concurrent appends at the same version', async () => {
    for (const version of [1, 2, 3]) {
      const append = await next('raced')
      const stored = await Promise.all(Array.from({ length: 10 }, () => store.append(append)))
      expect(stored.filter(Boolean)).toHaveLength(1)
      expect((await store.read('raced')).version).toBe(version)
    }
    expect((await store.history('raced', undefined, 10)).map(({ version }) => version)).toEqual([3, 2, 1])
    expect((await store.history('raced', 3, 1)).map(({ version }) => version)).toEqual([2])
  })

  it('rejects an append with a fencing token other than that of the intent', async () => {
    await store.append(await next('fenced'))
    const locks = postgresRefreshLocks(url, log, REFRESH_TIMES)
    const lock = await locks.acquire(streamOf('fenced'))
    expect(await lock?.recordIntent({ generation: 1, inDoubt: 1, failures: 0, recheckAt: now })).toBe(true)

    const late = await next('fenced', undefined, { fencingToken: '00000000-0000-4000-8000-000000000000' })
    expect(await store.append(late)).toBe(false)
    expect(await store.append({ ...late, fencingToken: lock?.id as string })).toBe(true)
    expect((await store.read('fenced')).intent).toBeNull()
    locks.close()
  })

  it('destroys the data key only with a successful disconnect', async () => {
    const key = { id: '33333333-3333-4333-8333-333333333333', kid: 'first', wrapped: 'wrapped' }
    const stream = streamOf('shredded')
    expect(await store.ensureDataKey(stream, () => key)).toEqual(key)
    expect(await store.ensureDataKey(stream, () => ({ ...key, wrapped: 'another' }))).toEqual(key)
    await store.append(await next('shredded'))
    const disconnect = await next('shredded', { type: 'NotionIntegrationDisconnected', at: now, by: 'ada' })

    expect(await store.append({ ...disconnect, expectedVersion: 7 })).toBe(false)
    expect((await store.read('shredded')).dataKey).toEqual(key)
    expect(await store.append(disconnect)).toBe(true)
    expect(await store.read('shredded')).toMatchObject({ dataKey: null, connection: { status: 'disconnected' } })
  })

  it('keeps a degraded mark for one version, even if an earlier release appends without clearing it', async () => {
    await store.append(await next('marked'))
    const degraded = degradedAgain(null, 'renewal_refused', 'invalid_request', now, 60_000)
    await store.setDegraded(await store.read('marked'), degraded)
    expect((await store.read('marked')).degraded).toEqual(degraded)
    await sql.query(`update gateway.connections set version = version + 1 where space_id = 'marked'`)
    const moved = await store.read('marked')
    expect(moved.degraded).toBeNull()
    await store.setDegraded(moved, degraded)
    expect((await store.read('marked')).degraded).toEqual(degraded)
  })

  it('leases due connections to one replica at a time, the longest due first', async () => {
    const due = (minute: number) => ({ refreshDueAt: new Date(now.getTime() + minute * 60_000) })
    for (const minute of [3, 1, 2, 9]) await store.append(await next(`due-${minute}`, undefined, due(minute)))
    const at = due(5).refreshDueAt
    const taken = await Promise.all([
      store.takeDue(at, 2, 60_000),
      store.takeDue(at, 2, 60_000),
      store.takeDue(at, 2, 60_000),
    ])
    expect(
      taken
        .flat()
        .map(({ spaceId }) => spaceId)
        .toSorted(),
    ).toEqual(['due-1', 'due-2', 'due-3'])
    expect(await store.takeDue(at, 10, 60_000)).toEqual([])
    const whenTheReplicaDied = new Date(at.getTime() + 61_000)
    expect(await store.takeDue(whenTheReplicaDied, 10, 60_000)).toHaveLength(3)
  })
})

describe('notifications of changes', () => {
  it('reach every replica with the version and end only waits for the same space', async () => {
    const notifications = await postgresNotifications(url, [CONNECTION_CHANNEL], log)
    const changes = connectionChanges(notifications)
    const received: [string, number][] = []
    changes.onChange((spaceId, version) => received.push([spaceId, version]))
    const change = changes.next('changed space', 20_000)
    await store.append(await next('changed space'))
    await change
    expect(received).toEqual([['changed space', 1]])
    notifications.close()
  })

  it('report a gap after an interruption and reconnect automatically', async () => {
    const notifications = await postgresNotifications(url, [CONNECTION_CHANNEL], log)
    const changes = connectionChanges(notifications)
    let interruptions = 0
    changes.onGap(() => interruptions++)
    await sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' or query = 'select 1' and datname = current_database() and pid <> pg_backend_pid()`,
    )
    await expect.poll(() => interruptions).toBe(1)
    expect(changes.isConnected()).toBe(false)
    await expect.poll(() => changes.isConnected(), { timeout: 10_000 }).toBe(true)
    notifications.close()
  })
})

describe('a transaction', () => {
  it('rejects when its connection breaks between two statements, without harm to the process or the pool', async () => {
    const cut = sql.transaction(async (inside) => {
      const { rows } = await inside.query<{ pid: number }>('select pg_backend_pid() as pid')
      await sql.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid])
      await new Promise((resolve) => setImmediate(resolve))
      await inside.query('select 1')
    })
    await expect(cut).rejects.toMatchObject({ code: 'store_unavailable' })
    expect((await sql.query('select 1')).rowCount).toBe(1)
  })

  it('is rolled back when its work rejects', async () => {
    const failing = sql.transaction(async (inside) => {
      await inside.query(`insert into gateway.registration_counts (stream, made) values (gen_random_uuid(), '{}')`)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect((await sql.query('select from gateway.registration_counts')).rowCount).toBe(0)
  })
})
