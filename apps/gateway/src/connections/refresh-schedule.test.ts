import { describe, expect, it } from 'vitest'
import type { Connection } from './connection.ts'
import { backOffMs, freshUntilMs, REFRESH_TIMES, refreshDueAt, remainingPauseMs } from './refresh-schedule.ts'

const now = new Date('2026-01-15T12:00:00Z')
const inMinutes = (minutes: number) => new Date(now.getTime() + minutes * 60_000)
const minutesAfter = (date: Date) => (date.getTime() - now.getTime()) / 60_000
const DAY = 24 * 60

describe('the background refresh', () => {
  it.each([
    ['a token of eight hours', 480, 440, 450],
    ['a token of one hour', 60, 37.5, 45],
    ['a token of one minute', 1, 0.6, 0.76],
  ])('of %s is due within fixed limits before its expiry', (_what, life, earliest, latest) => {
    expect(minutesAfter(refreshDueAt(now, inMinutes(life), 0))).toBeCloseTo(latest, 0)
    expect(minutesAfter(refreshDueAt(now, inMinutes(life), 1))).toBeGreaterThanOrEqual(earliest)
    expect(refreshDueAt(now, inMinutes(life), 1) < refreshDueAt(now, inMinutes(life), 0)).toBe(true)
  })

  it('of an idle connection, or of a token without known expiry, is due within a week', () => {
    for (const due of [
      refreshDueAt(now, inMinutes(480), 0, true),
      refreshDueAt(now, null, 0),
      refreshDueAt(now, inMinutes(60 * DAY), 0),
    ]) {
      expect(minutesAfter(due)).toBe(6 * DAY)
    }
    expect(minutesAfter(refreshDueAt(now, null, 1))).toBe(5 * DAY)
  })

  it('is never due so soon that the same round would find the connection again', () => {
    for (const life of [-5, 0, 0.1]) {
      expect(refreshDueAt(now, inMinutes(life), 0.5)).toEqual(inMinutes(0.5))
    }
  })
})

describe('the back-off', () => {
  it('doubles from a second to a minute, ± 25 %', () => {
    expect([1, 2, 3, 4].map((failures) => backOffMs(failures, 0.5))).toEqual([1000, 2000, 4000, 8000])
    expect(backOffMs(40, 0.5)).toBe(60_000)
    expect([backOffMs(1, 0), backOffMs(1, 1)]).toEqual([750, 1250])
  })
})

describe('an access token', () => {
  const connected = (lifeMinutes: number | null, refreshedMinutesAgo: number | null) => {
    const grant = {
      issuer: 'https://notion.example',
      tokenEndpoint: 'https://notion.example/token',
      revocationEndpoint: null,
      resource: null,
      scope: null,
      authorizedAt: now,
      authorizedBy: 'ada',
    }
    const expiresAt = lifeMinutes === null ? null : inMinutes(lifeMinutes)
    const lastRefreshedAt = refreshedMinutesAgo === null ? null : inMinutes(-refreshedMinutesAgo)
    const credential = { sealed: '', keyId: '', generation: 1, expiresAt, isRenewable: true }
    return { status: 'connected', grant, credential, lastRefreshedAt } satisfies Connection
  }
  const MARGIN_MS = 60_000

  it('is used until a margin before its expiry', () => {
    expect(freshUntilMs(connected(480, null), MARGIN_MS, now)).toBe(inMinutes(479).getTime())
    expect(freshUntilMs(connected(480, 10), MARGIN_MS, now)).toBe(inMinutes(479).getTime())
    expect(freshUntilMs(connected(0.5, null), MARGIN_MS, now)).toBeLessThan(now.getTime())
  })

  it('of a refresh is used for half of its lifetime, however short, so that not each call refreshes', () => {
    expect(freshUntilMs(connected(0.5, 0), MARGIN_MS, now)).toBe(inMinutes(0.25).getTime())
  })

  it('without known expiry is used until it is refused', () => {
    expect(freshUntilMs(connected(null, 3), MARGIN_MS, now)).toBe(Infinity)
  })
})

describe('the remaining pause', () => {
  const minutes = (count: number) => new Date(now.getTime() + count * 60_000)

  it.each([
    ['is the time until its end', 5, 10 * 60_000, 5 * 60_000],
    ['is zero after its end', -1, 10 * 60_000, 0],
    ['is zero if more than its initial length remains', 15, 10 * 60_000, 0],
    ['without an initial length is an hour at most', 59, null, 59 * 60_000],
    ['without an initial length is zero beyond an hour', 62, null, 0],
  ])('%s', (_, untilMinutes, pauseMs, remaining) => {
    expect(remainingPauseMs(minutes(untilMinutes), pauseMs, now)).toBe(remaining)
  })

  it('ignores the lifetime of an access token issued in the future, which is refreshed', () => {
    const ahead = 200 * 24 * 60
    const grant = {
      issuer: 'https://notion.example',
      tokenEndpoint: 'https://notion.example/token',
      revocationEndpoint: null,
      resource: null,
      scope: null,
      authorizedAt: minutes(ahead),
      authorizedBy: 'ada',
    }
    const credential = { sealed: '', keyId: '', generation: 1, expiresAt: minutes(ahead + 480), isRenewable: true }
    const connection = { status: 'connected', grant, credential, lastRefreshedAt: null } as const
    expect(freshUntilMs(connection, 60_000, now)).toBe(0)
    expect(freshUntilMs({ ...connection, lastRefreshedAt: minutes(-1) }, 60_000, now)).toBeGreaterThan(now.getTime())
  })
})

describe('the times of a refresh', () => {
  const times = REFRESH_TIMES

  it('leave no request in flight when an intent is taken over', () => {
    expect(times.mayRedeemForMs).toBeLessThan(times.redeemWithinMs)
    // Measured by two clocks, which drift apart by less than a tenth.
    expect(times.takeoverAfterMs).toBeGreaterThanOrEqual(times.redeemWithinMs * 1.1)
  })

  it('let a call outlast a takeover, and a refresh outlast its waiting calls', () => {
    expect(times.callTimeoutMs).toBeGreaterThan(times.takeoverAfterMs)
    expect(times.lockTimeoutMs).toBeGreaterThan(times.takeoverAfterMs + times.redeemWithinMs)
  })
})
