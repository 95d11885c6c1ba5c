/** Coordinates the sealing key among the replicas on one database. See docs/rotate-secrets.md. */
import { randomUUID } from 'node:crypto'
import type { Database, Sql } from '../../platform/database.ts'
import { Failure } from '../../platform/failure.ts'
import type { Log } from '../../platform/log.ts'
import { kidOf, missingKeys, sealingKey, type Replica } from './sealing-key.ts'

/** A replica is live while its row is younger than this. */
const LIVE_SECONDS = 30

export interface Replicas {
  /** The ID of the key that this replica seals with, which every live replica has. */
  sealing(): string
  /** Renews the row and chooses the sealing key again. @returns true if it has changed. @throws {Failure} `store_unavailable`. */
  renew(): Promise<boolean>
  /** Deletes the row, so that others no longer consider this replica. */
  leave(): Promise<void>
}

/**
 * Announces the keys of this replica.
 *
 * @param keys IDs of its `CREDENTIAL_KEYS`, in their order.
 * @throws {Failure} `sealed_value_unreadable` when live replicas seal with a key that it lacks; `store_unavailable`.
 */
export async function joinReplicas(
  database: Database,
  keys: readonly [string, ...string[]],
  log: Log,
): Promise<Replicas> {
  const id = randomUUID()
  let sealing = keys[0]

  /** Exclusive, so that no replica starts to seal with a key while another one joins that lacks it. */
  const announce = (onMissing: (missing: readonly string[]) => void) =>
    database.transaction(async (sql) => {
      await sql.query(`select pg_advisory_xact_lock(hashtextextended('gateway.replicas', 0))`)
      const others = await liveReplicas(sql, id)
      const missing = missingKeys(keys, others)
      if (missing.length > 0) onMissing(missing.map(kidOf))
      const chosen = sealingKey(keys, others)
      await sql.query(
        `insert into gateway.replicas (id, keys, sealing, seen_at) values ($1, $2, $3, clock_timestamp())
         on conflict (id) do update set sealing = excluded.sealing, seen_at = excluded.seen_at`,
        [id, keys, chosen],
      )
      return chosen
    })

  sealing = await announce((missing) => {
    throw new Failure(
      'sealed_value_unreadable',
      `CREDENTIAL_KEYS lacks ${missing.map((kid) => `"${kid}"`).join(', ')}, which other replicas on this database still seal with. ` +
        'Add the key after the others, and remove it when every replica lists the new one first (docs/rotate-secrets.md).',
    )
  })
  return {
    sealing: () => sealing,
    async renew() {
      const before = sealing
      // The row is updated before anything is sealed with the key.
      sealing = await announce((missing) => log.error('credential_keys.missing', { kids: missing, alert: true }))
      if (sealing !== before) log.info('credential_keys.sealing', { kid: kidOf(sealing) })
      return sealing !== before
    },
    async leave() {
      await database.query('delete from gateway.replicas where id = $1', [id])
    },
  }
}

async function liveReplicas(sql: Sql, id: string): Promise<Replica[]> {
  await sql.query(`delete from gateway.replicas where seen_at < clock_timestamp() - make_interval(secs => $1)`, [
    LIVE_SECONDS,
  ])
  const { rows } = await sql.query<Replica>('select keys, sealing from gateway.replicas where id <> $1', [id])
  return rows
}
