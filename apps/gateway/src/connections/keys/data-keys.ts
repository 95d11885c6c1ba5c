import { Failure } from '../../platform/failure.ts'
import { describeError, type Log } from '../../platform/log.ts'
import type { Vault, WrappedDataKey } from '../vault.ts'
import type { Sql } from '../../platform/database.ts'

interface Row extends WrappedDataKey {
  readonly stream: string
}

/**
 * Checks at startup that the operator's keys open the stored values: one data key and one pending authorization request for each key in use.
 *
 * @throws {Failure} `sealed_value_unreadable`.
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

/** Rewraps all data keys with the current sealing key, so that the others can be removed. Resolves to the number of rewrapped keys. */
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
      // Selected by its old wrapping, so that a key destroyed or replaced meanwhile is not restored.
      await sql.query(
        'update gateway.data_keys set kid = $4, wrapped = $5 where stream = $1 and id = $2 and wrapped = $3',
        [stream, key.id, key.wrapped, kid, wrapped],
      )
      count++
    }
    if (rows.length < BATCH) return count
  }
}

/** Undefined and logged for a key that does not open, so that the others are rewrapped nevertheless. */
function rewrap(vault: Vault, stream: string, key: WrappedDataKey, log: Log): WrappedDataKey | undefined {
  try {
    return vault.rewrap(stream, key)
  } catch (error) {
    log.error('data_key.unreadable', { process: stream, kid: key.kid, ...describeError(error) })
    return undefined
  }
}

/** Age at which the data key of a connection that was never completed is deleted. */
const UNUSED_DAYS = 30

/** Deletes the data keys of connections that were started and never completed. */
export async function deleteUnusedDataKeys(sql: Sql): Promise<void> {
  await sql.query(
    `delete from gateway.data_keys k
      where created_at < now() - make_interval(days => $1)
        and not exists (select 1 from gateway.connections c where c.stream = k.stream)`,
    [UNUSED_DAYS],
  )
}
