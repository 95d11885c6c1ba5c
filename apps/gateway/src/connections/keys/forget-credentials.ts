/** Finds and deletes stored credentials whose CREDENTIAL_KEYS are lost. */
import type { Sql } from '../../platform/database.ts'
import { evolve } from '../connection.ts'
import { Failure } from '../../platform/failure.ts'
import { dataKeyOf } from '../open-credential.ts'
import type { Clock } from '../../platform/clock.ts'
import type { ConnectionStore, StoredConnection } from '../connection-store.ts'
import type { Vault } from '../vault.ts'

export interface ForgetDependencies {
  readonly sql: Sql
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly clock: Clock
}

/** Stored values that cannot be opened with the operator's keys. */
export interface LostCredentials {
  /** Number of all connected spaces. */
  readonly connected: number
  /** Connected spaces whose credential does not open. */
  readonly lost: readonly StoredConnection[]
  /** Names of the keys with which unreadable data keys were wrapped. */
  readonly kids: readonly string[]
}

const BATCH = 200

/** Tries to open every stored credential, without changes. */
export async function findLostCredentials(deps: ForgetDependencies): Promise<LostCredentials> {
  let connected = 0
  const lost: StoredConnection[] = []
  for await (const spaceId of connectedSpaces(deps.sql)) {
    const stored = await deps.store.read(spaceId)
    if (stored.connection.status !== 'connected') continue
    connected++
    if (!opens(() => openCredential(deps.vault, stored))) lost.push(stored)
  }
  const keys = await unreadableKeys(deps)
  return { connected, lost, kids: [...new Set(keys.map(({ kid }) => kid))].toSorted() }
}

/**
 * Marks these connections as `reconnect_required` with the reason `credentials_lost`, and deletes all unreadable data keys and pending
 * authorizations. Skips connections that have changed meanwhile.
 *
 * @returns the number of connections marked.
 */
export async function forgetLostCredentials(
  deps: ForgetDependencies,
  lost: readonly StoredConnection[],
): Promise<number> {
  let marked = 0
  for (const { stream, spaceId, version, connection } of lost) {
    if (connection.status !== 'connected') continue
    const event = {
      type: 'NotionIntegrationAuthorizationFailed',
      at: deps.clock(),
      error: 'credentials_lost',
      reason: 'credentials_lost',
      generation: connection.credential.generation,
    } as const
    const append = { stream, spaceId, expectedVersion: version, event, connection: evolve(connection, event) }
    if (await deps.store.append({ ...append, refreshDueAt: null })) marked++
  }
  for (const { stream, id } of await unreadableKeys(deps)) {
    // A pending authorization was sealed with the same key.
    await deps.sql.query(
      `with gone as (delete from gateway.data_keys where stream = $1 and id = $2 returning stream)
       update gateway.connections set waiting = null where stream in (select stream from gone)`,
      [stream, id],
    )
  }
  await deleteUnreadableRequests(deps)
  return marked
}

/** Deletes unreadable pending authorization requests; their users have to start again. */
async function deleteUnreadableRequests({ sql, vault }: ForgetDependencies): Promise<void> {
  const { rows } = await sql.query<{ state_hash: string; sealed: string }>(
    'select state_hash, sealed from gateway.authorization_requests where taken_at is null',
  )
  const lost = rows.filter((row) => !opens(() => vault.openRequest(row.state_hash, row.sealed)))
  await sql.query('delete from gateway.authorization_requests where state_hash = any($1)', [
    lost.map((row) => row.state_hash),
  ])
}

async function* connectedSpaces(sql: Sql): AsyncGenerator<string> {
  for (let last = ''; ;) {
    const { rows } = await sql.query<{ space_id: string }>(
      `select space_id from gateway.connections where connection->>'status' = 'connected' and space_id > $1 order by space_id limit $2`,
      [last, BATCH],
    )
    for (const { space_id: spaceId } of rows) yield (last = spaceId)
    if (rows.length < BATCH) return
  }
}

interface KeyRow {
  readonly stream: string
  readonly id: string
  readonly kid: string
  readonly wrapped: string
}

/** Data keys that do not open, whatever the status of their connection. */
async function unreadableKeys({ sql, vault }: ForgetDependencies): Promise<KeyRow[]> {
  const { rows } = await sql.query<KeyRow>('select stream, id, kid, wrapped from gateway.data_keys order by stream')
  return rows.filter(({ stream, ...key }) => !opens(() => vault.rewrap(stream, key)))
}

function openCredential(vault: Vault, stored: StoredConnection): void {
  const { connection, stream } = stored
  if (connection.status !== 'connected') return
  const { generation, sealed } = connection.credential
  vault.open(dataKeyOf(stored), { stream, generation, grant: connection.grant }, sealed)
}

function opens(open: () => unknown): boolean {
  try {
    open()
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'sealed_value_unreadable') return false
    throw error
  }
}
