/** Reads and writes the identity recorded in the database. database-identity.ts detects copies. */
import type { Hold, HoldReason } from '@nmg/contract'
import type { Sql } from '../../platform/database.ts'
import type { DatabaseProperties, RecordedIdentity } from './database-identity.ts'
import { Failure } from '../../platform/failure.ts'

/** The properties that only a process can read. */
export type ProcessProperties = Pick<DatabaseProperties, 'publicUrl' | 'dataFolder'>

export interface DatabaseState {
  /** ID of the installation, the same for all copies. */
  readonly installation: string
  readonly recorded: RecordedIdentity
  readonly seen: DatabaseProperties
  /** The hold stored by any replica. */
  readonly hold: Hold | undefined
  /** The database's time. */
  readonly now: Date
}

/** True if the row was written by the transaction recorded in it. A row written within a savepoint would not be. */
const IS_ORIGINAL_ROW = `i.xmin::text::bigint = (i.xid::text::bigint & 4294967295)`

/**
 * SQL condition for statements that must not succeed on a copy: no hold is stored, the identity row is original, and the database has at least
 * the count of stored credentials in the parameter `count`.
 */
export const notHeldCondition = (count: string): string =>
  `not exists (select from gateway.database_hold)
   and not exists (select from gateway.database_identity i where not ${IS_ORIGINAL_ROW})
   and (select value from gateway.credential_count) >= ${count}`

/**
 * Reads the state, after recording it if nothing is recorded yet.
 *
 * @param sql a single session, as a pool may be connected to different servers.
 * @throws {Failure} `store_unavailable`, also on a standby that is not promoted yet.
 */
