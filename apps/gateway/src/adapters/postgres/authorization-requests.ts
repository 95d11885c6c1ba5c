import type { AuthorizationRequests } from '../../ports.ts'
import type { Sql } from './database.ts'

export function postgresAuthorizationRequests(sql: Sql): AuthorizationRequests {
  return {
    async save(stateHash, sealed, ttlSeconds) {
      await sql.query(
        `with swept as (delete from gateway.authorization_requests where expires_at < now())
         insert into gateway.authorization_requests (state_hash, sealed, expires_at)
         values ($1, $2, now() + make_interval(secs => $3))`,
        [stateHash, sealed, ttlSeconds],
      )
    },
    async take(stateHash) {
      // One statement reads and deletes: of ten callbacks at once, one wins.
      const { rows } = await sql.query<{ sealed: string; live: boolean }>(
        'delete from gateway.authorization_requests where state_hash = $1 returning sealed, expires_at > now() as live',
        [stateHash],
      )
      return rows[0]?.live ? rows[0].sealed : undefined
    },
  }
}
