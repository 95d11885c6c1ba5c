import { createHash } from 'node:crypto'
import { decodeDegraded, type Degraded } from './degraded.ts'
import { absent, type ConnectionEvent } from './connection.ts'
import { MAX_DUE_AHEAD_MS } from './refresh-schedule.ts'
import { decodeConnection, decodeEvent, decodePendingAuthorization, encode } from './event-codec.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'
import type { WrappedDataKey } from './vault.ts'
import { CONNECTION_CHANNEL } from './connection-changes.ts'
import type { Sql } from '../platform/database.ts'

interface Row {
  version: number | null
  connection: unknown
  workspace: StoredConnection['workspace']
  waiting: unknown
  wanted_scope: string | null
  intent_generation: number | null
  intent_claim: string | null
  intent_in_doubt: number
  intent_failures: number
  intent_not_before: Date | null
  intent_pause_ms: number | null
  intent_age_ms: number | null
  last_used_at: Date | null
  degraded: unknown
  unrevoked_consents: number
  key_id: string | null
  kid: string
  wrapped: string
}

/** The row of a successful append, with the count if it stored a credential. */
interface AppendRow {
  readonly count: string | null
}

/** Counts stored credentials in one row for all connections, which is locked only while the statement commits. */
const COUNTED = `counted as (
  update gateway.credential_count set value = value + 1 where exists (select from moved) returning value)`
const NOT_COUNTED = 'counted as (select null::bigint as value)'

/** Erases the credential of the generation that this append replaces. */
const ERASED = `erased as (
  update gateway.connection_events e set event = jsonb_set(e.event, '{credential,sealed}', '""')
    from gateway.connections before
   where e.stream = $1 and e.stream in (select stream from moved) and before.stream = e.stream
     and e.version = (before.connection->'credential'->>'generation')::int)`

/**
 * Leases due connections. `$1` now, `$2` the limit, `$3` the lease in milliseconds, `$4` how far ahead a refresh may be scheduled. A refresh
 * scheduled further ahead was scheduled by a wrong clock, so it is due. Materialized, so that each part runs once: otherwise a nested loop would
 * lock and lease another batch at each repetition.
 */
export const TAKE_DUE = `with due as materialized (
  select stream from gateway.connections where refresh_due_at <= $1 order by refresh_due_at limit $2 for update skip locked
), misscheduled as materialized (
  select stream from gateway.connections where refresh_due_at > $1::timestamptz + make_interval(secs => $4::float / 1000)
   order by refresh_due_at desc limit $2 for update skip locked
)
update gateway.connections c set refresh_due_at = $1::timestamptz + make_interval(secs => $3::float / 1000)
  from (select stream from due union all select stream from misscheduled limit $2) taken where c.stream = taken.stream
returning c.space_id, c.version`

