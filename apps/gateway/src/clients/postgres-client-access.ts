import type { Scope } from '@nmg/contract'
import { createHash } from 'node:crypto'
import type { AccessKeyStore, StoredAccessKey } from './access-key.ts'
import { type ClientAccess, principalIdentity } from './access.ts'
import type { ClientActivityRecord, ClientActivityStore } from './activity.ts'
import { ACCESS_CHANNEL } from './revocation-notices.ts'
import type { RevocationStore } from './revocations.ts'
import { batched } from '../platform/batched.ts'
import type { Sql } from '../platform/database.ts'

interface KeyRow {
  id: string
  hash: Buffer
  name: string
  space_id: string
  user_id: string
  scope: Scope
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
}
const KEY_COLUMNS = 'id, hash, name, space_id, user_id, scope, created_at, expires_at, last_used_at'

const toAccessKey = (row: KeyRow): StoredAccessKey => ({
  id: row.id,
  hash: row.hash,
  name: row.name,
  spaceId: row.space_id,
  userId: row.user_id,
  scope: row.scope,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
})

/** Limits of batched look-ups. Anybody can send keys that do not exist; batches keep them from delaying valid keys. */
const LOOK_UP_LIMITS = { atOnce: 2, keysPerBatch: 1000, waiting: 20_000 }

export function postgresAccessKeys(sql: Sql): AccessKeyStore {
  const find = batched(async (hashes: readonly Buffer[]) => {
    const { rows } = await sql.query<KeyRow>(
      `select ${KEY_COLUMNS} from gateway.access_keys where hash = any($1::bytea[])`,
      [hashes],
    )
    const found = new Map(rows.map((row) => [row.hash.toString('hex'), toAccessKey(row)]))
    return hashes.map((hash) => found.get(hash.toString('hex')))
  }, LOOK_UP_LIMITS)

  return {
    async add({ id, hash, name, spaceId, userId, scope, expiresAt }) {
      const { rows } = await sql.query<KeyRow>(
        `insert into gateway.access_keys (id, hash, name, space_id, user_id, scope, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7) returning ${KEY_COLUMNS}`,
        [id, hash, name, spaceId, userId, scope, expiresAt],
      )
      return toAccessKey(rows[0] as KeyRow)
    },
    find,
    async exists(id) {
      const { rows } = await sql.query('select 1 from gateway.access_keys where id = $1', [id])
      return rows.length > 0
    },
    async list(spaceId, userId) {
      const { rows } = await sql.query<KeyRow>(
        `select ${KEY_COLUMNS} from gateway.access_keys
          where space_id = $1 and ($2::text is null or user_id = $2) order by created_at desc, id`,
        [spaceId, userId ?? null],
      )
      return rows.map(toAccessKey)
    },
    async remove(id, { spaceId, userId }) {
      await sql.query(
        `with deleted as (
           delete from gateway.access_keys
            where id = $1 and ($2::text is null or space_id = $2) and ($3::text is null or user_id = $3)
            returning id),
         activity as (delete from gateway.seen_clients where key_id in (select id from deleted))
         select pg_notify('${ACCESS_CHANNEL}', json_build_object('keyId', id)::text) from deleted`,
        [id, spaceId ?? null, userId ?? null],
      )
    },
  }
}

/** Retention of revocations, in days. Tokens are valid for one day at most. */
const RETENTION_DAYS = 2

export function postgresRevocations(sql: Sql): RevocationStore {
  return {
    async add({ spaceId, userId, clientId, grantId }) {
      const payload = JSON.stringify({ spaceId, userId, clientId, grantId })
      if (grantId !== undefined) {
        await sql.query(
          `with stored as (
             insert into gateway.ended_grants (space_id, user_id, grant_id, client_id, ended_at) values ($1, $2, $3, $4, now())
             on conflict (space_id, user_id, grant_id) do update set ended_at = excluded.ended_at)
           select pg_notify('${ACCESS_CHANNEL}', $5)`,
          [spaceId, userId, grantId, clientId ?? '', payload],
        )
        return
      }
      await sql.query(
        `with stored as (
           insert into gateway.access_revocations (space_id, user_id, client_id, revoked_at) values ($1, $2, $3, now())
           on conflict (space_id, user_id, client_id) do update set revoked_at = excluded.revoked_at),
         keys as (delete from gateway.access_keys where space_id = $1 and user_id = $2 and $3 = ''),
         activity as (
           delete from gateway.seen_clients
            where space_id = $1 and user_id = $2 and ($3 = '' or client_id = $3))
         select pg_notify('${ACCESS_CHANNEL}', $4)`,
        [spaceId, userId, clientId ?? '', payload],
      )
    },
    async find(spaceIds, userId, { clientId, grantId }) {
      // A revoked grant stays revoked, so all of its tokens are revoked, whenever they were issued: hence the date in the future. A token
      // without a grant ID may belong to any grant of its client.
      const { rows } = await sql.query<{ space_id: string; at: Date }>(
        `select space_id, max(at) as at from (
           select space_id, revoked_at as at from gateway.access_revocations
            where space_id = any ($1) and user_id = $2 and client_id in ('', $3)
           union all
           select space_id, case when $4::text is null then ended_at else ended_at + make_interval(days => $5) end
             from gateway.ended_grants
            where space_id = any ($1) and user_id = $2
              and case when $4::text is null then client_id = $3 else grant_id = $4 end) as revoked
          group by space_id`,
        [spaceIds, userId, clientId, grantId ?? null, RETENTION_DAYS],
      )
      return rows.map(({ space_id, at }) => ({ spaceId: space_id, at }))
    },
  }
}

