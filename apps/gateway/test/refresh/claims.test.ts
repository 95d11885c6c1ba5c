import { testDatabase } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresClaims } from '../../src/refresh/postgres-refresh-lock.ts'
import { postgresConnectionStore, streamOf } from '../../src/connections/postgres-connection-store.ts'
import { migrate, openPool } from '../../src/platform/database.ts'
import { evolve, type ConnectionEvent } from '../../src/connections/connection.ts'
import { REFRESH_TIMES } from '../../src/connections/refresh-schedule.ts'
import { jsonLog } from '../../src/platform/log.ts'
import type { ConnectionStore } from '../../src/connections/connection-store.ts'

const log = jsonLog('silent')
const now = new Date('2026-01-15T12:00:00Z')
const due = new Date('2026-01-15T20:00:00Z')
const times = { ...REFRESH_TIMES, entitledForMs: 300, redeemWithinMs: 600, takenOverAfterMs: 700 }

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
  for (const claims of open) claims.close()
  await sql.end()
})

/** The claims of one process. */
function replica() {
  const claims = postgresClaims(url, log, times)
  open.push(claims)
  return claims
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

const intent = (inDoubt = 1, generation = 1) => ({ generation, inDoubt, failures: 0, lookAgainAt: now })
const settled = (claimId: string) => ({
  generation: 1,
  claimId,
  inDoubt: 1,
  failures: 1,
  notBefore: now,
  pauseMs: 1_000,
  degraded: null,
})
const passing = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What an administrator, a restart or a failover does to the sessions that hold claims. */
/** Resolves when they are gone, and their locks with them. */
const endSessions = () =>
  sql.query(
    `select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())`,
  )

describe('the claim on a refresh', () => {
  it('is held by one, in one process and across replicas, and is free again when given back', async () => {
    const [here, there] = [replica(), replica()]
    const claim = await here.tryTake('stream')
    expect(claim).toBeDefined()
    expect(await here.tryTake('stream')).toBeUndefined()
    expect(await there.tryTake('stream')).toBeUndefined()
    expect(await there.tryTake('another stream')).toBeDefined()
    await claim?.release()
    expect(await there.tryTake('stream')).toBeDefined()
  })

  it('is free at once when its holder is gone, and the holder notices before it writes', async () => {
    const stream = await connect('lost')
    const [here, there] = [replica(), replica()]
    const claim = await here.tryTake(stream)
    expect(await claim?.intend(intent())).toBe(true)
    expect(claim?.isEntitled()).toBe(true)

    await endSessions()
    await expect.poll(() => claim?.isEntitled()).toBe(false)
    await expect(claim?.intend(intent(2))).rejects.toMatchObject({ code: 'store_unavailable' })
    const heir = await there.tryTake(stream)
    expect(heir).toBeDefined()
    expect((await store.read('lost')).intent).toMatchObject({ generation: 1, inDoubt: 1, claimId: claim?.id })
    // The one who lost it can take it again on a new session once it is free.
    await heir?.release()
    expect(await here.tryTake(stream)).toBeDefined()
  })

  it('entitles nobody before an intent is written, nor when it was not, nor after it was given back', async () => {
    const stream = await connect('entitled')
    const claim = await replica().tryTake(stream)
    expect(claim?.isEntitled()).toBe(false)
    expect(claim?.remainingMs()).toBe(0)
    expect(await claim?.intend(intent(1, 7))).toBe(false)
    expect(claim?.isEntitled()).toBe(false)
    expect(await claim?.intend(intent())).toBe(true)
    expect(claim?.isEntitled()).toBe(true)
    await claim?.release()
    expect(claim?.isEntitled()).toBe(false)
  })

  it('entitles for a short while only, and leaves the request less time the later it begins', async () => {
    const stream = await connect('late')
    const claim = await replica().tryTake(stream)
    await claim?.intend(intent())
    await passing(times.entitledForMs + 20)
    expect(claim?.isEntitled()).toBe(false)
    expect(claim?.remainingMs()).toBeLessThanOrEqual(times.redeemWithinMs - times.entitledForMs)
    expect(await claim?.intend(intent())).toBe(true)
    expect(claim?.isEntitled()).toBe(true)
  })
})

describe('an intent that its holder left behind', () => {
  it('cannot be overwritten while the request may be under way, and can afterwards', async () => {
    const stream = await connect('left behind')
    const [here, there] = [replica(), replica()]
    const dead = await here.tryTake(stream)
    expect(await dead?.intend(intent())).toBe(true)
    await endSessions()
    const heir = await there.tryTake(stream)
    expect(await heir?.intend(intent(2))).toBe(false)
    expect(heir?.isEntitled()).toBe(false)
    await passing(times.takenOverAfterMs + 50)
    expect((await store.read('left behind')).intent?.ageMs).toBeGreaterThan(times.takenOverAfterMs)
    expect(await heir?.intend(intent(2))).toBe(true)
  })

  it('brings the connection before the background refresher soon, and never later than planned', async () => {
    const stream = await connect('looked at again')
    const claim = await replica().tryTake(stream)
    await claim?.intend({ ...intent(), lookAgainAt: new Date(due.getTime() + 60_000) })
    expect(await store.takeDue(due, 100, 0)).toContainEqual({ spaceId: 'looked at again', version: 1 })
    await claim?.intend(intent())
    expect(await store.takeDue(now, 100, 0)).toContainEqual({ spaceId: 'looked at again', version: 1 })
  })

  it('can be overwritten at once when it was settled, or is of a generation that is gone', async () => {
    const stream = await connect('settled')
    const [here, there] = [replica(), replica()]
    const first = await here.tryTake(stream)
    await first?.intend(intent())
    await store.postponeRefresh(stream, settled(first?.id as string))
    await first?.release()
    const second = await there.tryTake(stream)
    expect(await second?.intend(intent(2))).toBe(true)
  })

  it('can be overwritten, when it is old, although its holder keeps the claim: it may stand still for ever', async () => {
    const stream = await connect('stands still')
    const [here, there] = [replica(), replica()]
    const still = await here.tryTake(stream)
    expect(await still?.intend(intent())).toBe(true)
    expect(await there.tryTake(stream)).toBeUndefined()
    const heir = await there.tryTake(stream, true)
    expect(await heir?.intend(intent(2))).toBe(false)
    await passing(times.takenOverAfterMs + 50)
    expect(await heir?.intend(intent(2))).toBe(true)
    expect(still?.isEntitled()).toBe(false)
    // And now it is the other one's intent that holds.
    expect(await still?.intend(intent(3))).toBe(false)
    await heir?.release()
    expect(await there.tryTake(stream)).toBeUndefined()
  })

  it('is not settled by one who was overtaken', async () => {
    const stream = await connect('overtaken')
    const [here, there] = [replica(), replica()]
    const first = await here.tryTake(stream)
    await first?.intend(intent())
    await endSessions()
    await passing(times.takenOverAfterMs + 50)
    const second = await there.tryTake(stream)
    expect(await second?.intend(intent(2))).toBe(true)
    await store.postponeRefresh(stream, settled(first?.id as string))
    expect((await store.read('overtaken')).intent).toMatchObject({ claimId: second?.id, notBefore: null })
  })
})
