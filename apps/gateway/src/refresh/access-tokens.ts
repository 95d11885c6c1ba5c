import { circuitBreaker } from './circuit-breaker.ts'
import { attemptsOf, degradedAgain, refusedTokenPauseMs, remainingMs } from '../connections/degraded.ts'
import { expiryDueAt, freshUntilMs } from '../connections/refresh-schedule.ts'
import { BoundedMap } from '../platform/bounded-map.ts'
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

/** How long a still valid token is cached after a failed refresh. */
const RECHECK_MS = 5_000

/** How long a background round waits for a refresh, which continues after that. Longer than a successful one takes. */
const BACKGROUND_TIMEOUT_MS = 60_000

const MAX_CACHED_SPACES = 100_000

interface CachedAccess {
  readonly access: Access
  readonly freshUntilMs: number
}

/** The access tokens of all connections. The only code that sends refresh tokens. */
export interface AccessTokenSource extends AccessTokens {
  /** Refreshes a connection that was due at `version`; resolves when any replica has refreshed it or it is no longer due. @throws {Failure} */
  refreshIfDue(spaceId: string, version: number): Promise<void>
  /** The spaces used since the last call. */
  drainUsed(): string[]
  /** Resolves when no refresh is in flight here. */
  settled(): Promise<void>
}

/**
 * A refresh token may be valid for one use only, and reuse may revoke the whole grant
 * ([RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700.html#section-4.14.2)). So the refresh is locked across all replicas, the connection is
 * read again under the lock, the intent is durable before the token is sent, and the new tokens are stored before they are used.
 */
export function accessTokenSource(deps: RefreshDependencies): AccessTokenSource {
  const { clock, log, store, changes, times } = deps
  const circuits = circuitBreaker(times.redeemWithinMs)
  const cached = new BoundedMap<string, CachedAccess>(MAX_CACHED_SPACES)
  const loading = new Map<string, { promise: Promise<Access>; isOutdated: boolean }>()
  const refreshing = new Map<string, { promise: Promise<Access>; generation: number }>()
  let used = new Set<string>()

  changes.onChange((spaceId, version) => {
    const load = loading.get(spaceId)
    if (load) load.isOutdated = true
    const entry = cached.get(spaceId)
    if (entry && entry.access.version <= version) cached.delete(spaceId)
  })
  changes.onGap(() => {
    cached.clear()
    for (const load of loading.values()) load.isOutdated = true
  })

  const cache = (spaceId: string, access: Access, untilMs: number): Access => {
    if (changes.isConnected()) cached.set(spaceId, { access, freshUntilMs: untilMs })
    return access
  }

  const load = async (spaceId: string, isOutdated: () => boolean): Promise<Access> => {
    const stored = await store.read(spaceId)
    const connection = requireConnected(deps, stored)
    const { expiresAt, generation } = connection.credential
    const untilMs = freshUntilMs(connection, deps.refreshMarginMs, clock())
    if (clock().getTime() < untilMs) {
      const access = await openStored(stored)
      return isOutdated() ? access : cache(spaceId, access, untilMs)
    }
    const isStillValid = () => expiresAt !== null && clock() < expiresAt
    try {
      return await refreshBeyond(
        spaceId,
        generation,
        true,
        isStillValid() ? times.marginTimeoutMs : times.callTimeoutMs,
      )
    } catch (error) {
      // Use a token in its last minute rather than fail.
      if (!isStillValid() || !isTransient(error)) throw error
      const access = await openStored(stored)
      const recheckAtMs = Math.min(expiresAt?.getTime() ?? Infinity, clock().getTime() + RECHECK_MS)
      return isOutdated() ? access : cache(spaceId, access, recheckAtMs)
    }
  }

  const openStored = async (stored: StoredConnection): Promise<Access> => {
    const access = await markUnreadable(deps, stored, () => openAccess(deps, stored))
    // The operator has restored the key.
    if (stored.degraded?.reason === 'credential_unreadable') await store.setDegraded(stored, null)
    return access
  }

  /** An access token of a later generation than this; joins a refresh in flight in this process. */
  const refreshBeyond = async (
    spaceId: string,
    generation: number,
    isForCall: boolean,
    waitMs: number,
  ): Promise<Access> => {
    const running = refreshing.get(spaceId)
    if (running && running.generation >= generation) return withTimeout(deps, spaceId, running.promise, waitMs)
    const promise = refreshUnderLock(deps, circuits, spaceId, generation, isForCall)
      .then((stored) => {
        const untilMs = freshUntilMs(requireConnected(deps, stored), deps.refreshMarginMs, clock())
        return cache(spaceId, openAccess(deps, stored), untilMs)
      })
      .finally(() => {
        if (refreshing.get(spaceId) === entry) refreshing.delete(spaceId)
      })
    const entry = { promise, generation }
    refreshing.set(spaceId, entry)
    return withTimeout(deps, spaceId, promise, waitMs)
  }

  /** Marks the connection after upstream rejected a fresh token twice, since further refreshes would not help. */
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
      const entry = cached.get(spaceId)
      if (entry && clock().getTime() < entry.freshUntilMs && changes.isConnected()) return entry.access
      const running = loading.get(spaceId)
      if (running) return running.promise
      const started = { isOutdated: false, promise: Promise.resolve() as Promise<unknown> as Promise<Access> }
      started.promise = load(spaceId, () => started.isOutdated).finally(() => loading.delete(spaceId))
      loading.set(spaceId, started)
      return started.promise
    },

    async refreshAfter401(spaceId, rejected) {
      const entry = cached.get(spaceId)
      if (entry && entry.access.version > rejected.version && changes.isConnected()) return entry.access
      cached.delete(spaceId)
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
      return { ...(await refreshBeyond(spaceId, rejected.version, true, times.callTimeoutMs)), isFresh: true }
    },

    async reportAccepted(spaceId) {
      try {
        const stored = await store.read(spaceId)
        if (stored.degraded?.reason === 'upstream_refuses_token') await store.setDegraded(stored, null)
      } catch (error) {
        log.warn('connection.degraded_not_cleared', { space: spaceId, ...describeError(error) })
      }
    },

    async refreshIfDue(spaceId, version) {
      const stored = await store.read(spaceId)
      if (stored.connection.status !== 'connected' || stored.version !== version) return
      const { isRenewable, expiresAt, generation } = stored.connection.credential
      if (!isRenewable && (expiresAt === null || clock() < expiresAt)) {
        await store.setDegraded(stored, stored.degraded, expiryDueAt(clock(), expiresAt) ?? undefined)
        return
      }
      await refreshBeyond(spaceId, generation, false, BACKGROUND_TIMEOUT_MS)
    },

    drainUsed() {
      const taken = [...used]
      used = new Set()
      return taken
    },

    async settled() {
      while (refreshing.size > 0) await Promise.allSettled([...refreshing.values()].map(({ promise }) => promise))
    },
  }
}

async function withTimeout<T>(
  deps: RefreshDependencies,
  spaceId: string,
  promise: Promise<T>,
  waitMs: number,
): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(refreshUnavailable(deps, { spaceId, degraded: null }, 2_000)), waitMs)
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Decrypts the access token of a connected connection.
 *
 * @throws {Failure} `credential_unreadable`; `refresh_unavailable` when the last refresh returned no access token.
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
