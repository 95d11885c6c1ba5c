/**
 * Randomized interleavings of the real refresh with the real store and locks in one process. The authorization server is replaced by a hostile one,
 * and every step of every replica is delayed at random, up to far beyond all deadlines. The code's counterpart to the exploration of the model.
 */
import { testDatabase } from '@nmg/process/testing'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { aesVault } from '../../src/connections/keys/aes-vault.ts'
import { CONNECTION_CHANNEL, connectionChanges } from '../../src/connections/connection-changes.ts'
import { postgresNotifications } from '../../src/platform/notifications.ts'
import { postgresRefreshLocks } from '../../src/refresh/postgres-refresh-lock.ts'
import { postgresConnectionStore, streamOf } from '../../src/connections/postgres-connection-store.ts'
import { migrate, openPool } from '../../src/platform/database.ts'
import { evolve, type ConnectionEvent } from '../../src/connections/connection.ts'
import { REFRESH_TIMES, type RefreshTimes } from '../../src/connections/refresh-schedule.ts'
import { accessTokenSource, type AccessTokenSource } from '../../src/refresh/access-tokens.ts'
import { jsonLog } from '../../src/platform/log.ts'
import type { RefreshLocks } from '../../src/refresh/refresh-lock.ts'
import type { ConnectionStore } from '../../src/connections/connection-store.ts'
import type { RefreshOutcome } from '../../src/connections/authorization-server.ts'
import { Secret } from '../../src/platform/secret.ts'
import { randomOf } from './scenarios.ts'

const isLong = process.env['SOAK'] !== undefined
const LASTS_MS = isLong ? 300_000 : 12_000
const SPACES = 12
const REPLICAS = 3
/** Factor by which the back-off between attempts is shortened. */
const HURRY = 100

const times: RefreshTimes = {
  ...REFRESH_TIMES,
  mayRedeemForMs: 60,
  redeemWithinMs: 150,
  takeoverAfterMs: 200,
  silencePauseMs: 100,
  repeatPauseMs: 5,
  lockTimeoutMs: 1_000,
}

const log = jsonLog('silent')
const vault = aesVault([{ kid: 'test', key: Buffer.alloc(32, 7) }])
const client = { clientId: 'client', clientSecret: null, authMethod: 'none' } as const
const clock = () => new Date(Date.now() * HURRY)

/** An authorization server that accepts the current and the previous refresh token and revokes the grant on any other. It records violations. */
function strictServer(random: () => number) {
  const grants = new Map<string, { current: string; previous: string; inFlight: number }>()
  const seen = { redemptions: 0, lost: 0, complaints: new Set<string>() }
  let isKind = false
  let issued = 0

  const decide = (space: string, token: string): RefreshOutcome => {
    const grant = grants.get(space)
    if (!grant) return { kind: 'refused', error: 'invalid_grant', isTokenExpired: false }
    if (token !== grant.current && token !== grant.previous) {
      seen.complaints.add('a retired refresh token was presented')
      grants.delete(space)
      return { kind: 'refused', error: 'invalid_grant', isTokenExpired: false }
    }
    seen.redemptions += 1
    grant.previous = token
    grant.current = `${space}/${++issued}`
    const tokens = { accessToken: new Secret(grant.current), refreshToken: new Secret(grant.current) }
    return { kind: 'granted', tokens: { ...tokens, expiresInSeconds: 3_600, scope: null, workspace: {} } }
  }

  return {
    grants,
    seen,
    beKind: () => (isKind = true),
    async refresh(
      token: string,
      { mayRedeem, remainingMs }: { mayRedeem(): boolean; remainingMs(): number },
    ): Promise<RefreshOutcome> {
      const cause = undefined
      await sleep(random() * 10)
      if (!mayRedeem()) return { kind: 'not_redeemed', symptom: 'not_sent', error: 'not sent', cause }
      const space = token.split('/')[0] as string
      const grant = grants.get(space)
      // The request is sent now. The server decides before the attempt's deadline.
      const leftMs = remainingMs()
      if (grant && ++grant.inFlight > 1) seen.complaints.add('two requests were in flight at once')
      const fate = isKind ? 1 : random()
      await sleep(random() ** 3 * leftMs * 0.9)
      if (grant) grant.inFlight -= 1
      if (fate < 0.05) return { kind: 'in_doubt', symptom: 'connection_lost', error: 'cut', cause }
      const outcome = decide(space, token)
      if (fate < 0.2 && outcome.kind === 'granted') {
        seen.lost += 1
        return {
          kind: 'in_doubt',
          symptom: fate < 0.1 ? 'connection_lost' : fate < 0.15 ? 'unreadable' : 'timed_out',
          error: 'lost',
          cause,
        }
      }
      if (fate < 0.22 && outcome.kind === 'granted')
        return { kind: 'in_doubt', symptom: 'rate_limited', error: 'HTTP 429', cause, retryAfterSeconds: 2 }
      return outcome
    },
  }
}

