import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { testDatabase } from '@nmg/process/testing'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inWords, LIMITS, refusalOf, sweepLimits, takeLimit, type LimitedAction } from '@/lib/limits.ts'

let pool: Pool
/** Of another process. */
let other: Pool

beforeAll(async () => {
  const { url } = await testDatabase()
  pool = new Pool({ connectionString: url })
  other = new Pool({ connectionString: url })
  const migration = await readFile(join(import.meta.dirname, '../migrations/0010-limits.sql'), 'utf8')
  await pool.query(`create schema web; ${migration}`)
})

afterAll(() => Promise.all([pool?.end(), other?.end()]))

const takeMany = async (count: number, action: LimitedAction, subjects: Parameters<typeof takeLimit>[2]) => {
  const waits = await Promise.all(
    Array.from({ length: count }, (_, index) => takeLimit(index % 2 ? pool : other, action, subjects)),
  )
  return waits.filter((wait) => wait === 0).length
}

describe('a limit', () => {
  it('allows exactly its maximum across concurrent processes', async () => {
    expect(await takeMany(30, 'resetMail', { recipient: 'ada@north.test' })).toBe(5)
    expect(await takeMany(12, 'password', { user: 'ada' })).toBe(10)
  })

  it('returns the waiting time and does not count refusals', async () => {
    const subjects = { recipient: 'ben@north.test' }
    await takeMany(5, 'invitationMail', subjects)
    const waits = [
      await takeLimit(pool, 'invitationMail', subjects),
      await takeLimit(other, 'invitationMail', subjects),
    ]
    // Five a day: the next one after a fifth of it.
    for (const wait of waits) {
      expect(wait).toBeGreaterThan(86_400 / 5 - 60)
      expect(wait).toBeLessThanOrEqual(86_400 / 5)
    }
  })

  it('allows exactly one more after the waiting time', async () => {
    const subjects = { user: 'cem' }
    await takeMany(10, 'password', subjects)
    const wait = await takeLimit(pool, 'password', subjects)
    // As if that time had passed.
    await pool.query(`update web.limit_use set unused_at = unused_at - $1 * interval '1 second'`, [wait])
    expect(await takeMany(5, 'password', subjects)).toBe(1)
  })

  it.each([
    ['another spelling of an email', { recipient: ' DORA@north.test' }, { recipient: 'dora@north.test' }],
    ['a neighbour in an IPv6 network', { address: '2001:db8:1:2::1' }, { address: '2001:db8:1:2:ffff:ffff:ffff:ffff' }],
    ['IPv4 inside IPv6', { address: '203.0.113.9' }, { address: '::ffff:203.0.113.9' }],
    ['IPv4 inside IPv6, in hexadecimal', { address: '203.0.113.10' }, { address: '::ffff:cb00:710a' }],
    ['another spelling of IPv6', { address: '2001:db8:7::1' }, { address: '2001:0DB8:0007:0000::2' }],
  ])('counts %s as one subject', async (_, one, same) => {
    expect(await takeMany(5, 'resetMail', one)).toBe(5)
    expect(await takeLimit(pool, 'resetMail', same)).toBeGreaterThan(0)
  })

  it.each([
    ['people', 'password', { user: 'eve' }, { user: 'finn' }, 10],
    ['networks', 'resetMail', { address: '2001:db8:1:3::1' }, { address: '2001:db8:1:4::1' }, 5],
    ['actions', 'resetMail', { address: '198.51.100.1' }, { address: '198.51.100.2' }, 5],
  ] as const)('of one does not touch other %s', async (_, action, one, another, max) => {
    expect(await takeMany(max + 5, action, one)).toBe(max)
    expect(await takeLimit(pool, action, another)).toBe(0)
  })

  it('applies to each subject: many recipients do not help one sender', async () => {
    let allowed = 0
    for (let n = 0; n < 45; n++) {
      const wait = await takeLimit(pool, 'invitationMail', { user: 'gus', recipient: `victim-${n}@north.test` })
      if (wait === 0) allowed++
    }
    expect(allowed).toBe(40)
  })

  it('stores no name, and nothing once it is unused', async () => {
    const { rows } = await pool.query<{ key: Buffer }>('select key from web.limit_use')
    expect(new Set(rows.map(({ key }) => key.length))).toEqual(new Set([32]))
    await pool.query(`update web.limit_use set unused_at = now() - interval '1 second'`)
    await sweepLimits(pool)
    expect((await pool.query('select from web.limit_use')).rowCount).toBe(0)
  })
})

describe('a refusal', () => {
  it.each([
    [1, '1 second'],
    [59, '59 seconds'],
    [120, '2 minutes'],
    [121, '3 minutes'],
    [7_199, '120 minutes'],
    [7_200, '2 hours'],
    [86_400, '24 hours'],
  ])('after %i seconds names them as %s', (seconds, words) => expect(inWords(seconds)).toBe(words))

  it.each(Object.keys(LIMITS) as LimitedAction[])('of %s says when to try again', (action) => {
    expect(refusalOf(action, 90)).toMatch(/^Too many [a-z ]+\. Try again in 90 seconds\.$/)
  })
})
