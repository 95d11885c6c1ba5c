/** When a credential is renewed, and the times that keep a renewal safe. No clock and no randomness of its own: both are given. */
import { issuedAt, type Connection } from './connection.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** The times that the refresh protocol rests on. They depend on each other: see docs/refresh.md. */
export interface RefreshTimes {
  /** A refresh token leaves within this after its intent was asked for, or it stays. */
  readonly mayRedeemForMs: number
  /** Counted from the same moment: by then its request has a whole answer, or has been given up and cut off. */
  readonly redeemWithinMs: number
  /** An intent that nobody settled is taken over at this age: from wherever its request went out, it is over. More than `redeemWithinMs`. */
  readonly takenOverAfterMs: number
  /** After a request that was given up unanswered, before the next: the server may be at work on it still. */
  readonly silencePauseMs: number
  /** After a connection that broke, before the token goes out again: the first request may still be on its way inside of the server. */
  readonly repeatPauseMs: number
  /** How long a call waits for a refresh, its own or another's, before it is told to come back. */
  readonly callWaitsMs: number
  /** How long it waits while its access token is still good. */
  readonly marginWaitsMs: number
  /** How long a refresh that found the claim taken goes on asking for it. Longer than a take-over and a request last. */
  readonly lockWaitsMs: number
  /** An access token that a refresh brought less than this ago may not be known everywhere yet. */
  readonly settlingMs: number
  /** Such a token, when refused, is tried again after this. */
  readonly settlePauseMs: number
}

export const REFRESH_TIMES: RefreshTimes = {
  mayRedeemForMs: 5_000,
  redeemWithinMs: 15_000,
  takenOverAfterMs: 17_000,
  silencePauseMs: 15_000,
  repeatPauseMs: 500,
  callWaitsMs: 25_000,
  marginWaitsMs: 5_000,
  lockWaitsMs: 40_000,
  settlingMs: 10_000,
  settlePauseMs: 2_000,
}

/** A connection that nobody used for this long is idle: kept alive, but not kept ready. */
export const IDLE_AFTER_MS = 2 * DAY_MS

/** Idle connections are renewed this often at least; a grant ends after 30 days without a refresh. */
export const KEEP_ALIVE_MS = 6 * DAY_MS

/** Two renewals of one connection are this far apart at least, however short the life of its tokens. */
const LEAST_DISTANCE_MS = 30_000

/** No renewal is planned further ahead than this: what is, was planned by a clock that has moved since. */
export const FURTHEST_DUE_MS = 7 * DAY_MS

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
  return new Date(Math.max(now.getTime() + LEAST_DISTANCE_MS, Math.min(due, keepAlive)))
}

/**
 * When the background refresher looks at a credential that cannot be renewed: at its end, to note that it is over. Not further ahead than a
 * renewal would be planned.
 */
export const endDueAt = (now: Date, expiresAt: Date | null): Date | null =>
  expiresAt && new Date(Math.min(expiresAt.getTime(), now.getTime() + KEEP_ALIVE_MS))

/**
 * Until when a call uses the access token without asking for a new one, in milliseconds since the epoch: until `marginMs` before its end.
 * One that a refresh brought is used for half of its life at least. Near the end of a grant tokens live shorter than any margin, and each
 * call would bring the next refresh.
 */
export function freshUntilMs(
  connection: Extract<Connection, { status: 'connected' }>,
  marginMs: number,
  now: Date,
): number {
  const { credential, lastRefreshedAt } = connection
  if (credential.expiresAt === null) return Infinity
  // Issued by a clock that has moved since: its end is unknown, and a refresh writes it anew.
  if (credential.isRenewable && issuedAt(connection).getTime() - now.getTime() > CLOCK_TOLERANCE_MS) return 0
  const endsAtMs = credential.expiresAt.getTime()
  if (!credential.isRenewable) return endsAtMs
  const halfMs = lastRefreshedAt === null ? 0 : (lastRefreshedAt.getTime() + endsAtMs) / 2
  return Math.max(endsAtMs - marginMs, Math.min(halfMs, endsAtMs))
}

/** How far a moment that is past may lie ahead, so that a clock that is corrected a little is no clock that has moved. */
const CLOCK_TOLERANCE_MS = MINUTE_MS

/**
 * Milliseconds that a pause still has to go, 0 when it is over. One that has longer to go than it was long was written by a clock that has moved
 * since, and is over.
 *
 * @param pauseMs how long it was when it began; null for one that a release before this one wrote, which were an hour at most.
 */
export function remainingPauseMs(until: Date, pauseMs: number | null, now: Date): number {
  const remainingMs = until.getTime() - now.getTime()
  const isPossible = remainingMs <= (pauseMs ?? LONGEST_PAUSE_MS) + 1_000
  return isPossible ? Math.max(0, remainingMs) : 0
}

/** The longest that a connection waits between two attempts to renew it; also the longest `Retry-After` that is obeyed. */
export const LONGEST_PAUSE_MS = 60 * MINUTE_MS

const MAX_BACK_OFF_MS = MINUTE_MS

/** How long to wait after `failures` attempts in a row that brought no decision: 1 s doubling up to a minute, ± a quarter by `jitter` (0 to 1). */
export function backOffMs(failures: number, jitter: number): number {
  const base = Math.min(MAX_BACK_OFF_MS, 1000 * 2 ** Math.max(0, failures - 1))
  return Math.round(base * (0.75 + jitter / 2))
}
