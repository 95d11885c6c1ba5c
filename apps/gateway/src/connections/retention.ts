/** Deletes expired data in batches, on one replica at a time. */
import type { Database, Sql } from '../platform/database.ts'

/** Rows per transaction. */
const BATCH = 1_000

/** MCP sessions older than this are deleted; upstream ends idle ones long before. */
const SESSION_LIFE_DAYS = 30

/** Deletes by a bounded selection, as PostgreSQL has no `delete … limit`. `$1` the limit, `$2` the cut-off time. */
const deleteWhere = (table: string, condition: string) =>
  `delete from gateway.${table} where ctid = any(array(select ctid from gateway.${table} t where ${condition} limit $1 for update skip locked))`

/** Deletes refresh events except for the last event of a stream, which holds the current credential. */
const OLD_REFRESHES = deleteWhere(
  'connection_events',
  `t.event->>'type' = 'NotionIntegrationTokenRefreshed' and t.recorded_at < $2
   and t.version < (select c.version from gateway.connections c where c.stream = t.stream)`,
)

/** Appends erase the credential that they replace; this erases those left by older releases and by concurrent appends. */
const REPLACED_CREDENTIALS = `update gateway.connection_events set event = jsonb_set(event, '{credential,sealed}', '""')
  where (stream, version) in (
    select e.stream, e.version from gateway.connection_events e join gateway.connections c using (stream)
     where e.event->'credential'->>'sealed' <> '' and e.version < c.version limit $1)`

const OLD_SESSIONS = deleteWhere('mcp_sessions', 't.created_at < $2')
const EXPIRED_REQUESTS = deleteWhere('authorization_requests', 't.expires_at < $2')

/**
 * @param now by the database's clock.
 * @param eventRetentionDays days after which refresh events are deleted.
 * @returns the number of rows deleted or erased.
 */
export async function sweepExpired(database: Database, now: Date, eventRetentionDays: number): Promise<number> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * 24 * 60 * 60 * 1000)
  let count = 0
  for (const [statement, ...values] of [
    [OLD_REFRESHES, BATCH, daysAgo(eventRetentionDays)],
    [REPLACED_CREDENTIALS, BATCH],
    [OLD_SESSIONS, BATCH, daysAgo(SESSION_LIFE_DAYS)],
    [EXPIRED_REQUESTS, BATCH, now],
  ] as const) {
    for (let removed = BATCH; removed === BATCH; count += removed) {
      removed = await database.transaction((sql) => runExclusively(sql, statement, values))
    }
  }
  return count
}

/** Runs the statement unless another replica is sweeping. */
async function runExclusively(sql: Sql, statement: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await sql.query<{ isOurs: boolean }>(
    `select pg_try_advisory_xact_lock(hashtextextended('gateway.retention', 0)) as "isOurs"`,
  )
  return rows[0]?.isOurs ? ((await sql.query(statement, values)).rowCount ?? 0) : 0
}
