import type { Vault, WrappedDataKey } from '../../ports.ts'
import type { Sql } from './database.ts'

interface Row extends WrappedDataKey {
  readonly stream: string
}

/**
 * Opens one stored data key for each of the operator's keys that is in use.
 *
 * @throws {Failure} `sealed_value_unreadable` when one does not open: better now than at the first call.
 */
export async function checkDataKeys(sql: Sql, vault: Vault): Promise<void> {
  const { rows } = await sql.query<Row>(
    'select distinct on (kid) stream, id, kid, wrapped from gateway.data_keys order by kid',
  )
  for (const { stream, ...key } of rows) vault.rewrap(stream, key)
}

const BATCH = 200

/** Wraps every data key with the first of the operator's keys, so that the others can be retired. Resolves to how many were wrapped anew. */
export async function rewrapDataKeys(sql: Sql, vault: Vault, currentKid: string): Promise<number> {
  let count = 0
  for (;;) {
    const { rows } = await sql.query<Row>(
      'select stream, id, kid, wrapped from gateway.data_keys where kid <> $1 limit $2',
      [currentKid, BATCH],
    )
    for (const { stream, ...key } of rows) {
      const { kid, wrapped } = vault.rewrap(stream, key)
      // Named by its old wrapping: a key that was destroyed or replaced meanwhile stays so.
      await sql.query(
        'update gateway.data_keys set kid = $4, wrapped = $5 where stream = $1 and id = $2 and wrapped = $3',
        [stream, key.id, key.wrapped, kid, wrapped],
      )
      count++
    }
    if (rows.length < BATCH) return count
  }
}
