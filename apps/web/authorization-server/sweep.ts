import type { Pool } from 'pg'
import { SCHEMA } from '../lib/database.ts'
import { causeOf, log } from '../lib/log.ts'
import type { Grants } from './grants.ts'
import type { Revocations } from './revocations.ts'

const HOUR_MS = 3_600_000

/** How many clients that registered and were never allowed anything are kept at most: anybody can register, from any number of addresses. */
const MOST_UNUSED = 50_000

/** How long clients that were allowed something are kept after that, so that people log in again from them, in days. */
const KEPT_DAYS = 365

/** Deletes what is of no use any more: grants without a usable code or token, and clients that nobody allowed within a day. */
export async function sweep(pool: Pool): Promise<void> {
  await pool.query(`delete from ${SCHEMA}.oauth_refresh_token where expires_at < now()`)
  await pool.query(
    `delete from ${SCHEMA}.oauth_grant granted
     where not exists (select from ${SCHEMA}.oauth_refresh_token where grant_id = granted.id)
       and not exists (select from ${SCHEMA}.oauth_code where grant_id = granted.id and expires_at > now())`,
  )
  // A chain grows by a row with each refresh. A copy of a token that is as old as this is refused without ending the grant.
  await pool.query(
    `delete from ${SCHEMA}.oauth_refresh_token old
     where used_at < now() - interval '30 days'
       and exists (select from ${SCHEMA}.oauth_refresh_token where predecessor = old.digest and used_at is not null)`,
  )
  // A document that was read within the day is used while its server is away, so its client stays.
  await pool.query(
    `delete from ${SCHEMA}.oauth_client client
     where not exists (select from ${SCHEMA}.oauth_grant where client_id = client.client_id)
       and not disabled
       and coalesce(allowed_at, '-infinity') < now() - interval '${KEPT_DAYS} days'
       and (updated_at < now() - interval '1 day'
            or client_id in (
              select client_id from ${SCHEMA}.oauth_client where allowed_at is null
              order by updated_at desc offset ${MOST_UNUSED}))`,
  )
  await pool.query(
    `delete from ${SCHEMA}.client_document
     where client_id not in (select client_id from ${SCHEMA}.oauth_client)`,
  )
}

/** Deletes expired rows hourly, and checks daily for former members. */
export function startHousekeeping(
  pool: Pool,
  grants: Grants,
  revocations: Pick<Revocations, 'deliverNow'>,
): { stop(): void } {
  const attempt = (name: string, work: () => Promise<unknown>) => () => {
    work().catch((error: unknown) => log.warn(name, causeOf(error)))
  }
  const reconcile = async () => {
    const found = await grants.reconcile()
    if (found === 0) return
    log.warn('oauth.former_members_found', { count: found })
    await revocations.deliverNow()
  }
  const timers = [
    setInterval(
      attempt('oauth.not_swept', () => sweep(pool)),
      HOUR_MS,
    ),
    setInterval(attempt('oauth.not_reconciled', reconcile), 24 * HOUR_MS),
  ]
  for (const timer of timers) timer.unref()
  return { stop: () => timers.forEach((timer) => clearInterval(timer)) }
}