/** Delays: mostly none, often short, sometimes beyond all deadlines. */
function pauseOf(random: () => number): () => number {
  return () => {
    const luck = random()
    if (luck < 0.8) return 0
    if (luck < 0.98) return random() * 10
    return random() * 2 * times.takeoverAfterMs
  }
}

/** Delays every method of the object; none resolves any more once `isDead`. */
function late<Port extends object>(port: Port, pauseMs: () => number, isDead: () => boolean): Port {
  const pause = async () => {
    await sleep(pauseMs())
    // A dead process never continues.
    if (isDead()) await new Promise(() => undefined)
  }
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function' || ['mayRedeem', 'remainingMs', 'close'].includes(String(name))) return member
      return async (...args: unknown[]) => {
        await pause()
        const response: unknown = await Reflect.apply(member, target, args)
        await pause()
        // Acquired locks are ports, too.
        return typeof response === 'object' && response !== null && 'recordIntent' in response
          ? late(response, pauseMs, isDead)
          : response
      }
    },
  })
}

async function connect(store: ConnectionStore, space: string, token: string): Promise<void> {
  const stream = streamOf(space)
  const at = clock()
  const grant = {
    issuer: 'https://notion.example',
    tokenEndpoint: `https://notion.example/${space}`,
    revocationEndpoint: null,
    resource: null,
    scope: null,
    authorizedAt: at,
    authorizedBy: 'ada',
  }
  const dataKey = await store.ensureDataKey(stream, () => vault.newDataKey(stream))
  const credential = { accessToken: new Secret(token), refreshToken: new Secret(token), client }
  const sealed = vault.seal(dataKey, { stream, generation: 1, grant }, credential)
  const event: ConnectionEvent = {
    type: 'NotionIntegrationAuthorized',
    at,
    by: 'ada',
    grant,
    credential: { sealed, keyId: dataKey.id, generation: 1, expiresAt: at, isRenewable: true },
  }
  const connection = evolve({ status: 'absent' }, event)
  await store.append({ stream, spaceId: space, expectedVersion: 0, event, connection, refreshDueAt: at })
}

interface Replica {
  readonly credentials: AccessTokenSource
  die(): void
}

/** Parts of the protocol that are disabled to prove that this test detects it. */
type Mistake = 'no check of the permit' | 'no fencing of the append' | 'an intent is taken over at once' | 'no locks'

function faulty(locks: RefreshLocks, mistake: Mistake | undefined): RefreshLocks {
  return {
    async acquire(stream, evenIfHeld) {
      const lock = await locks.acquire(mistake === 'no locks' ? `${stream} ${Math.random()}` : stream, evenIfHeld)
      if (!lock) return undefined
      // As long as an attempt with the real timings.
      const permitted = { mayRedeem: () => true, remainingMs: () => times.redeemWithinMs }
      switch (mistake) {
        case 'no check of the permit':
          return { ...lock, ...permitted }
        case 'no locks':
          return { ...lock, ...permitted, recordIntent: async () => true }
        default:
          return lock
      }
    },
  }
}

