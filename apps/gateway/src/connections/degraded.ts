/** Connected, but the credential cannot be renewed or used right now. Pure: clock and jitter are given. */
import { DegradedReason } from '@nmg/contract'
import { z } from 'zod'
import { backOffMs, LONGEST_PAUSE_MS, remainingPauseMs } from './refresh-schedule.ts'

/** Stored beside the connection, until a refresh or a consent succeeds. */
export interface Degraded {
  readonly reason: DegradedReason
  readonly since: Date
  /** The OAuth error code, or in a few words what happened instead. Never a server's text. */
  readonly lastError: string
  /** No refresh token leaves before this moment. */
  readonly nextAttemptAt: Date
  /** How long that pause was when it began. */
  readonly pauseMs: number
  /** Attempts in a row that failed for this reason. */
  readonly attempts: number
}

/** Milliseconds until the next attempt may be made; 0 when it may be made now. */
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

/** Failures in a row for this reason up to now. */
export const attemptsOf = (degraded: Degraded | null, reason: DegradedReason): number =>
  degraded?.reason === reason ? degraded.attempts : 0

/** Attempts in a row without a decision after which a connection whose access token is over counts as degraded. */
const FAILURES_UNTIL_DEGRADED = 3

/** A wrong client in the settings: the operator corrects it and restarts, and should not have to wait an hour. */
const CLIENT_REJECTED_PAUSE_MS = 5 * 60_000

/** An attempt to renew that brought no decision. */
export interface FailedAttempt {
  readonly reason: 'renewal_refused' | 'renewal_unreadable' | 'renewal_unreachable' | 'client_rejected'
  readonly error: string
  /** Attempts in a row without a decision, this one included. */
  readonly failures: number
  /** The least pause, in milliseconds: what the server asked for, or what the kind of failure needs. */
  readonly leastPauseMs: number
}

/**
 * When to try again after an attempt without a decision, and whether the connection is degraded by now.
 *
 * A refusal that is not known to be final is repeated soon, in case it passes. When it does not, the token goes out again only once the access
 * token is over, and then hourly. Everything else backs off up to a minute: an outage should not last longer than it does.
 *
 * @param tokenEndsInMs milliseconds until the access token ends; 0 when it is over, null when nobody knows.
 */
export function afterFailedAttempt(
  previous: Degraded | null,
  { reason, error, failures, leastPauseMs }: FailedAttempt,
  tokenEndsInMs: number | null,
  now: Date,
  jitter: number,
): { pauseMs: number; degraded: Degraded | null } {
  const isRepeated = failures >= FAILURES_UNTIL_DEGRADED
  const isOver = tokenEndsInMs === null || tokenEndsInMs <= 0
  const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(leastPauseMs, backOff()))
  const isDegraded = previous !== null || (isRepeated && isOver)
  return { pauseMs, degraded: isDegraded ? degradedAgain(previous, reason, error, now, pauseMs) : null }

  function backOff(): number {
    if (!isRepeated) return backOffMs(failures, jitter)
    if (reason === 'client_rejected') return CLIENT_REJECTED_PAUSE_MS
    if (reason === 'renewal_refused')
      return isOver ? LONGEST_PAUSE_MS : Math.max(backOffMs(failures, jitter), tokenEndsInMs ?? 0)
    return backOffMs(failures, jitter)
  }
}

/** Minutes 1, 2, 4 … up to an hour: how long no new token is asked for while upstream refuses those that it gets. */
export const refusedTokenPauseMs = (attempts: number): number =>
  Math.min(LONGEST_PAUSE_MS, 60_000 * 2 ** Math.min(attempts, 10))

/** Seconds 1, 2, 4 … up to an hour: until the next refresh after one that brought no access token. */
export const missingTokenPauseMs = (attempts: number): number =>
  Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** Math.min(attempts, 20))

const instant = z.iso.datetime().transform((text) => new Date(text))

const DegradedJson = z.object({
  reason: DegradedReason,
  since: instant,
  lastError: z.string(),
  nextAttemptAt: instant,
  pauseMs: z.number(),
  attempts: z.number().int(),
})

/** As it is stored. @throws {z.ZodError} when the JSON is no mark that this version knows. */
export const decodeDegraded = (json: unknown): Degraded => DegradedJson.parse(json)
