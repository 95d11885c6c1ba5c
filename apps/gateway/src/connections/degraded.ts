/** The degraded state: connected, but the credential cannot be refreshed or used at present. Pure: clock and jitter are parameters. */
import { DegradedReason } from '@nmg/contract'
import { z } from 'zod'
import { backOffMs, MAX_PAUSE_MS, remainingPauseMs } from './refresh-schedule.ts'

/** Stored with the connection until a refresh or a consent succeeds. */
export interface Degraded {
  readonly reason: DegradedReason
  readonly since: Date
  /** The OAuth error code or a short description of the failure. Never text of the server. */
  readonly lastError: string
  /** No refresh token is sent before this time. */
  readonly nextAttemptAt: Date
  /** Initial length of the pause until `nextAttemptAt`. */
  readonly pauseMs: number
  /** Consecutive attempts that failed for this reason. */
  readonly attempts: number
}

/** Milliseconds until the next attempt is allowed; 0 if it is allowed now. */
export const remainingMs = ({ nextAttemptAt, pauseMs }: Degraded, now: Date): number =>
  remainingPauseMs(nextAttemptAt, pauseMs, now)

/** The mark after one more failure for this reason. */
export function degradedAgain(
  previous: Degraded | null,
  reason: DegradedReason,
  lastError: string,
  now: Date,
  pauseMs: number,
): Degraded {
  return {
    reason,
    since: previous?.since ?? now,
    lastError,
    nextAttemptAt: new Date(now.getTime() + pauseMs),
    pauseMs,
    attempts: attemptsOf(previous, reason) + 1,
  }
}

/** Consecutive failures for this reason so far. */
export const attemptsOf = (degraded: Degraded | null, reason: DegradedReason): number =>
  degraded?.reason === reason ? degraded.attempts : 0

/** Consecutive attempts without a decision after which a connection with an expired access token is degraded. */
const FAILURES_UNTIL_DEGRADED = 3

/** After the operator has corrected the client in the settings, the connection should recover sooner than after an hour. */
const CLIENT_REJECTED_PAUSE_MS = 5 * 60_000

/** A refresh attempt without a decision. */
export interface FailedAttempt {
  readonly reason: 'renewal_refused' | 'renewal_unreadable' | 'renewal_unreachable' | 'client_rejected'
  readonly error: string
  /** Consecutive attempts without a decision, including this one. */
  readonly failures: number
  /** Minimum pause in milliseconds, from `Retry-After` or by the kind of failure. */
  readonly minimumPauseMs: number
}

/**
 * The pause after an attempt without a decision, and the degraded mark if the connection counts as degraded now.
 *
 * A refusal that may be temporary is retried soon. If it persists, the token is sent again only after the access token has expired, and then
 * hourly. All other failures back off up to a minute, so that connections recover soon after an outage.
 *
 * @param tokenEndsInMs milliseconds until the access token expires; 0 or less if it has expired, null if unknown.
 */
export function afterFailedAttempt(
  previous: Degraded | null,
  { reason, error, failures, minimumPauseMs }: FailedAttempt,
  tokenEndsInMs: number | null,
  now: Date,
  jitter: number,
): { pauseMs: number; degraded: Degraded | null } {
  const isRepeated = failures >= FAILURES_UNTIL_DEGRADED
  const isOver = tokenEndsInMs === null || tokenEndsInMs <= 0
  const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(minimumPauseMs, backOff()))
  const isDegraded = previous !== null || (isRepeated && isOver)
  return { pauseMs, degraded: isDegraded ? degradedAgain(previous, reason, error, now, pauseMs) : null }

  function backOff(): number {
    if (!isRepeated) return backOffMs(failures, jitter)
    if (reason === 'client_rejected') return CLIENT_REJECTED_PAUSE_MS
    if (reason === 'renewal_refused')
      return isOver ? MAX_PAUSE_MS : Math.max(backOffMs(failures, jitter), tokenEndsInMs ?? 0)
    return backOffMs(failures, jitter)
  }
}

/** Pause between refreshes while upstream refuses fresh access tokens: 1, 2, 4 … minutes, up to an hour. */
export const refusedTokenPauseMs = (attempts: number): number =>
  Math.min(MAX_PAUSE_MS, 60_000 * 2 ** Math.min(attempts, 10))

/** Pause after a refresh without an access token: 1, 2, 4 … seconds, up to an hour. */
export const missingTokenPauseMs = (attempts: number): number =>
  Math.min(MAX_PAUSE_MS, 1_000 * 2 ** Math.min(attempts, 20))

const instant = z.iso.datetime().transform((text) => new Date(text))

const DegradedJson = z.object({
  reason: DegradedReason,
  since: instant,
  lastError: z.string(),
  nextAttemptAt: instant,
  pauseMs: z.number(),
  attempts: z.number().int(),
})

/** Decodes the stored form. @throws {z.ZodError} when this release does not know it. */
export const decodeDegraded = (json: unknown): Degraded => DegradedJson.parse(json)