async function live(seed: number, lastsMs: number, mistake?: Mistake) {
  const random = randomOf(seed)
  const server = strictServer(random)
  const { url, drop } = await testDatabase()
  await migrate(url)
  const sql = openPool(url, log, 20)
  const real = postgresConnectionStore(sql)
  const isUnfenced = mistake === 'no fencing of the append' || mistake === 'no locks'
  const store: ConnectionStore = {
    ...real,
    append: ({ fencingToken, ...append }) =>
      real.append(isUnfenced || fencingToken === undefined ? append : { ...append, fencingToken }),
  }
  const itsTimes = mistake === 'an intent is taken over at once' ? { ...times, takeoverAfterMs: 0 } : times
  const spaces = Array.from({ length: SPACES }, (_, i) => `space-${i}`)
  for (const space of spaces) {
    server.grants.set(space, { current: `${space}/first`, previous: '', inFlight: 0 })
    await connect(store, space, `${space}/first`)
  }

  const start = async (pauseMs: () => number): Promise<Replica> => {
    let isDead = false
    const locks = postgresRefreshLocks(url, log, itsTimes)
    const notifications = await postgresNotifications(url, [CONNECTION_CHANNEL], log)
    const changes = connectionChanges(notifications)
    const credentials = accessTokenSource({
      clock,
      random,
      pause: (ms) => sleep(ms / HURRY),
      log,
      store: late(store, pauseMs, () => isDead),
      vault,
      server: {
        refresh: (_grant, { refreshToken }, lock) => server.refresh(refreshToken.reveal(), lock),
        revoke: async () => 'revoked',
        currentGrant: (grant) => grant,
        rereadEndpoints: async () => false,
        isShared: () => false,
      },
      locks: late(faulty(locks, mistake), pauseMs, () => isDead),
      changes,
      identify: async () => undefined,
      refreshMarginMs: 0,
      times: itsTimes,
      connectUrl: (space) => space,
    })
    return {
      credentials,
      die() {
        isDead = true
        locks.close()
        notifications.close()
      },
    }
  }

  const pauseMs = pauseOf(random)
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, () => start(pauseMs)))
  const { complaints } = server.seen
  const renew = async ({ credentials }: Replica, space: string): Promise<void> =>
    store
      .read(space)
      .then(({ version }) => credentials.refreshIfDue(space, version))
      .catch((error: unknown) => {
        const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
        if (code !== 'refresh_unavailable' && code !== 'store_unavailable') complaints.add(code)
      })

  const endsAt = performance.now() + lastsMs
  const goesOn = () => performance.now() < endsAt && complaints.size === 0
  let deaths = 0
  const callers = Array.from({ length: SPACES * 2 }, async () => {
    while (goesOn()) {
      const replica = replicas[Math.floor(random() * REPLICAS)] as Replica
      const space = spaces[Math.floor(random() * SPACES)] as string
      // A call to a process that dies gets no response.
      await Promise.race([renew(replica, space), sleep(1_000)])
    }
  })
  const scenario = async () => {
    while (goesOn()) {
      await sleep(random() * 400)
      if (random() < 0.5) {
        await sql.query(
          `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
            and database = (select oid from pg_database where datname = current_database()) and random() < 0.5`,
        )
      } else {
        const index = Math.floor(random() * REPLICAS)
        replicas[index]?.die()
        deaths += 1
        replicas[index] = await start(pauseMs)
      }
    }
  }
  await Promise.all([...callers, scenario()])
  for (const replica of replicas) replica.die()

  // Without further faults, each connection must recover.
  server.beKind()
  const last = await start(() => 0)
  for (const space of spaces) {
    const { version } = await real.read(space)
    const giveUpAt = performance.now() + 20_000
    for (;;) {
      await renew(last, space)
      const { version: now, connection, intent } = await real.read(space)
      if (connection.status === 'connected' && now > version && intent === null) break
      if (connection.status !== 'connected' || performance.now() > giveUpAt) {
        complaints.add('a connection did not recover')
        break
      }
      await sleep(20)
    }
  }
  last.die()
  await sql.end()
  await drop()
  return { ...server.seen, deaths }
}

describe('replicas with random delays that die and lose their sessions', () => {
  it(
    'never present a retired token or two at once, and store usable tokens',
    { timeout: LASTS_MS + 60_000 },
    async () => {
      const { complaints, redemptions, lost, deaths } = await live(7, LASTS_MS)
      expect([...complaints]).toEqual([])
      expect(redemptions).toBeGreaterThan(LASTS_MS / 100)
      expect(lost).toBeGreaterThan(10)
      expect(deaths).toBeGreaterThan(5)
      process.stdout.write(`interleavings: ${redemptions} redemptions, ${lost} lost responses, ${deaths} deaths\n`)
    },
  )

  it.each<Mistake>([
    'no locks',
    // Rarer violations, which take longer to occur.
    ...(isLong
      ? (['an intent is taken over at once', 'no check of the permit', 'no fencing of the append'] as const)
      : []),
  ])('violate this with %s', { timeout: 400_000 }, async (mistake) => {
    const { complaints } = await live(7, 300_000, mistake)
    expect([...complaints]).not.toEqual([])
  })
})
