import { circuitBreaker } from './circuit-breaker.ts'
import { attemptsOf, degradedAgain, refusedTokenPauseMs, remainingMs } from '../connections/degraded.ts'
import { expiryDueAt, freshUntilMs } from '../connections/refresh-schedule.ts'
import { describeError } from '../platform/log.ts'
import type { Access, AccessTokens } from './ports.ts'
import type { StoredConnection } from '../connections/connection-store.ts'
import {
  requireConnected,
  isTransient,
  openCredential,
  type OpenDependencies,
  refreshUnavailable,
} from '../connections/open-credential.ts'
import { markUnreadable, refreshUnderLock } from './refresh.ts'
import { type RefreshDependencies } from './ports.ts'

/** A token kept through a failed renewal is looked at again after this. */
const RECHECK_MS = 5_000

/** How long a background round stays with one renewal; it goes on by itself after that. Longer than any that goes as it should. */
const RENEWAL_WAITS_MS = 60_000

const REMEMBERED_SPACES = 100_000

interface Remembered {
  readonly access: Access
  readonly freshUntilMs: number
}

/** The access tokens of all connections, and the one place where a refresh token is spent. */
export interface AccessTokenSource extends AccessTokens {
  /** Renews ahead of need what was due at `version`; resolves when it is renewed, by any replica, or is not due any longer. @throws {Failure} */
  renew(spaceId: string, version: number): Promise<void>
  /** The spaces used since the last time this was asked. */
  drainUsed(): string[]
  /** Resolves when no refresh is in flight here. */
  settled(): Promise<void>
}

/**
 * A refresh token may be good for one use only, and a second use may end the whole grant
 * ([RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700.html#section-4.14.2)). So over all replicas one locks the refresh, whoever waited
 * reads again before doing anything, the intent is durable before the token leaves, and the pair is stored before it is used.
 */
