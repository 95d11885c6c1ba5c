import { circuitBreaker } from '../domain/circuit-breaker.ts'
import { freshUntilMs } from '../domain/refresh-schedule.ts'
import type { Access, AccessTokens } from '../ports.ts'
import { connected, isPassing, open, unavailable } from './opened-credential.ts'
import { type RefreshDependencies, renewed } from './refresh.ts'

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
export interface Credentials extends AccessTokens {
  /** Renews ahead of need; resolves when it is renewed, by whomever. @throws {Failure} */
  renew(spaceId: string): Promise<void>
  /** The spaces used since the last time this was asked. */
  takeUsed(): string[]
  /** Resolves when no refresh is in flight here. */
  settled(): Promise<void>
}

/**
 * A refresh token may be good for one use only, and a second use may end the whole grant
 * ([RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700.html#section-4.14.2)). So over all replicas one claims the refresh, whoever waited
 * reads again before doing anything, the intent is durable before the token leaves, and the pair is stored before it is used.
 */
export function freshCredentials(deps: RefreshDependencies): Credentials {
  const { clock, store, vault, changes, times } = deps
  const circuits = circuitBreaker(times.redeemWithinMs)
  const remembered = new Map<string, Remembered>()
  const loading = new Map<string, { promise: Promise<Access>; isOutdated: boolean }>()
  const renewing = new Map<string, { promise: Promise<Access>; generation: number }>()
  let used = new Set<string>()

  changes.onChange((spaceId, version) => {
    const load = loading.get(spaceId)
    if (load) load.isOutdated = true
    const known = remembered.get(spaceId)
    if (known && known.access.version < version) remembered.delete(spaceId)
  })
  changes.onInterruption(() => {
    remembered.clear()
    for (const load of loading.values()) load.isOutdated = true
  })

  const remember = (spaceId: string, access: Access, untilMs: number): Access => {
    if (!changes.isLive()) return access
    remembered.delete(spaceId)
    remembered.set(spaceId, { access, freshUntilMs: untilMs })
    if (remembered.size > REMEMBERED_SPACES) remembered.delete(remembered.keys().next().value as string)
    return access
  }

  const load = async (spaceId: string, isOutdated: () => boolean): Promise<Access> => {
    const stored = await store.read(spaceId)
    const connection = connected(deps, stored)
    const { expiresAt, generation } = connection.credential
    const untilMs = freshUntilMs(connection, deps.refreshMarginMs)
    if (clock().getTime() < untilMs) {
      const access = open(vault, stored)
      return isOutdated() ? access : remember(spaceId, access, untilMs)
    }
    const isStillGood = () => expiresAt !== null && clock() < expiresAt
    try {
      return await newerThan(spaceId, generation, true, isStillGood() ? times.marginWaitsMs : times.callWaitsMs)
    } catch (error) {
      // Better the last minute of a valid token than an error.
      if (!isStillGood() || !isPassing(error)) throw error
      const access = open(vault, stored)
      const recheckAtMs = Math.min(expiresAt?.getTime() ?? Infinity, clock().getTime() + RECHECK_MS)
      return isOutdated() ? access : remember(spaceId, access, recheckAtMs)
    }
  }

  /** An access token of a later generation than this; joins a renewal that is on its way here already. */
  const newerThan = async (
    spaceId: string,
    generation: number,
    isForCall: boolean,
    waitMs: number,
  ): Promise<Access> => {
    const running = renewing.get(spaceId)
    if (running && running.generation >= generation) return inTime(running.promise, waitMs)
    const promise = renewed(deps, circuits, spaceId, generation, isForCall)
      .then((stored) => {
        const untilMs = freshUntilMs(connected(deps, stored), deps.refreshMarginMs)
        return remember(spaceId, open(vault, stored), untilMs)
      })
      .finally(() => {
        if (renewing.get(spaceId) === entry) renewing.delete(spaceId)
      })
    const entry = { promise, generation }
    renewing.set(spaceId, entry)
    return inTime(promise, waitMs)
  }

  return {
    current(spaceId) {
      used.add(spaceId)
      const known = remembered.get(spaceId)
      if (known && clock().getTime() < known.freshUntilMs && changes.isLive()) return known.access
      const running = loading.get(spaceId)
      if (running) return running.promise
      const entry = { isOutdated: false, promise: Promise.resolve() as Promise<unknown> as Promise<Access> }
      entry.promise = load(spaceId, () => entry.isOutdated).finally(() => loading.delete(spaceId))
      loading.set(spaceId, entry)
      return entry.promise
    },

    async after(spaceId, refused) {
      const known = remembered.get(spaceId)
      if (known && known.access.version > refused.version && changes.isLive()) return known.access
      remembered.delete(spaceId)
      if (refused.isSecondTry !== true) {
        const { credential, lastRefreshedAt } = connected(deps, await store.read(spaceId))
        const isNew = lastRefreshedAt !== null && clock().getTime() - lastRefreshedAt.getTime() < times.settlingMs
        if (isNew && credential.generation === refused.version) {
          await deps.pause(times.settlePauseMs)
          return { ...refused, isSecondTry: true }
        }
      }
      return newerThan(spaceId, refused.version, true, times.callWaitsMs)
    },

    async renew(spaceId) {
      const stored = await store.read(spaceId)
      if (stored.connection.status !== 'connected') return
      const { isRenewable, expiresAt } = stored.connection.credential
      // It was due to be ended, and somebody has consented anew meanwhile.
      if (!isRenewable && (expiresAt === null || clock() < expiresAt)) return
      await newerThan(spaceId, stored.connection.credential.generation, false, RENEWAL_WAITS_MS)
    },

    takeUsed() {
      const taken = [...used]
      used = new Set()
      return taken
    },

    async settled() {
      while (renewing.size > 0) await Promise.allSettled([...renewing.values()].map(({ promise }) => promise))
    },
  }
}

async function inTime<T>(promise: Promise<T>, waitMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(unavailable(2)), waitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
