import type { AuthorizationRequests } from './authorization-requests.ts'
import type { Sql } from '../platform/database.ts'

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
    async read(stateHash) {
      const { rows } = await sql.query<{ sealed: string; is_taken: boolean; outcome: string | null }>(
        `select ltrim(sealed, '-') as sealed, taken_at is not null as is_taken, outcome from gateway.authorization_requests
          where state_hash = $1 and expires_at > now()`,
        [stateHash],
      )
      const [row] = rows
      return (
        row && {
          sealed: row.sealed,
          isTaken: row.is_taken,
          outcome: row.outcome === null ? null : new URL(row.outcome),
        }
      )
    },
    async take(stateHash) {
      // One atomic statement: of ten concurrent callbacks, one wins.
      const { rowCount } = await sql.query(
        // The prefix makes the text unreadable for earlier releases, which ignore `taken_at` and would redeem the code again.
        `update gateway.authorization_requests set taken_at = now(), sealed = '-' || sealed
          where state_hash = $1 and taken_at is null and expires_at > now()`,
        [stateHash],
      )
      return rowCount === 1
    },
    async finish(stateHash, outcome) {
      await sql.query('update gateway.authorization_requests set outcome = $2 where state_hash = $1', [
        stateHash,
        outcome.href,
      ])
    },
  }
}