export async function readDatabaseState(sql: Sql, process: ProcessProperties): Promise<DatabaseState> {
  const seen = await readFacts(sql, process)
  await sql.query(
    `insert into gateway.database_identity (system_identifier, database_oid, timeline, public_url, data_folder)
     values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [seen.systemIdentifier, seen.databaseOid, seen.timeline, seen.publicUrl, seen.dataFolder],
  )
  const { rows } = await sql.query<{
    installation: string
    is_original_row: boolean
    system_identifier: string | null
    database_oid: string | null
    timeline: string | null
    public_url: string | null
    data_folder: string | null
    count: string
    plan: RecordedIdentity['plan']
    now: Date
    since: Date | null
    reasons: [HoldReason, ...HoldReason[]] | null
  }>(
    `select i.installation, ${IS_ORIGINAL_ROW} as is_original_row, i.system_identifier, i.database_oid, i.timeline, i.public_url, i.data_folder,
            (select value from gateway.credential_count) as count, (select plan from gateway.database_plan) as plan, now() as now, h.since, h.reasons
       from gateway.database_identity i left join gateway.database_hold h on true`,
  )
  const row = rows[0]
  if (row === undefined) throw new Error('gateway.database_identity has no row')
  return {
    installation: row.installation,
    recorded: {
      isOriginalRow: row.is_original_row,
      systemIdentifier: row.system_identifier,
      databaseOid: row.database_oid,
      timeline: row.timeline,
      publicUrl: row.public_url,
      dataFolder: row.data_folder,
      count: Number(row.count),
      plan: row.plan,
    },
    seen,
    hold: row.since && row.reasons ? { since: row.since.toISOString(), reasons: row.reasons } : undefined,
    now: row.now,
  }
}

/** The count of stored credentials. */
export async function readCount(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ value: string }>('select value from gateway.credential_count')
  return Number(rows[0]?.value ?? 0)
}

/** Properties that this server does not have, or does not show to an ordinary role, are null. */
async function readFacts(sql: Sql, process: ProcessProperties): Promise<DatabaseProperties> {
  const { rows } = await sql.query<{ oid: string; is_standby: boolean }>(
    'select oid::text, pg_is_in_recovery() as is_standby from pg_database where datname = current_database()',
  )
  if (rows[0]?.is_standby !== false) {
    throw new Failure('store_unavailable', "The gateway's database is a read-only standby. Try again in a moment.", {
      retryAfterSeconds: 2,
    })
  }
  return {
    databaseOid: rows[0].oid,
    systemIdentifier: await factOf(sql, 'select system_identifier::text as fact from pg_control_system()'),
    timeline: await factOf(sql, 'select left(pg_walfile_name(pg_current_wal_lsn()), 8) as fact'),
    ...process,
  }
}

async function factOf(sql: Sql, statement: string): Promise<string | null> {
  try {
    const { rows } = await sql.query<{ fact: string | null }>(statement)
    return rows[0]?.fact ?? null
  } catch (error) {
    if (error instanceof Failure) throw error
    return null
  }
}

/** Records the current properties as the database's identity. */
const RECORD = `update gateway.database_identity
   set xid = pg_current_xact_id(), system_identifier = coalesce($1, system_identifier), database_oid = coalesce($2, database_oid),
       timeline = coalesce($3, timeline), public_url = coalesce($4, public_url), data_folder = coalesce($5, data_folder)`

const factsOf = ({ systemIdentifier, databaseOid, timeline, publicUrl, dataFolder }: DatabaseProperties) => [
  systemIdentifier,
  databaseOid,
  timeline,
  publicUrl,
  dataFolder,
]

/** Records properties that could not be read before, and deletes an announced plan that did not happen. */
export async function recordFacts(sql: Sql, { recorded, seen }: DatabaseState): Promise<void> {
  const isNew = (Object.keys(seen) as (keyof DatabaseProperties)[]).some(
    (name) => recorded[name] === null && seen[name] !== null,
  )
  if (isNew) await sql.query(RECORD, factsOf(seen))
  if (recorded.plan === 'adopt') await sql.query(`delete from gateway.database_plan where plan = 'adopt'`)
}

/** Stores for all replicas that this database counts as a copy. The first reasons are kept. */
export async function writeHold(sql: Sql, reasons: readonly HoldReason[]): Promise<void> {
  await sql.query('insert into gateway.database_hold (reasons) values ($1) on conflict do nothing', [reasons])
}

/**
 * Accepts a promoted standby. It may lack the last commits, so the current token generation of each connection may have been redeemed: this is
 * recorded as a resolved attempt in doubt, so that no replica repeats the request within one attempt.
 */
export async function acceptPromotion(sql: Sql, seen: DatabaseProperties): Promise<void> {
  await sql.query(DOUBT_LAST_GENERATIONS)
  await sql.query(RECORD, factsOf(seen))
}

/** Skips connections with an intent, which is more accurate. */
const DOUBT_LAST_GENERATIONS = `update gateway.connections
   set intent_generation = version, intent_claim = gen_random_uuid(), intent_in_doubt = 1, intent_failures = 0,
       intent_not_before = now(), intent_pause_ms = 0, intent_at = now()
 where connection->>'status' = 'connected' and intent_claim is null`

/** More than any copy can count, so that all other copies with the same mark detect that they are behind. */
const MORE_THAN_ANY_COPY = 2 ** 32

/** Makes this copy the original. @param sql a transaction. */
export async function adoptDatabase(sql: Sql, seen: DatabaseProperties): Promise<void> {
  await sql.query(
    `update gateway.database_identity
        set xid = pg_current_xact_id(), system_identifier = $1, database_oid = $2, timeline = $3, public_url = $4, data_folder = $5`,
    factsOf(seen),
  )
  await sql.query('update gateway.credential_count set value = value + $1', [MORE_THAN_ANY_COPY])
  await sql.query(DOUBT_LAST_GENERATIONS)
  await sql.query('delete from gateway.database_hold')
  await sql.query('delete from gateway.database_plan')
}

/** Makes this database a separate installation, which shares no mark with the original. @param sql the same transaction as {@link adoptDatabase}. */
export async function renameInstallation(sql: Sql): Promise<void> {
  await sql.query('update gateway.database_identity set xid = pg_current_xact_id(), installation = gen_random_uuid()')
}

/** Announces a change. `adopt`: accept the next difference. `move`: hold this database, and adopt its copy. */
export async function recordPlan(sql: Sql, plan: 'adopt' | 'move'): Promise<void> {
  await sql.query(
    'insert into gateway.database_plan (plan) values ($1) on conflict (only_row) do update set plan = excluded.plan',
    [plan],
  )
}
