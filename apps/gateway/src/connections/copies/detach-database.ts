import { CONNECTION_CHANNEL } from '../connection-changes.ts'
import type { Sql } from '../../platform/database.ts'
import { evolve, type ConnectionEvent } from '../connection.ts'
import { decodeConnection, encode } from '../event-codec.ts'

/**
 * Deletes all credentials without revoking them, since the original still uses them. Connections become `reconnect_required`; their history is
 * kept.
 *
 * @param sql a transaction.
 * @returns the number of connections that must be reconnected.
 */
export async function deleteCredentials(sql: Sql): Promise<number> {
  // A refresh in flight stores nothing afterwards, as its expected version no longer matches.
  const { rows } = await sql.query<{
    stream: string
    space_id: string
    version: number
    connection: unknown
    at: Date
  }>(
    `select now() as at, stream, space_id, version, connection from gateway.connections where connection->>'status' = 'connected' order by stream for update`,
  )
  for (const { stream, space_id: spaceId, version, connection, at } of rows) {
    const event: ConnectionEvent = {
      type: 'NotionIntegrationAuthorizationFailed',
      at,
      error: 'detached',
      reason: 'detached',
      generation: version,
    }
    await sql.query(
      `update gateway.connections
          set version = version + 1, connection = $2, refresh_due_at = null, degraded = null, intent_generation = null, intent_claim = null,
              intent_in_doubt = 0, intent_failures = 0, intent_not_before = null, intent_pause_ms = null, intent_at = null
        where stream = $1`,
      [stream, encode(evolve(decodeConnection(connection), event))],
    )
    await sql.query('insert into gateway.connection_events (stream, version, event) values ($1, $2, $3)', [
      stream,
      version + 1,
      encode(event),
    ])
    await sql.query(`select pg_notify('${CONNECTION_CHANNEL}', $1)`, [`${version + 1} ${spaceId}`])
  }
  await sql.query('update gateway.connections set waiting = null')
  await sql.query('delete from gateway.data_keys')
  await sql.query(ERASE_ALL)
  await sql.query('delete from gateway.authorization_requests')
  await sql.query('delete from gateway.mcp_sessions')
  return rows.length
}

const ERASE_ALL = `update gateway.connection_events set event = jsonb_set(event, '{credential,sealed}', '""')
 where event->'credential'->>'sealed' <> ''`
