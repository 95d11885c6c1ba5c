import type { Pool } from 'pg'
import { SCHEMA } from '../database.ts'

/** Clients that registered, or whose document was read, and that were never allowed anything; and tokens that say nothing any more. */
export async function sweep(pool: Pool): Promise<void> {
  await pool.query(
    `delete from ${SCHEMA}."oauthRefreshToken" where "expiresAt" < now() or revoked < now() - interval '7 days'`,
  )
  // Somebody may be on the way to allowing a client whose document is still fresh, or was a moment ago.
  await pool.query(
    `delete from ${SCHEMA}."oauthClient" client
     where "createdAt" < now() - interval '1 day'
       and not exists (select from ${SCHEMA}.client_document
                       where client_id = client."clientId" and fresh_until > now() - interval '1 hour')
       and not exists (select from ${SCHEMA}."oauthConsent" where "clientId" = client."clientId")
       and not exists (select from ${SCHEMA}."oauthRefreshToken" where "clientId" = client."clientId")`,
  )
}
