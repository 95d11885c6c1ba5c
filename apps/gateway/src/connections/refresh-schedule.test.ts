import { describe, expect, it } from 'vitest'
import type { Connection } from './connection.ts'
import { backOffMs, freshUntilMs, REFRESH_TIMES, refreshDueAt, remainingPauseMs } from './refresh-schedule.ts'

const now = new Date('2026-01-15T12:00:00Z')
const inMinutes = (minutes: number) => new Date(now.getTime() + minutes * 60_000)
const minutesAfter = (date: Date) => (date.getTime() - now.getTime()) / 60_000
const DAY = 24 * 60

describe('the renewal ahead of need', () => {
  it.each([
    ['a token of eight hours', 480, 440, 450],
    ['a token of one hour', 60, 37.5, 45],
    ['a token of one minute', 1, 0.6, 0.76],
  ])('of %s falls between fixed moments before its end', (_what, life, earliest, latest) => {
    expect(minutesAfter(refreshDueAt(now, inMinutes(life), 0))).toBeCloseTo(latest, 0)
    expect(minutesAfter(refreshDueAt(now, inMinutes(life), 1))).toBeGreaterThanOrEqual(earliest)
    expect(refreshDueAt(now, inMinutes(life), 1) < refreshDueAt(now, inMinutes(life), 0)).toBe(true)
  })

  it('of an idle connection, or of one whose token has no known end, falls within a week', () => {
    for (const due of [
      refreshDueAt(now, inMinutes(480), 0, true),
      refreshDueAt(now, null, 0),
      refreshDueAt(now, inMinutes(60 * DAY), 0),
    ]) {
      expect(minutesAfter(due)).toBe(6 * DAY)
    }
    expect(minutesAfter(refreshDueAt(now, null, 1))).toBe(5 * DAY)
  })

  it('never falls so soon that a round of the background refresher would find it again', () => {
    for (const life of [-5, 0, 0.1]) {
      expect(refreshDueAt(now, inMinutes(life), 0.5)).toEqual(inMinutes(0.5))
    }
  })
})

describe('the back-off', () => {
  it('doubles from a second to a minute, give or take a quarter', () => {
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

  it('is used until a margin before its end', () => {
    expect(freshUntilMs(connected(480, null), MARGIN_MS, now)).toBe(inMinutes(479).getTime())
    expect(freshUntilMs(connected(480, 10), MARGIN_MS, now)).toBe(inMinutes(479).getTime())
    expect(freshUntilMs(connected(0.5, null), MARGIN_MS, now)).toBeLessThan(now.getTime())
  })

  it('that a refresh brought is used for half of its life, however short: else each call would bring another', () => {
    expect(freshUntilMs(connected(0.5, 0), MARGIN_MS, now)).toBe(inMinutes(0.25).getTime())
  })

  it('of unknown end is used until it is refused', () => {
    expect(freshUntilMs(connected(null, 3), MARGIN_MS, now)).toBe(Infinity)
  })
})

describe('a deadline whose clock has moved since', () => {
  const minutes = (count: number) => new Date(now.getTime() + count * 60_000)

  it.each([
    ['goes on while it can', 5, 10 * 60_000, 5 * 60_000],
    ['is over when it is past', -1, 10 * 60_000, 0],
    ['is over when it has longer to go than it was long', 15, 10 * 60_000, 0],
    ['of a release that did not keep its length goes on for an hour at most', 59, null, 59 * 60_000],
    ['of such a release is over beyond that', 62, null, 0],
  ])('%s', (_, untilMinutes, pauseMs, remaining) => {
    expect(remainingPauseMs(minutes(untilMinutes), pauseMs, now)).toBe(remaining)
  })

  it('of an access token that was issued in the future does not count: it is renewed', () => {
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

  it('leave nothing under way when an intent is taken over', () => {
    expect(times.mayRedeemForMs).toBeLessThan(times.redeemWithinMs)
    // Two clocks measure these; a tenth is more than they drift apart.
    expect(times.takenOverAfterMs).toBeGreaterThanOrEqual(times.redeemWithinMs * 1.1)
  })

  it('let a call outlast a take-over, and a refresh outlast the calls that wait for it', () => {
    expect(times.callWaitsMs).toBeGreaterThan(times.takenOverAfterMs)
    expect(times.lockWaitsMs).toBeGreaterThan(times.takenOverAfterMs + times.redeemWithinMs)
  })
})