/** @param onCredentialStored is called with the new count of stored credentials after each append that stored one. */
export function postgresConnectionStore(sql: Sql, onCredentialStored?: (count: number) => void): ConnectionStore {
  const isStored = ([row]: readonly AppendRow[]): boolean => {
    if (row?.count != null) onCredentialStored?.(Number(row.count))
    return row !== undefined
  }
  return {
    async read(spaceId) {
      const stream = streamOf(spaceId)
      const { rows } = await sql.query<Row>(
        `select c.version, c.connection, c.workspace, c.waiting, c.wanted_scope, c.intent_generation, c.intent_claim, c.intent_in_doubt,
                c.intent_failures, c.intent_not_before, c.intent_pause_ms, c.degraded, c.unrevoked_consents,
                extract(epoch from now() - c.intent_at)::float * 1000 as intent_age_ms, c.last_used_at, k.id as key_id, k.kid, k.wrapped
           from (select $1::uuid as stream) s
           left join gateway.connections c using (stream)
           left join gateway.data_keys k using (stream)`,
        [stream],
      )
      return decodeRow(stream, spaceId, rows[0])
    },

    async append({
      stream,
      spaceId,
      expectedVersion,
      event,
      connection,
      refreshDueAt,
      stepUpScope,
      fencingToken,
      degraded = null,
      replacesConsent,
    }) {
      const shared = [
        stream,
        spaceId,
        encode(event),
        encode(connection),
        refreshDueAt,
        encodeDegraded(degraded, expectedVersion + 1),
      ]
      const record = (at: string) =>
        `recorded as (insert into gateway.connection_events (stream, version, event, recorded_at) select stream, version, $3, ${at}::timestamptz from moved)`
      const mark = connection.status === 'disconnected' ? '!' : ''
      const counted = 'credential' in event ? COUNTED : NOT_COUNTED
      const notify = `select pg_notify('${CONNECTION_CHANNEL}', version || '${mark} ' || $2), (select value from counted) as count from moved`
      if (expectedVersion === 0) {
        const { rows } = await sql.query<AppendRow>(
          `with moved as (
             insert into gateway.connections (stream, space_id, version, connection, refresh_due_at, degraded, last_used_at)
             values ($1, $2::text, 1, $4, $5, $6, $7) on conflict do nothing returning stream, version
           ), ${record('$7')}, ${counted} ${notify}`,
          [...shared, event.at],
        )
        return isStored(rows)
      }
      const { rows } = await sql.query<AppendRow>(
        `with moved as (
           update gateway.connections
              set version = version + 1, connection = $4, refresh_due_at = $5, degraded = $6, intent_generation = null, intent_claim = null,
                  intent_in_doubt = 0, intent_failures = 0, intent_not_before = null, intent_pause_ms = null, intent_at = null,
                  waiting = case when $10 then null else waiting end,
                  wanted_scope = case when $10 then $11 else wanted_scope end,
                  unrevoked_consents = case when $9 then 0 when $12 then unrevoked_consents + 1 else unrevoked_consents end
            where stream = $1 and space_id = $2::text and version = $7 and ($8::uuid is null or intent_claim = $8)
           returning stream, version
         ), ${record('$13')}, ${counted}, ${ERASED}, shredded as (
           delete from gateway.data_keys where $9 and stream in (select stream from moved)
         ) ${notify}`,
        [
          ...shared,
          expectedVersion,
          fencingToken ?? null,
          event.type === 'NotionIntegrationDisconnected',
          isConsentOrEnd(event),
          stepUpScope ?? null,
          replacesConsent === true,
          event.at,
        ],
      )
      return isStored(rows)
    },

    async history(spaceId, before, limit) {
      const { rows } = await sql.query<{ version: number; event: unknown }>(
        `select version, event from gateway.connection_events
          where stream = $1 and ($2::int is null or version < $2) order by version desc limit $3`,
        [streamOf(spaceId), before ?? null, limit],
      )
      return rows.map(({ version, event }): { version: number; event: ConnectionEvent } => ({
        version,
        event: decodeEvent(event),
      }))
    },

    async ensureDataKey(stream, make) {
      const { id, kid, wrapped } = make()
      // The update changes nothing, but makes `returning` return an existing row.
      const { rows } = await sql.query<WrappedDataKey>(
        `insert into gateway.data_keys (stream, id, kid, wrapped) values ($1, $2, $3, $4)
         on conflict (stream) do update set stream = excluded.stream returning id, kid, wrapped`,
        [stream, id, kid, wrapped],
      )
      return rows[0] as WrappedDataKey
    },

    async nameWorkspace(stream, workspace) {
      await sql.query('update gateway.connections set workspace = $2 where stream = $1', [
        stream,
        JSON.stringify(workspace),
      ])
    },

    async storePendingAuthorization(stream, pending) {
      await sql.query('update gateway.connections set waiting = $2 where stream = $1', [
        stream,
        JSON.stringify(pending),
      ])
    },

    async dropPendingAuthorization(stream, id) {
      const { rowCount } = await sql.query(
        `update gateway.connections set waiting = null where stream = $1 and waiting->>'id' = $2`,
        [stream, id],
      )
      return rowCount === 1
    },

    async requestStepUp({ stream, version, stepUpScope }, scope) {
      const { rowCount } = await sql.query(
        `update gateway.connections set wanted_scope = $4
          where stream = $1 and version = $2 and wanted_scope is not distinct from $3`,
        [stream, version, stepUpScope, scope],
      )
      return rowCount === 1
    },

    async postponeRefresh(stream, { generation, fencingToken, inDoubt, failures, notBefore, pauseMs, degraded }) {
      await sql.query(
        `update gateway.connections
            set intent_in_doubt = $4, intent_failures = $5, intent_not_before = $6, refresh_due_at = $6, intent_pause_ms = $7, degraded = $8
          where stream = $1 and version = $2 and intent_claim = $3`,
        [stream, generation, fencingToken, inDoubt, failures, notBefore, pauseMs, encodeDegraded(degraded, generation)],
      )
    },

    async setDegraded({ stream, spaceId, version, degraded: before }, degraded, dueAt) {
      // Of concurrent calls that read the same state, one succeeds.
      await sql.query(
        `with marked as (
           update gateway.connections set degraded = $4, refresh_due_at = coalesce($5, refresh_due_at)
            where stream = $1 and version = $2 and (degraded is not distinct from $3::jsonb or $3::jsonb is null and (degraded->>'version')::int <> $2)
           returning version
         ) select pg_notify('${CONNECTION_CHANNEL}', version || ' ' || $6::text) from marked`,
        [stream, version, encodeDegraded(before, version), encodeDegraded(degraded, version), dueAt ?? null, spaceId],
      )
    },

    async recordRevoked(stream) {
      await sql.query(
        'update gateway.connections set unrevoked_consents = greatest(0, unrevoked_consents - 1) where stream = $1',
        [stream],
      )
    },

    async markUsed(spaceIds, now) {
      // A resolution of an hour suffices and saves most writes.
      await sql.query(
        `update gateway.connections set last_used_at = $2
          where stream = any($1) and (last_used_at is null or last_used_at < $2::timestamptz - interval '1 hour')`,
        [spaceIds.map(streamOf), now],
      )
    },

    async takeDue(now, limit, leaseMs) {
      const { rows } = await sql.query<{ space_id: string; version: number }>(TAKE_DUE, [
        now,
        limit,
        leaseMs,
        MAX_DUE_AHEAD_MS,
      ])
      return rows.map(({ space_id: spaceId, version }) => ({ spaceId, version }))
    },
  }
}