export function accessTokenSource(deps: RefreshDependencies): AccessTokenSource {
  const { clock, log, store, changes, times } = deps
  const circuits = circuitBreaker(times.redeemWithinMs)
  const remembered = new Map<string, Remembered>()
  const loading = new Map<string, { promise: Promise<Access>; isOutdated: boolean }>()
  const renewing = new Map<string, { promise: Promise<Access>; generation: number }>()
  let used = new Set<string>()

  changes.onChange((spaceId, version) => {
    const load = loading.get(spaceId)
    if (load) load.isOutdated = true
    const known = remembered.get(spaceId)
    if (known && known.access.version <= version) remembered.delete(spaceId)
  })
  changes.onGap(() => {
    remembered.clear()
    for (const load of loading.values()) load.isOutdated = true
  })

  const remember = (spaceId: string, access: Access, untilMs: number): Access => {
    if (!changes.isConnected()) return access
    remembered.delete(spaceId)
    remembered.set(spaceId, { access, freshUntilMs: untilMs })
    if (remembered.size > REMEMBERED_SPACES) remembered.delete(remembered.keys().next().value as string)
    return access
  }

  const load = async (spaceId: string, isOutdated: () => boolean): Promise<Access> => {
    const stored = await store.read(spaceId)
    const connection = requireConnected(deps, stored)
    const { expiresAt, generation } = connection.credential
    const untilMs = freshUntilMs(connection, deps.refreshMarginMs, clock())
    if (clock().getTime() < untilMs) {
      const access = await opened(stored)
      return isOutdated() ? access : remember(spaceId, access, untilMs)
    }
    const isStillGood = () => expiresAt !== null && clock() < expiresAt
    try {
      return await newerThan(spaceId, generation, true, isStillGood() ? times.marginTimeoutMs : times.callTimeoutMs)
    } catch (error) {
      // Better the last minute of a valid token than an error.
      if (!isStillGood() || !isTransient(error)) throw error
      const access = await opened(stored)
      const recheckAtMs = Math.min(expiresAt?.getTime() ?? Infinity, clock().getTime() + RECHECK_MS)
      return isOutdated() ? access : remember(spaceId, access, recheckAtMs)
    }
  }

  const opened = async (stored: StoredConnection): Promise<Access> => {
    const access = await markUnreadable(deps, stored, () => openAccess(deps, stored))
    // The key is back.
    if (stored.degraded?.reason === 'credential_unreadable') await store.setDegraded(stored, null)
    return access
  }

  /** An access token of a later generation than this; joins a renewal that is on its way here already. */
  const newerThan = async (
    spaceId: string,
    generation: number,
    isForCall: boolean,
    waitMs: number,
  ): Promise<Access> => {
    const running = renewing.get(spaceId)
    if (running && running.generation >= generation) return inTime(deps, spaceId, running.promise, waitMs)
    const promise = refreshUnderLock(deps, circuits, spaceId, generation, isForCall)
      .then((stored) => {
        const untilMs = freshUntilMs(requireConnected(deps, stored), deps.refreshMarginMs, clock())
        return remember(spaceId, openAccess(deps, stored), untilMs)
      })
      .finally(() => {
        if (renewing.get(spaceId) === entry) renewing.delete(spaceId)
      })
    const entry = { promise, generation }
    renewing.set(spaceId, entry)
    return inTime(deps, spaceId, promise, waitMs)
  }

  /** Upstream has refused a token that a refresh had just brought, twice: more tokens will not help. */
  const markRefused = async (stored: StoredConnection) => {
    const reason = 'upstream_refuses_token'
    const pauseMs = refusedTokenPauseMs(attemptsOf(stored.degraded, reason))
    const degraded = degradedAgain(stored.degraded, reason, 'HTTP 401', clock(), pauseMs)
    log.warn('connection.degraded', { space: stored.spaceId, reason, attempts: degraded.attempts })
    await store.setDegraded(stored, degraded)
    return refreshUnavailable(deps, { ...stored, degraded }, pauseMs)
  }

  return {
    current(spaceId) {
      used.add(spaceId)
      const known = remembered.get(spaceId)
      if (known && clock().getTime() < known.freshUntilMs && changes.isConnected()) return known.access
      const running = loading.get(spaceId)
      if (running) return running.promise
      const entry = { isOutdated: false, promise: Promise.resolve() as Promise<unknown> as Promise<Access> }
      entry.promise = load(spaceId, () => entry.isOutdated).finally(() => loading.delete(spaceId))
      loading.set(spaceId, entry)
      return entry.promise
    },

    async refreshAfter401(spaceId, rejected) {
      const known = remembered.get(spaceId)
      if (known && known.access.version > rejected.version && changes.isConnected()) return known.access
      remembered.delete(spaceId)
      const stored = await store.read(spaceId)
      const connection = requireConnected(deps, stored)
      if (connection.credential.generation === rejected.version) {
        const { lastRefreshedAt } = connection
        const isNew = lastRefreshedAt !== null && clock().getTime() - lastRefreshedAt.getTime() < times.propagationMs
        if (rejected.isSecondTry !== true && isNew) {
          await deps.pause(times.propagationPauseMs)
          return { ...rejected, isSecondTry: true }
        }
        const { degraded } = stored
        const pauseMs = degraded?.reason === 'upstream_refuses_token' ? remainingMs(degraded, clock()) : 0
        if (pauseMs > 0) throw refreshUnavailable(deps, stored, pauseMs)
        if (rejected.isFresh) throw await markRefused(stored)
      }
      return { ...(await newerThan(spaceId, rejected.version, true, times.callTimeoutMs)), isFresh: true }
    },

    async reportAccepted(spaceId) {
      try {
        const stored = await store.read(spaceId)
        if (stored.degraded?.reason === 'upstream_refuses_token') await store.setDegraded(stored, null)
      } catch (error) {
        log.warn('connection.degraded_not_cleared', { space: spaceId, ...describeError(error) })
      }
    },

    async renew(spaceId, version) {
      const stored = await store.read(spaceId)
      if (stored.connection.status !== 'connected' || stored.version !== version) return
      const { isRenewable, expiresAt, generation } = stored.connection.credential
      if (!isRenewable && (expiresAt === null || clock() < expiresAt)) {
        await store.setDegraded(stored, stored.degraded, expiryDueAt(clock(), expiresAt) ?? undefined)
        return
      }
      await newerThan(spaceId, generation, false, RENEWAL_WAITS_MS)
    },

    drainUsed() {
      const taken = [...used]
      used = new Set()
      return taken
    },

    async settled() {
      while (renewing.size > 0) await Promise.allSettled([...renewing.values()].map(({ promise }) => promise))
    },
  }
}

async function inTime<T>(deps: RefreshDependencies, spaceId: string, promise: Promise<T>, waitMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(refreshUnavailable(deps, { spaceId, degraded: null }, 2_000)), waitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The access token of a connected connection.
 *
 * @throws {Failure} `credential_unreadable`; `refresh_unavailable` when the last refresh brought no access token.
 */
function openAccess(deps: OpenDependencies, stored: StoredConnection): Access {
  const { accessToken } = openCredential(deps, stored)
  const { connection, degraded } = stored
  if (connection.status !== 'connected') throw new Error('only a connected connection has a credential')
  if (accessToken === null)
    throw refreshUnavailable(deps, stored, degraded ? remainingMs(degraded, deps.clock()) : 1_000)
  return {
    token: accessToken,
    version: connection.credential.generation,
    ...(degraded?.reason === 'upstream_refuses_token' && { isUnderSuspicion: true }),
  }
}
