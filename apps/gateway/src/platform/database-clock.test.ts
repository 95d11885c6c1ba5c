import { describe, expect, it } from 'vitest'
import type { Sql } from './database.ts'
import { openDatabaseClock } from './database-clock.ts'

const YEAR_MS = 365 * 24 * 3_600_000

/** A database whose clock is ahead of the process. */
const databaseAhead = (aheadMs: () => number) =>
  ({ query: async () => ({ rows: [{ ms: Date.now() + aheadMs() }] }) }) as unknown as Sql

/** To ten seconds; adding 0 turns -0 into 0. */
const offsetOf = (now: Date) => Math.round((now.getTime() - Date.now()) / 10_000) * 10_000 + 0

describe('the database clock', () => {
  it.each([0, YEAR_MS, -YEAR_MS])('has the time of a database that is %d ms ahead of the process', async (aheadMs) => {
    const { now } = await openDatabaseClock(databaseAhead(() => aheadMs))
    expect(offsetOf(now())).toBe(Math.round(aheadMs / 10_000) * 10_000)
  })

  it('continues with the last reading until the next one', async () => {
    let aheadMs = 0
    const clock = await openDatabaseClock(databaseAhead(() => aheadMs))
    aheadMs = YEAR_MS
    expect(offsetOf(clock.now())).toBe(0)
    await clock.read()
    expect(offsetOf(clock.now())).toBe(YEAR_MS)
  })
})
