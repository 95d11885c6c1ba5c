import type { Pool } from 'pg'
import { SCHEMA } from '../database.ts'

/** Clients that registered, or whose document was read, and that were never allowed anything; and tokens that say nothing any more. */
export async function sweep(pool: Pool): Promise<void> {
  await pool.query(
    `delete from ${SCHEMA}."oauthRefreshToken" where "expiresAt" < now() or revoked < now() - interval '7 days'`,
  )
  // A document that was read within the day is used while its server is away, so its client stays.
  await pool.query(
    `delete from ${SCHEMA}."oauthClient" client
     where "updatedAt" < now() - interval '1 day'
       and not exists (select from ${SCHEMA}."oauthConsent" where "clientId" = client."clientId")
       and not exists (select from ${SCHEMA}."oauthRefreshToken" where "clientId" = client."clientId")`,
  )
}
