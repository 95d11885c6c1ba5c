/** When a credential is renewed. No clock and no randomness of its own: both are given. */

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** A connection that nobody used for this long is idle: kept alive, but not kept ready. */
export const IDLE_AFTER_MS = 2 * DAY_MS

/** Idle connections are renewed this often at least; a grant ends after 30 days without a refresh. */
export const KEEP_ALIVE_MS = 6 * DAY_MS

/**
 * When the background refresher renews a credential: well before its access token ends, at a moment that `jitter` (0 to 1) spreads, so that
 * connections made together are not renewed together. Half an hour early for tokens of eight hours, a quarter of the life for shorter ones.
 */
export function refreshDueAt(now: Date, expiresAt: Date | null, jitter: number, isIdle = false): Date {
  const keepAlive = now.getTime() + KEEP_ALIVE_MS - jitter * DAY_MS
  if (isIdle || !expiresAt) return new Date(keepAlive)
  const life = Math.max(0, expiresAt.getTime() - now.getTime())
  const early = Math.min(30 * MINUTE_MS, life / 4)
  const due = expiresAt.getTime() - early - jitter * Math.min(10 * MINUTE_MS, life / 8)
  return new Date(Math.min(due, keepAlive))
}

/** How long to wait after `failures` attempts in a row that brought no decision: 1 s doubling up to 5 min, ± a quarter by `jitter` (0 to 1). */
export function backOffMs(failures: number, jitter: number): number {
  const base = Math.min(5 * MINUTE_MS, 1000 * 2 ** Math.max(0, failures - 1))
  return Math.round(base * (0.75 + jitter / 2))
}
