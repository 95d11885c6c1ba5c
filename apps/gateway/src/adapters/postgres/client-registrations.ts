import type { ClientRegistrations } from '../../ports.ts'
import type { Sql } from './database.ts'

export function postgresClientRegistrations(sql: Sql): ClientRegistrations {
  return {
    async read(stream, issuer, redirectUri) {
      const { rows } = await sql.query<{ sealed: string; registered_at: Date }>(
        `select sealed, registered_at from gateway.client_registrations
          where stream = $1 and issuer = $2 and redirect_uri = $3`,
        [stream, issuer, redirectUri],
      )
      return rows[0] && { sealed: rows[0].sealed, registeredAt: rows[0].registered_at }
    },
    async save(stream, issuer, redirectUri, sealed) {
      await sql.query(
        `insert into gateway.client_registrations (stream, issuer, redirect_uri, sealed) values ($1, $2, $3, $4)
         on conflict (stream, issuer, redirect_uri) do update set sealed = excluded.sealed, registered_at = now()`,
        [stream, issuer, redirectUri, sealed],
      )
    },
    async forget(stream) {
      await sql.query('delete from gateway.client_registrations where stream = $1', [stream])
    },
  }
}
