import { describe, expect, it } from 'vitest'
import {
  afterFailedAttempt,
  decodeDegraded,
  degradedAgain,
  type FailedAttempt,
  missingTokenPauseMs,
  refusedTokenPauseMs,
  remainingMs,
} from './degraded.ts'

const now = new Date('2026-11-29T12:00:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const failed = (reason: FailedAttempt['reason'], failures: number, tokenEndsInMs: number | null, minimumPauseMs = 0) =>
  afterFailedAttempt(null, { reason, error: 'invalid_request', failures, minimumPauseMs }, tokenEndsInMs, now, 0.5)

describe('a refresh attempt without a decision', () => {
  it.each([
    // Soon again, in case the refusal is temporary.
    ['renewal_refused', 1, 0, 1_000, false],
    ['renewal_refused', 2, 0, 2_000, false],
    ['renewal_refused', 3, 0, HOUR_MS, true],
    ['renewal_refused', 3, -5_000, HOUR_MS, true],
    ['renewal_refused', 3, null, HOUR_MS, true],
    // Only at its expiry while the access token is valid.
    ['renewal_refused', 3, 20 * MINUTE_MS, 20 * MINUTE_MS, false],
    ['renewal_refused', 3, 20 * HOUR_MS, HOUR_MS, false],
    ['client_rejected', 3, 0, 5 * MINUTE_MS, true],
    // Soon enough to recover quickly after an outage.
    ['renewal_unreachable', 3, 0, 4_000, true],
    ['renewal_unreadable', 30, 0, MINUTE_MS, true],
    ['renewal_unreadable', 30, 1_000, MINUTE_MS, false],
  ] as const)(
    '(%s, number %i, token ends in %s ms) is repeated after %i ms; degraded: %s',
    (reason, count, endsIn, pauseMs, isDegraded) => {
      const outcome = failed(reason, count, endsIn)
      expect([outcome.pauseMs, outcome.degraded !== null]).toEqual([pauseMs, isDegraded])
    },
  )

  it('waits as long as the server asks, up to an hour', () => {
    expect(failed('renewal_unreadable', 1, 0, 90_000).pauseMs).toBe(90_000)
    expect(failed('renewal_unreadable', 1, 0, 9 * HOUR_MS).pauseMs).toBe(HOUR_MS)
  })

  it('keeps the start across different reasons and counts attempts per reason', () => {
    const first = degradedAgain(null, 'renewal_refused', 'x', now, HOUR_MS)
    const later = new Date(now.getTime() + HOUR_MS)
    expect(degradedAgain(first, 'renewal_refused', 'y', later, HOUR_MS)).toMatchObject({
      since: now,
      lastError: 'y',
      attempts: 2,
    })
    const attempt = { reason: 'renewal_unreadable', error: 'HTTP 500', failures: 9, minimumPauseMs: 0 } as const
    expect(afterFailedAttempt(first, attempt, 5 * HOUR_MS, later, 0.5).degraded).toMatchObject({
      since: now,
      attempts: 1,
    })
  })
})

describe('a degraded connection', () => {
  it('waits until its next attempt unless a wrong clock scheduled it', () => {
    const degraded = degradedAgain(null, 'renewal_refused', 'x', now, HOUR_MS)
    expect(remainingMs(degraded, new Date(now.getTime() + 10 * MINUTE_MS))).toBe(50 * MINUTE_MS)
    expect(remainingMs(degraded, new Date(now.getTime() + 2 * HOUR_MS))).toBe(0)
    expect(remainingMs(degraded, new Date(now.getTime() - 200 * 24 * HOUR_MS))).toBe(0)
  })

  it('survives a JSON round trip', () => {
    const degraded = degradedAgain(null, 'upstream_refuses_token', 'HTTP 401', now, MINUTE_MS)
    expect(decodeDegraded(JSON.parse(JSON.stringify(degraded)))).toEqual(degraded)
  })

  it('requests a new token after 1, 2, 4 … minutes, up to an hour, while upstream refuses them', () => {
    const minutes = [0, 1, 2, 3, 4, 5, 6, 60].map((attempts) => refusedTokenPauseMs(attempts) / MINUTE_MS)
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  it('refreshes again after 1, 2, 4 … seconds, up to an hour, after a refresh without an access token', () => {
    expect([0, 1, 2, 20, 90].map((attempts) => missingTokenPauseMs(attempts) / 1000)).toEqual([1, 2, 4, 3600, 3600])
  })
})
