/** The schedule of refreshes and the timings of the refresh protocol. Pure: clock and jitter are parameters. */
import { issuedAt, type Connection } from './connection.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Timings of the refresh protocol, in milliseconds. They depend on each other: see docs/refresh.md. */
export interface RefreshTimes {
  /** A refresh token may be sent within this time after its intent was requested. */
  readonly mayRedeemForMs: number
  /** From the same start: by then the request has a complete response or has been aborted. */
  readonly redeemWithinMs: number
  /** Age at which an unresolved intent may be taken over; its request has ended by then. More than `redeemWithinMs`. */
  readonly takeoverAfterMs: number
  /** Pause after a request that timed out, since the server may still be processing it. */
  readonly silencePauseMs: number
  /** Pause after a lost connection before the token is sent again, since the server may still be processing the first request. */
  readonly repeatPauseMs: number
  /** How long a call waits for a refresh on this or another replica before it fails with `Retry-After`. */
  readonly callTimeoutMs: number
  /** How long a call waits for a refresh while its access token is still valid. */
  readonly marginTimeoutMs: number
  /** How long a refresh waits for the lock. More than a takeover plus a request. */
  readonly lockTimeoutMs: number
  /** A fresh access token may take this long to be accepted by all of upstream's servers. */
  readonly propagationMs: number
  /** Pause before such a token is sent again after a 401. */
  readonly propagationPauseMs: number
}

export const REFRESH_TIMES: RefreshTimes = {
  mayRedeemForMs: 5_000,
  redeemWithinMs: 15_000,
  takeoverAfterMs: 17_000,
  silencePauseMs: 15_000,
  repeatPauseMs: 500,
  callTimeoutMs: 25_000,
  marginTimeoutMs: 5_000,
  lockTimeoutMs: 40_000,
  propagationMs: 10_000,
  propagationPauseMs: 2_000,
}

/** A connection without calls for this long is idle: its grant is kept alive, but its access token may expire. */
export const IDLE_AFTER_MS = 2 * DAY_MS

/** Maximum interval between refreshes of an idle connection; a grant ends after 30 days without a refresh. */
export const KEEP_ALIVE_MS = 6 * DAY_MS

/** Minimum interval between two background refreshes of a connection, for tokens with a very short lifetime. */
const MIN_INTERVAL_MS = 30_000

/** No refresh is scheduled further ahead than this; one that is was scheduled by a wrong clock. */
export const MAX_DUE_AHEAD_MS = 7 * DAY_MS

/**
 * When the background refresh refreshes a credential: half an hour before its access token expires, or a quarter of its lifetime if that is
 * shorter. `jitter` (0 to 1) spreads the refreshes of connections made at the same time.
 */
export function refreshDueAt(now: Date, expiresAt: Date | null, jitter: number, isIdle = false): Date {
  const keepAlive = now.getTime() + KEEP_ALIVE_MS - jitter * DAY_MS
  if (isIdle || !expiresAt) return new Date(keepAlive)
  const life = Math.max(0, expiresAt.getTime() - now.getTime())
  const early = Math.min(30 * MINUTE_MS, life / 4)
  const due = expiresAt.getTime() - early - jitter * Math.min(10 * MINUTE_MS, life / 8)
  return new Date(Math.max(now.getTime() + MIN_INTERVAL_MS, Math.min(due, keepAlive)))
}

/**
 * When the background refresh checks a credential without a refresh token: at its expiry, to record that it has ended, but not further ahead
 * than a refresh would be scheduled.
 */
export const expiryDueAt = (now: Date, expiresAt: Date | null): Date | null =>
  expiresAt && new Date(Math.min(expiresAt.getTime(), now.getTime() + KEEP_ALIVE_MS))

/**
 * Until when calls use the access token without a refresh, in milliseconds since the epoch: until `marginMs` before its expiry. A refreshed
 * token is used for at least half of its lifetime: near the end of a grant, lifetimes are shorter than the margin, and each call would
 * trigger another refresh.
 */
export function freshUntilMs(
  connection: Extract<Connection, { status: 'connected' }>,
  marginMs: number,
  now: Date,
): number {
  const { credential, lastRefreshedAt } = connection
  if (credential.expiresAt === null) return Infinity
  // Issued in the future, so a wrong clock has dated it. Its expiry is unknown until a refresh.
  if (credential.isRenewable && issuedAt(connection).getTime() - now.getTime() > CLOCK_TOLERANCE_MS) return 0
  const endsAtMs = credential.expiresAt.getTime()
  if (!credential.isRenewable) return endsAtMs
  const halfMs = lastRefreshedAt === null ? 0 : (lastRefreshedAt.getTime() + endsAtMs) / 2
  return Math.max(endsAtMs - marginMs, Math.min(halfMs, endsAtMs))
}

/** Tolerance for times in the future, so that small clock corrections are ignored. */
const CLOCK_TOLERANCE_MS = MINUTE_MS

/**
 * Remaining milliseconds of a pause; 0 when it is over. If more than its initial length remains, a wrong clock wrote it, and it is over.
 *
 * @param pauseMs its initial length; null if an earlier release wrote it, whose pauses last an hour at most.
 */
export function remainingPauseMs(until: Date, pauseMs: number | null, now: Date): number {
  const remainingMs = until.getTime() - now.getTime()
  const isPossible = remainingMs <= (pauseMs ?? MAX_PAUSE_MS) + 1_000
  return isPossible ? Math.max(0, remainingMs) : 0
}

/** Maximum pause between two attempts to refresh a connection, and maximum `Retry-After` that is honoured. */
export const MAX_PAUSE_MS = 60 * MINUTE_MS

const MAX_BACK_OFF_MS = MINUTE_MS

/** Pause after `failures` consecutive attempts without a decision: 1 s doubling up to a minute, ± 25 % by `jitter` (0 to 1). */
export function backOffMs(failures: number, jitter: number): number {
  const base = Math.min(MAX_BACK_OFF_MS, 1000 * 2 ** Math.max(0, failures - 1))
  return Math.round(base * (0.75 + jitter / 2))
}
