import type { DisconnectReceipt } from '@nmg/contract'
import { revokePending } from './revoke-consent.ts'
import { evolve, type ConnectionEvent } from './connection.ts'
import type { ConnectionChanges } from './connection-changes.ts'
import { Failure } from '../platform/failure.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { Clock } from '../platform/clock.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'
import type { Vault } from './vault.ts'

export interface DisconnectDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly store: ConnectionStore
  readonly changes: Pick<ConnectionChanges, 'next'>
  readonly vault: Vault
  readonly server: AuthorizationServer
}

const ATTEMPTS = 20
/** Upper limit of the wait for the notification of the append; it takes milliseconds. */
const NOTIFICATION_WAIT_MS = 1_000

/**
 * Ends the space's connection: appends the event, which destroys the data key, then revokes the grant at the authorization server. Idempotent.
 *
 * @throws {Failure} `store_unavailable`.
 */
export async function disconnect(
  deps: DisconnectDependencies,
  spaceId: string,
  userId: string,
): Promise<DisconnectReceipt> {
  const { clock, store, changes, log } = deps
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await store.read(spaceId)
    const { stream, version, connection } = stored
    if (connection.status === 'absent')
      return { spaceId, status: 'disconnected', changed: false, revocation: 'nothing_to_revoke' }
    if (connection.status === 'disconnected') {
      return { spaceId, processId: stream, status: 'disconnected', changed: false, revocation: 'nothing_to_revoke' }
    }
    // The append destroys the data key, so the credential is opened before.
    const revoke = prepareRevocation(deps, stored)
    const event: ConnectionEvent = { type: 'NotionIntegrationDisconnected', at: clock(), by: userId }
    const notified = changes.next(spaceId, NOTIFICATION_WAIT_MS)
    const isStored = await store.append({
      stream,
      spaceId,
      expectedVersion: version,
      event,
      connection: evolve(connection, event),
      refreshDueAt: null,
    })
    if (!isStored) continue
    const { pending, dataKey, unrevokedConsents } = stored
    const [outcome] = await Promise.all([
      revoke(),
      // Once the caller has the receipt, a call on this replica must not still find the access token in memory.
      notified,
      pending && dataKey && revokePending(deps, stored, dataKey, pending, []),
    ])
    log.info('connection.disconnected', { space: spaceId, process: stream, revocation: outcome })
    return {
      spaceId,
      processId: stream,
      status: 'disconnected',
      changed: true,
      revocation: outcome,
      ...(unrevokedConsents > 0 && { unrevokedConsents }),
    }
  }
  throw new Failure('store_unavailable', 'The connection is being changed by others at the same time. Try again.')
}

function prepareRevocation(
  { vault, server, log }: DisconnectDependencies,
  { connection, dataKey, stream, spaceId }: StoredConnection,
): () => Promise<DisconnectReceipt['revocation']> {
  if (connection.status !== 'connected' || !dataKey) return async () => 'nothing_to_revoke'
  const { grant, credential } = connection
  try {
    const opened = vault.open(dataKey, { stream, generation: credential.generation, grant }, credential.sealed)
    return () => server.revoke(grant, opened)
  } catch (error) {
    // An unreadable credential cannot be revoked, but the connection can still be disconnected.
    log.warn('connection.not_revocable', { space: spaceId, ...describeError(error) })
    return async () => 'failed'
  }
}