/** Limit of client names per principal. The names that were used least recently are deleted. */
const MAX_CLIENT_NAMES = 20

interface ClientRow {
  client_id: string | null
  key_id: string | null
  user_id: string
  name: string
  version: string | null
  era: '2025' | '2026'
  first_seen_at: Date
  last_seen_at: Date
}

export function postgresClientActivity(sql: Sql): ClientActivityStore {
  return {
    async record(access, clientInfo) {
      const principal = hashPrincipal(access)
      const keyId = access.credential.kind === 'key' ? access.credential.keyId : null
      if (keyId !== null) await sql.query('update gateway.access_keys set last_used_at = now() where id = $1', [keyId])
      if (clientInfo === undefined) {
        const { rowCount } = await sql.query(
          `update gateway.seen_clients set last_seen_at = now()
            where principal = $1 and name = (
              select name from gateway.seen_clients where principal = $1 order by last_seen_at desc limit 1)`,
          [principal],
        )
        if (rowCount !== 0) return
      }
      const { name, version, era, supportsUrlElicitation } = clientInfo ?? UNKNOWN_CLIENT
      await sql.query(
        `insert into gateway.seen_clients
           (principal, name, space_id, user_id, client_id, key_id, version, era, takes_urls)
         values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, false))
         on conflict (principal, name) do update
            set version = excluded.version, era = excluded.era, last_seen_at = now(),
                takes_urls = coalesce($9, gateway.seen_clients.takes_urls)`,
        [
          principal,
          name,
          access.spaceId,
          access.userId,
          access.credential.kind === 'token' ? access.credential.clientId : null,
          keyId,
          version ?? null,
          era,
          supportsUrlElicitation ?? null,
        ],
      )
      await sql.query(
        `delete from gateway.seen_clients where principal = $1 and name in (
           select name from gateway.seen_clients where principal = $1 order by last_seen_at desc offset $2)`,
        [principal, MAX_CLIENT_NAMES],
      )
    },
    async list(spaceId, userId) {
      const { rows } = await sql.query<ClientRow>(
        `select client_id, key_id, user_id, name, version, era, first_seen_at, last_seen_at from gateway.seen_clients
          where space_id = $1 and ($2::text is null or user_id = $2) order by last_seen_at desc, name`,
        [spaceId, userId ?? null],
      )
      return rows.map((row): ClientActivityRecord => ({
        clientId: row.client_id ?? undefined,
        keyId: row.key_id ?? undefined,
        userId: row.user_id,
        name: row.name,
        version: row.version ?? undefined,
        era: row.era,
        firstSeenAt: row.first_seen_at,
        lastSeenAt: row.last_seen_at,
      }))
    },
    async supportsUrlElicitation(access) {
      const { rows } = await sql.query<{ takes_urls: boolean }>(
        'select takes_urls from gateway.seen_clients where principal = $1 order by last_seen_at desc limit 1',
        [hashPrincipal(access)],
      )
      return rows[0]?.takes_urls ?? false
    },
  }
}

const UNKNOWN_CLIENT = { name: '', version: undefined, era: '2025', supportsUrlElicitation: undefined } as const

const hashPrincipal = (access: ClientAccess) => createHash('sha256').update(principalIdentity(access)).digest()

/** Deletes revocations older than any valid token, clients unused for 180 days, and keys that expired more than 90 days ago. */
export async function sweepClientAccess(sql: Sql): Promise<void> {
  await sql.query(`delete from gateway.access_revocations where revoked_at < now() - make_interval(days => $1)`, [
    RETENTION_DAYS,
  ])
  await sql.query(`delete from gateway.ended_grants where ended_at < now() - make_interval(days => $1)`, [
    RETENTION_DAYS,
  ])
  await sql.query(`delete from gateway.seen_clients where last_seen_at < now() - make_interval(days => 180)`)
  await sql.query(`delete from gateway.access_keys where expires_at < now() - make_interval(days => 90)`)
}
