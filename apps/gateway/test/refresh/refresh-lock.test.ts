import { testDatabase } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresRefreshLocks } from '../../src/refresh/postgres-refresh-lock.ts'
import { postgresConnectionStore, streamOf } from '../../src/connections/postgres-connection-store.ts'
import { migrate, openPool } from '../../src/platform/database.ts'
import { evolve, type ConnectionEvent } from '../../src/connections/connection.ts'
import { REFRESH_TIMES } from '../../src/connections/refresh-schedule.ts'
import { jsonLog } from '../../src/platform/log.ts'
import type { ConnectionStore } from '../../src/connections/connection-store.ts'

const log = jsonLog('silent')
const now = new Date('2026-01-15T12:00:00Z')
const due = new Date('2026-01-15T20:00:00Z')
const times = { ...REFRESH_TIMES, mayRedeemForMs: 300, redeemWithinMs: 600, takeoverAfterMs: 700 }

let url: string
let sql: ReturnType<typeof openPool>
let store: ConnectionStore
const open: { close(): void }[] = []

beforeAll(async () => {
  ;({ url } = await testDatabase())
  await migrate(url)
  sql = openPool(url, log)
  store = postgresConnectionStore(sql)
})
afterAll(async () => {
  for (const locks of open) locks.close()
  await sql.end()
})

/** The locks of one process. */
function replica() {
  const locks = postgresRefreshLocks(url, log, times)
  open.push(locks)
  return locks
}

/** A connection at version 1. */
async function connect(spaceId: string): Promise<string> {
  const stream = streamOf(spaceId)
  const event: ConnectionEvent = {
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
    credential: { sealed: 'sealed', keyId: 'k', generation: 1, expiresAt: due, isRenewable: true },
  }
  const connection = evolve({ status: 'absent' }, event)
  await store.append({ stream, spaceId, expectedVersion: 0, event, connection, refreshDueAt: due })
  return stream
}

const intent = (inDoubt = 1, generation = 1) => ({ generation, inDoubt, failures: 0, recheckAt: now })
const resolved = (fencingToken: string) => ({
  generation: 1,
  fencingToken,
  inDoubt: 1,
  failures: 1,
  notBefore: now,
  pauseMs: 1_000,
  degraded: null,
})
const passing = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Terminates the sessions that hold locks, as an administrator, a restart or a failover does. Resolves when they and their locks are gone. */
const endSessions = () =>
  sql.query(
    `select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())`,
  )

describe('the refresh lock', () => {
  it('is exclusive within a process and across replicas until it is released', async () => {
    const [here, there] = [replica(), replica()]
    const lock = await here.acquire('stream')
    expect(lock).toBeDefined()
    expect(await here.acquire('stream')).toBeUndefined()
    expect(await there.acquire('stream')).toBeUndefined()
    expect(await there.acquire('another stream')).toBeDefined()
    await lock?.release()
    expect(await there.acquire('stream')).toBeDefined()
  })

  it('is freed when its session ends, which its former holder detects before it writes', async () => {
    const stream = await connect('lost')
    const [here, there] = [replica(), replica()]
    const lock = await here.acquire(stream)
    expect(await lock?.recordIntent(intent())).toBe(true)
    expect(lock?.mayRedeem()).toBe(true)

    await endSessions()
    await expect.poll(() => lock?.mayRedeem()).toBe(false)
    await expect(lock?.recordIntent(intent(2))).rejects.toMatchObject({ code: 'store_unavailable' })
    const heir = await there.acquire(stream)
    expect(heir).toBeDefined()
    expect((await store.read('lost')).intent).toMatchObject({ generation: 1, inDoubt: 1, fencingToken: lock?.id })
    // The former holder can acquire it again on a new session once it is free.
    await heir?.release()
    expect(await here.acquire(stream)).toBeDefined()
  })

  it('permits no request before an intent is recorded, after one was rejected, or after the release', async () => {
    const stream = await connect('permitted')
    const lock = await replica().acquire(stream)
    expect(lock?.mayRedeem()).toBe(false)
    expect(lock?.remainingMs()).toBe(0)
    expect(await lock?.recordIntent(intent(1, 7))).toBe(false)
    expect(lock?.mayRedeem()).toBe(false)
    expect(await lock?.recordIntent(intent())).toBe(true)
    expect(lock?.mayRedeem()).toBe(true)
    await lock?.release()
    expect(lock?.mayRedeem()).toBe(false)
  })

  it('permits a request for a short time and leaves less time the later it starts', async () => {
    const stream = await connect('late')
    const lock = await replica().acquire(stream)
    await lock?.recordIntent(intent())
    await passing(times.mayRedeemForMs + 20)
    expect(lock?.mayRedeem()).toBe(false)
    expect(lock?.remainingMs()).toBeLessThanOrEqual(times.redeemWithinMs - times.mayRedeemForMs)
    expect(await lock?.recordIntent(intent())).toBe(true)
    expect(lock?.mayRedeem()).toBe(true)
  })
})

