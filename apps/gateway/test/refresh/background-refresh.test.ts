import { testDatabase } from '@nmg/process/testing'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { postgresConnectionStore, streamOf } from '../../src/connections/postgres-connection-store.ts'
import { migrate, openPool } from '../../src/platform/database.ts'
import { evolve, type ConnectionEvent } from '../../src/connections/connection.ts'
import { Failure } from '../../src/platform/failure.ts'
import { refreshDue, type BackgroundRefreshDependencies } from '../../src/refresh/background-refresh.ts'
import { jsonLog } from '../../src/platform/log.ts'
import type { ConnectionStore } from '../../src/connections/connection-store.ts'

const log = jsonLog('silent')
const now = new Date('2026-01-15T12:00:00Z')
const MINUTE_MS = 60_000

let sql: ReturnType<typeof openPool>
let store: ConnectionStore
beforeAll(async () => {
  const { url } = await testDatabase()
  await migrate(url)
  sql = openPool(url, log)
  store = postgresConnectionStore(sql)
})
afterAll(() => sql.end())
beforeEach(() => sql.query('truncate gateway.connections, gateway.connection_events'))

/** Connections `0`, `1`, …: each due a minute before the previous one. */
async function due(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const at = new Date(now.getTime() - i * MINUTE_MS)
    const event: ConnectionEvent = {
      type: 'NotionIntegrationAuthorized',
      at,
      by: 'ada',
      grant: {
        issuer: 'https://notion.example',
        tokenEndpoint: 'https://notion.example/token',
        revocationEndpoint: null,
        resource: null,
        scope: null,
        authorizedAt: at,
        authorizedBy: 'ada',
      },
      credential: { sealed: '', keyId: '', generation: 1, expiresAt: at, isRenewable: true },
    }
    const connection = evolve({ status: 'absent' }, event)
    const place = { stream: streamOf(String(i)), spaceId: String(i), expectedVersion: 0 }
    await store.append({ ...place, event, connection, refreshDueAt: at })
  }
}

const round = (refreshIfDue: (spaceId: string) => Promise<void>, more: Partial<BackgroundRefreshDependencies> = {}) =>
  refreshDue({ clock: () => now, log, store, accessTokens: { refreshIfDue, drainUsed: () => [] }, ...more })

const unavailable = () => new Failure('refresh_unavailable', 'not now')

describe('a round of the background refresh', () => {
  it('refreshes all due connections, the longest due first', async () => {
    await due(40)
    const refreshed: string[] = []
    expect(await round(async (space) => void refreshed.push(space))).toBe(40)
    expect(refreshed.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 40 }, (_, i) => String(i)))
    expect(Number(refreshed[0])).toBeGreaterThan(23)
    expect(await round(async () => {})).toBe(0)
  })

  it('runs at most sixteen refreshes concurrently, and a slow one does not delay the others', async () => {
    await due(60)
    let inFlight = 0
    let maxInFlight = 0
    const finished: string[] = []
    await round(async (space) => {
      maxInFlight = Math.max(maxInFlight, ++inFlight)
      await sleep(space === '59' ? 600 : 20)
      inFlight -= 1
      finished.push(space)
    })
    expect(maxInFlight).toBe(16)
    // It was the first to start.
    expect(finished.at(-1)).toBe('59')
  })

  it('shares the work with other replicas without refreshing a connection twice', async () => {
    await due(50)
    const refreshed: string[] = []
    const refresh = async (space: string) => {
      await sleep(5)
      refreshed.push(space)
    }
    const counts = await Promise.all([round(refresh), round(refresh), round(refresh)])
    expect(counts.reduce((a, b) => a + b)).toBe(50)
    expect(new Set(refreshed).size).toBe(50)
  })

  it('ends early when no refresh succeeds and retries the rest later', async () => {
    await due(100)
    expect(await round(async () => Promise.reject(unavailable()))).toBeLessThanOrEqual(32)
    const later = new Date(now.getTime() + 2 * MINUTE_MS)
    expect(await round(async () => {}, { clock: () => later })).toBe(100)
  })

  it('continues after connections that have ended or fail', async () => {
    await due(100)
    const count = await round(async (space) => {
      if (Number(space) % 3 === 0) throw unavailable()
      if (Number(space) % 3 === 1) throw new Failure('reconnect_required', 'over')
    })
    expect(count).toBe(100)
  })

  it('starts no further refresh while the process is stopping', async () => {
    await due(100)
    const stopping = new AbortController()
    const count = await round(
      async (space) => {
        await sleep(5)
        if (space === '70') stopping.abort()
      },
      { stopping: stopping.signal },
    )
    expect(count).toBeLessThan(60)
  })

  it('records the last use of connections with a resolution of an hour', async () => {
    await due(2)
    const used = (at: Date) =>
      round(async () => {}, { clock: () => at, accessTokens: { refreshIfDue: async () => {}, drainUsed: () => ['1'] } })
    await used(new Date(now.getTime() + 70 * MINUTE_MS))
    const first = (await store.read('1')).lastUsedAt
    expect(first).toEqual(new Date(now.getTime() + 70 * MINUTE_MS))
    await used(new Date(now.getTime() + 100 * MINUTE_MS))
    expect((await store.read('1')).lastUsedAt).toEqual(first)
    expect((await store.read('0')).lastUsedAt).toEqual(now)
  })
})
