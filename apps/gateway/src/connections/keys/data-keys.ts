import { Failure } from '../../platform/failure.ts'
import { describeError, type Log } from '../../platform/log.ts'
import type { Vault, WrappedDataKey } from '../vault.ts'
import type { Sql } from '../../platform/database.ts'

interface Row extends WrappedDataKey {
  readonly stream: string
}

/**
 * Opens one stored data key for each of the operator's keys that is in use, and one pending authorization request.
 *
 * @throws {Failure} `sealed_value_unreadable` when one does not open: better now than at the first call.
 */
export async function checkDataKeys(sql: Sql, vault: Vault): Promise<void> {
  const { rows } = await sql.query<Row>(
    'select distinct on (kid) stream, id, kid, wrapped from gateway.data_keys order by kid',
  )
  const { rows: pending } = await sql.query<{ state_hash: string; sealed: string }>(
    `select distinct on (sealed::jsonb->>'kid') state_hash, sealed from gateway.authorization_requests
      where expires_at > now() and taken_at is null`,
  )
  try {
    for (const { stream, ...key } of rows) vault.rewrap(stream, key)
    for (const { state_hash: stateHash, sealed } of pending) vault.openRequest(stateHash, sealed)
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause
    const message = `${cause.message} If those keys are lost for good: npm run forget-credentials`
    throw new Failure(cause.code, message, { cause })
  }
}

const BATCH = 200

/** Wraps every data key with the key that seals now, so that the others can be retired. Resolves to how many were wrapped anew. */
export async function rewrapDataKeys(sql: Sql, vault: Vault, currentKid: string, log: Log): Promise<number> {
  let count = 0
  for (let last = '00000000-0000-0000-0000-000000000000'; ;) {
    const { rows } = await sql.query<Row>(
      'select stream, id, kid, wrapped from gateway.data_keys where kid <> $1 and stream > $2 order by stream limit $3',
      [currentKid, last, BATCH],
    )
    for (const { stream, ...key } of rows) {
      last = stream
      const rewrapped = rewrap(vault, stream, key, log)
      if (!rewrapped) continue
      const { kid, wrapped } = rewrapped
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

/** Undefined, and said aloud, for one that does not open: the others are not to wait for it. */
function rewrap(vault: Vault, stream: string, key: WrappedDataKey, log: Log): WrappedDataKey | undefined {
  try {
    return vault.rewrap(stream, key)
  } catch (error) {
    log.error('data_key.unreadable', { process: stream, kid: key.kid, ...describeError(error) })
    return undefined
  }
}

/** How long what an authorization request left behind is kept for a connection that never came to be. */
const NEVER_CONNECTED_DAYS = 30

/** Removes data keys of connections that were begun and never completed. */
export async function sweepNeverConnected(sql: Sql): Promise<void> {
  await sql.query(
    `delete from gateway.data_keys k
      where created_at < now() - make_interval(days => $1)
        and not exists (select 1 from gateway.connections c where c.stream = k.stream)`,
    [NEVER_CONNECTED_DAYS],
  )
}