describe('an unresolved intent', () => {
  it('cannot be overwritten while its request may be in flight, but afterwards', async () => {
    const stream = await connect('left behind')
    const [here, there] = [replica(), replica()]
    const dead = await here.acquire(stream)
    expect(await dead?.recordIntent(intent())).toBe(true)
    await endSessions()
    const heir = await there.acquire(stream)
    expect(await heir?.recordIntent(intent(2))).toBe(false)
    expect(heir?.mayRedeem()).toBe(false)
    await passing(times.takeoverAfterMs + 50)
    expect((await store.read('left behind')).intent?.ageMs).toBeGreaterThan(times.takeoverAfterMs)
    expect(await heir?.recordIntent(intent(2))).toBe(true)
  })

  it('makes the connection due for the background refresh soon, and never later than scheduled', async () => {
    const stream = await connect('looked at again')
    const lock = await replica().acquire(stream)
    await lock?.recordIntent({ ...intent(), recheckAt: new Date(due.getTime() + 60_000) })
    expect(await store.takeDue(due, 100, 0)).toContainEqual({ spaceId: 'looked at again', version: 1 })
    await lock?.recordIntent(intent())
    expect(await store.takeDue(now, 100, 0)).toContainEqual({ spaceId: 'looked at again', version: 1 })
  })

  it('can be overwritten at once after it was resolved, or if its generation was replaced', async () => {
    const stream = await connect('resolved')
    const [here, there] = [replica(), replica()]
    const first = await here.acquire(stream)
    await first?.recordIntent(intent())
    await store.postponeRefresh(stream, resolved(first?.id as string))
    await first?.release()
    const second = await there.acquire(stream)
    expect(await second?.recordIntent(intent(2))).toBe(true)
  })

  it('can be overwritten once it is old, even if its holder still has the lock, since that may be stopped', async () => {
    const stream = await connect('stopped')
    const [here, there] = [replica(), replica()]
    const still = await here.acquire(stream)
    expect(await still?.recordIntent(intent())).toBe(true)
    expect(await there.acquire(stream)).toBeUndefined()
    const heir = await there.acquire(stream, true)
    expect(await heir?.recordIntent(intent(2))).toBe(false)
    await passing(times.takeoverAfterMs + 50)
    expect(await heir?.recordIntent(intent(2))).toBe(true)
    expect(still?.mayRedeem()).toBe(false)
    // The intent of the other replica is valid now.
    expect(await still?.recordIntent(intent(3))).toBe(false)
    await heir?.release()
    expect(await there.acquire(stream)).toBeUndefined()
  })

  it('is not resolved by a holder that was overtaken', async () => {
    const stream = await connect('overtaken')
    const [here, there] = [replica(), replica()]
    const first = await here.acquire(stream)
    await first?.recordIntent(intent())
    await endSessions()
    await passing(times.takeoverAfterMs + 50)
    const second = await there.acquire(stream)
    expect(await second?.recordIntent(intent(2))).toBe(true)
    await store.postponeRefresh(stream, resolved(first?.id as string))
    expect((await store.read('overtaken')).intent).toMatchObject({ fencingToken: second?.id, notBefore: null })
  })
})
