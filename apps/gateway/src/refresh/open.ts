/** Assembles the refresh module: access tokens on demand, and the background refresh. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type DatabaseGuard, holdFailure } from '../connections/copies/database-guard.ts'
import { notHeldCondition } from '../connections/copies/postgres-database-identity.ts'
import type { Connections } from '../connections/open.ts'
import { REFRESH_TIMES, type RefreshTimes } from '../connections/refresh-schedule.ts'
import { every } from '../platform/every.ts'
import type { Platform } from '../platform/open.ts'
import { accessTokenSource } from './access-tokens.ts'
import { refreshDue } from './background-refresh.ts'
import type { AccessTokens, RefreshPorts } from './ports.ts'
import { postgresRefreshLocks } from './postgres-refresh-lock.ts'

/** Interval of the background refresh. */
const REFRESH_DUE_EVERY_MS = 5_000

/** Opens the refresh lock in the database, which checks on each new session whether the database is a copy. */
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
    sql.faults,
  )
  await locks.ready()
  return {
    ...locks,
    /** The hold after a check of the current session, since a new session may be connected to another server. */
    async currentHold() {
      await locks.ready()
      return guard.hold()
    },
    /** Checks again whether the database is held, since the operator may have ended the hold. */
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
  readonly failpoints: RefreshFailpoints
}

/** Lets tests change timings and intervene at the ports of the refresh. */
export interface RefreshFailpoints {
  readonly times?: RefreshTimes
  readonly wrapPorts?: (ports: RefreshPorts) => RefreshPorts
}

export interface Refresh {
  readonly accessTokens: AccessTokens
  /** Runs one round of the background refresh now. @returns the number of connections tried. */
  refreshDue(): Promise<number>
  /** Stops the background refresh. Calls may still refresh. */
  stop(): Promise<void>
  /** Resolves when no refresh is in flight: tokens that were issued but not stored would be lost with the process. */
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
  const { times = REFRESH_TIMES, wrapPorts = (ports) => ports } = failpoints
  const accessTokens = accessTokenSource({
    ...wrapPorts({ store, server, locks: lock }),
    clock,
    random: Math.random,
    pause: sleep,
    log,
    vault,
    changes,
    identify,
    refreshMarginMs,
    times,
    connectUrl,
  })
  const stopping = new AbortController()
  const refreshRound = async () => {
    if (await lock.currentHold()) await lock.recheckHold()
    return guard.hold() ? 0 : refreshDue({ clock, log, store, accessTokens, stopping: stopping.signal })
  }
  const stopRounds = every(REFRESH_DUE_EVERY_MS, refreshRound, log)
  return {
    accessTokens,
    refreshDue: refreshRound,
    async stop() {
      stopping.abort()
      await stopRounds()
    },
    settled: () => accessTokens.settled(),
  }
}