/** True for events that delete a pending authorization: a newer consent, or a disconnect. */
const isConsentOrEnd = ({ type }: ConnectionEvent) =>
  type === 'NotionIntegrationAuthorized' || type === 'NotionIntegrationDisconnected'

function decodeRow(stream: string, spaceId: string, row: Row | undefined): StoredConnection {
  const dataKey = row?.key_id ? { id: row.key_id, kid: row.kid, wrapped: row.wrapped } : null
  if (!row || row.version === null) {
    return {
      stream,
      spaceId,
      version: 0,
      connection: absent,
      dataKey,
      workspace: null,
      pending: null,
      stepUpScope: null,
      intent: null,
      degraded: null,
      unrevokedConsents: 0,
      lastUsedAt: null,
    }
  }
  const intent =
    row.intent_generation === null || row.intent_claim === null
      ? null
      : {
          generation: row.intent_generation,
          fencingToken: row.intent_claim,
          inDoubt: row.intent_in_doubt,
          failures: row.intent_failures,
          notBefore: row.intent_not_before,
          pauseMs: row.intent_pause_ms,
          ageMs: row.intent_age_ms ?? Infinity,
        }
  return {
    stream,
    spaceId,
    version: row.version,
    connection: decodeConnection(row.connection),
    dataKey,
    workspace: row.workspace,
    pending: row.waiting === null ? null : decodePendingAuthorization(row.waiting),
    stepUpScope: row.wanted_scope,
    intent,
    degraded: degradedOf(row.degraded, row.version),
    unrevokedConsents: row.unrevoked_consents,
    lastUsedAt: row.last_used_at,
  }
}

/**
 * A mark is valid for one version. Earlier releases append without clearing it, which makes it obsolete.
 */
const encodeDegraded = (degraded: Degraded | null, version: number): string | null =>
  degraded && JSON.stringify({ ...degraded, version })

function degradedOf(json: unknown, version: number): Degraded | null {
  const isOfVersion = typeof json === 'object' && json !== null && 'version' in json && json.version === version
  return isOfVersion ? decodeDegraded(json) : null
}

const NAMESPACE = Buffer.from('7d0f6f7a3c5b4a0e9e5a0c1b8f2d4e66', 'hex')

/**
 * The stream of a space's connection, and its `processId`: a name-based UUID ([RFC 9562 §5.5](https://www.rfc-editor.org/rfc/rfc9562#section-5.5)).
 * It is the same after each reconnect, and replicas derive it without coordination.
 */
export function streamOf(spaceId: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(`notion:${spaceId}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
