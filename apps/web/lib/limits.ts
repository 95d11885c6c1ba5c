import { createHash } from 'node:crypto'
import type { Pool } from 'pg'
import { normalizeIP } from '@better-auth/core/utils/ip'
import { SCHEMA } from './database.ts'

/** A burst of `max`, refilled evenly at `max` per `seconds`. */
export interface Limit {
  readonly max: number
  readonly seconds: number
}

/** Whose use is counted. `account` is the email that a request names, `recipient` whom a mail goes to. */
const LIMITED_BY = ['address', 'user', 'space', 'account', 'recipient'] as const
export type LimitedBy = (typeof LIMITED_BY)[number]

const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400

/**
 * Rate limits of everything that sends mail, allows guessing a secret or costs money. Limits per address and per account are wide, because a
 * whole team may share an address, and strangers can name any account.
 */
export const LIMITS = {
  signIn: { what: 'attempts', address: [per(30, MINUTE), per(300, HOUR)], account: [per(60, HOUR)] },
  signUp: { what: 'attempts', address: [per(40, MINUTE), per(300, HOUR)] },
  signInElsewhere: { what: 'attempts', address: [per(60, MINUTE)] },
  password: { what: 'attempts', address: [per(40, MINUTE)], user: [per(10, 10 * MINUTE)] },
  resetMail: { what: 'requests', address: [per(5, MINUTE), per(60, HOUR)], recipient: [per(5, HOUR)] },
  resetPassword: { what: 'attempts', address: [per(40, MINUTE)] },
  invitationMail: {
    what: 'invitations by mail',
    address: [per(60, HOUR)],
    user: [per(40, HOUR)],
    space: [per(100, DAY)],
    recipient: [per(5, DAY)],
  },
  joinSpace: { what: 'attempts', address: [per(300, HOUR)], user: [per(120, HOUR)] },
  connect: { what: 'attempts to connect', user: [per(240, HOUR)], space: [per(240, HOUR)] },
  chat: {
    what: 'messages',
    user: [per(40, MINUTE), per(400, HOUR)],
    space: [per(120, MINUTE), per(2_000, HOUR)],
  },
  registerClient: { what: 'registrations', address: [per(60, 10 * MINUTE)] },
  authorizeClient: { what: 'attempts', address: [per(120, MINUTE)] },
  clientToken: { what: 'requests', address: [per(600, MINUTE)] },
  revokeToken: { what: 'requests', address: [per(120, MINUTE)] },
} as const satisfies Record<string, { what: string } & Partial<Record<LimitedBy, readonly Limit[]>>>

export type LimitedAction = keyof typeof LIMITS

/** Subjects to count; absent ones are not counted. */
export type Subjects = Partial<Record<LimitedBy, string | undefined>>

/**
 * Counts one use against each limit of the action, until one of them refuses it.
 *
 * @returns seconds until the next use is allowed; 0 when this one is.
 */
export async function takeLimit(pool: Pool, action: LimitedAction, subjects: Subjects): Promise<number> {
  for (const by of LIMITED_BY) {
    const subject = subjects[by]
    if (subject === undefined) continue
    for (const limit of limitsOf(action)[by] ?? []) {
      const seconds = await take(
        pool,
        limit,
        `${action} ${limit.seconds} ${STORED_AS[by] ?? by} ${canonical(by, subject)}`,
      )
      if (seconds > 0) return seconds
    }
  }
  return 0
}

/** Part of the stored keys, which releases before this one use too. */
const STORED_AS: Partial<Record<LimitedBy, string>> = { user: 'person' }

const limitsOf = (action: LimitedAction): Partial<Record<LimitedBy, readonly Limit[]>> => LIMITS[action]

/** The message of a refusal. */
export const refusalOf = (action: LimitedAction, seconds: number): string =>
  `Too many ${LIMITS[action].what}. Try again in ${inWords(seconds)}.`

/** Deletes expired counters. */
export async function sweepLimits(pool: Pool): Promise<void> {
  await pool.query(`delete from ${SCHEMA}.limit_use where unused_at < now()`)
}

/** The client's address, as the server in front of all routes has determined it. */
export const addressOf = (headers: Headers): string => headers.get('x-forwarded-for') ?? 'unknown'

/**
 * Counts by the time at which the limit would be unused again (GCRA): one row, one statement, the database's clock, and exact to the second.
 *
 * @returns seconds to wait; 0 when the use was counted.
 */
async function take(pool: Pool, { max, seconds }: Limit, name: string): Promise<number> {
  const values = [createHash('sha256').update(name).digest(), seconds / max, seconds]
  const later = `greatest(held.unused_at, now()) + $2 * interval '1 second'`
  const { rowCount } = await pool.query(
    `insert into ${SCHEMA}.limit_use as held (key, unused_at) values ($1, now() + $2 * interval '1 second')
     on conflict (key) do update set unused_at = ${later}
     where ${later} <= now() + ($3 + 0.001) * interval '1 second'`,
    values,
  )
  if (rowCount === 1) return 0
  const { rows } = await pool.query<{ wait: number }>(
    `select (extract(epoch from unused_at - now()) + $2 - $3)::float8 as wait from ${SCHEMA}.limit_use where key = $1`,
    values,
  )
  return Math.max(1, Math.ceil(rows[0]?.wait ?? 1))
}

/** Canonical form of a subject. IPv6 addresses count by their /64 network. */
function canonical(by: LimitedBy, subject: string): string {
  if (by === 'address') return normalizeIP(subject, { ipv6Subnet: 64 })
  return by === 'account' || by === 'recipient' ? subject.trim().toLowerCase() : subject
}

/** A waiting time in words, rounded up. */
export function inWords(seconds: number): string {
  const [count, unit] =
    seconds < 2 * MINUTE
      ? [seconds, 'second']
      : seconds < 2 * HOUR
        ? [Math.ceil(seconds / MINUTE), 'minute']
        : [Math.ceil(seconds / HOUR), 'hour']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

function per(max: number, seconds: number): Limit {
  return { max, seconds }
}
