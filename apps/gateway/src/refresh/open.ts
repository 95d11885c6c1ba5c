/** Puts together the access tokens of connections and their renewal ahead of time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type DatabaseGuard, holdFailure } from '../connections/copies/database-guard.ts'
import { notHeldCondition } from '../connections/copies/postgres-database-identity.ts'
import type { Connections } from '../connections/open.ts'
import { REFRESH_TIMES, type RefreshTimes } from '../connections/refresh-schedule.ts'
import { every } from '../platform/every.ts'
import type { Platform } from '../platform/open.ts'
import { accessTokenSource } from './access-tokens.ts'
import { refreshDue } from './background-refresh.ts'
import type { AccessTokens, RefreshStep } from './ports.ts'
import { postgresRefreshLocks } from './postgres-refresh-lock.ts'
import type { RefreshLocks } from './refresh-lock.ts'

/** How often the background refresh looks for due connections. */
const REFRESH_DUE_EVERY_MS = 5_000

/** The refresh lock in the database, which looks at each new session whether the database is a copy. */
export async function openRefreshLock(
  { databaseUrl, sql, log }: Platform,
  guard: DatabaseGuard,
  times: RefreshTimes = REFRESH_TIMES,
) {
  const locks = postgresRefreshLocks(
    databaseUrl,
    log,
    times,
    {
      ...guard,
      condition: notHeldCondition,
      assertNotHeld() {
        if (guard.hold()) throw holdFailure('refresh_unavailable')
      },
    },
    sql.troubles,
  )
  await locks.ready()
  return {
    ...locks,
    /** A session that broke may have been to another server, so the hold is read on one that was checked. */
    async currentHold() {
      await locks.ready()
      return guard.hold()
    },
    /** Looks again: the operator may have ended the hold. */
    async recheckHold() {
      await guard.check(await locks.ready())
    },
  }
}

export interface RefreshOptions {
  readonly platform: Platform
  readonly connections: Connections
  readonly guard: DatabaseGuard
  readonly lock: Awaited<ReturnType<typeof openRefreshLock>>
  /** A call refreshes first when the access token expires within this. */
  readonly refreshMarginMs: number
  readonly connectUrl: (spaceId: string) => string
  /** What tests change; see failpoints.ts. */
  readonly failpoints: RefreshFailpoints
}

/** What a test may change of the refresh of credentials. */
export interface RefreshFailpoints {
  readonly times?: RefreshTimes
  readonly onStep?: (step: RefreshStep | 'connected' | 'sent') => void
  readonly locks?: (locks: RefreshLocks) => RefreshLocks
}

export interface Refresh {
  readonly accessTokens: AccessTokens
  /** One round of the background refresh now. @returns how many connections were tried. */
  refreshDue(): Promise<number>
  /** Begins no further round of the background refresh. Calls may still refresh. */
  stop(): Promise<void>
  /** Resolves when no refresh is in flight: a pair that was redeemed but not stored would be lost with the process. */
  settled(): Promise<void>
}

export function openRefresh({
  platform,
  connections,
  guard,
  lock,
  refreshMarginMs,
  connectUrl,
  failpoints,
}: RefreshOptions): Refresh {
  const { clock, log } = platform
  const { store, vault, server, changes, identify } = connections
  const { times = REFRESH_TIMES, onStep, locks: faulty = (locks: RefreshLocks) => locks } = failpoints
  const credentials = accessTokenSource({
    clock,
    random: Math.random,
    pause: sleep,
    log,
    store,
    vault,
    server,
    locks: faulty(lock),
    changes,
    identify,
    refreshMarginMs,
    times,
    connectUrl,
    onStep,
  })
  const stopping = new AbortController()
  const refreshRound = async () => {
    if (await lock.currentHold()) await lock.recheckHold()
    return guard.hold() ? 0 : refreshDue({ clock, log, store, credentials, stopping: stopping.signal })
  }
  const stopRounds = every(REFRESH_DUE_EVERY_MS, refreshRound, log)
  return {
    accessTokens: credentials,
    refreshDue: refreshRound,
    async stop() {
      stopping.abort()
      await stopRounds()
    },
    settled: () => credentials.settled(),
  }
}
