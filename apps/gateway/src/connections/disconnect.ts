import type { DisconnectReceipt } from '@nmg/contract'
import { revokeWaiting } from './revoke-consent.ts'
import { evolve, type ConnectionEvent } from './connection.ts'
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
  readonly vault: Vault
  readonly server: AuthorizationServer
}

const ATTEMPTS = 20

/**
 * Ends the space's connection: the event first, and with it the data key, then the grant at the authorization server. Idempotent.
 *
 * @throws {Failure} `store_unavailable`.
 */
export async function disconnect(
  deps: DisconnectDependencies,
  spaceId: string,
  userId: string,
): Promise<DisconnectReceipt> {
  const { clock, store, log } = deps
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await store.read(spaceId)
    const { stream, version, connection } = stored
    if (connection.status === 'absent')
      return { spaceId, status: 'disconnected', changed: false, revocation: 'nothing_to_revoke' }
    if (connection.status === 'disconnected') {
      return { spaceId, processId: stream, status: 'disconnected', changed: false, revocation: 'nothing_to_revoke' }
    }
    // The append destroys the data key, and with it what is stored. What was read is still good for revoking.
    const revoke = revocation(deps, stored)
    const event: ConnectionEvent = { type: 'NotionIntegrationDisconnected', at: clock(), by: userId }
    const isStored = await store.append({
      stream,
      spaceId,
      expectedVersion: version,
      event,
      connection: evolve(connection, event),
      refreshDueAt: null,
    })
    if (!isStored) continue
    const { waiting, dataKey, unrevokedConsents } = stored
    const [outcome] = await Promise.all([
      revoke(),
      waiting && dataKey && revokeWaiting(deps, stored, dataKey, waiting, []),
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
  throw new Failure('store_unavailable', 'The connection changes too fast to be disconnected. Try again.')
}

function revocation(
  { vault, server, log }: DisconnectDependencies,
  { connection, dataKey, stream, spaceId }: StoredConnection,
): () => Promise<DisconnectReceipt['revocation']> {
  if (connection.status !== 'connected' || !dataKey) return async () => 'nothing_to_revoke'
  const { grant, credential } = connection
  try {
    const opened = vault.open(dataKey, { stream, generation: credential.generation, grant }, credential.sealed)
    return () => server.revoke(grant, opened)
  } catch (error) {
    // What cannot be opened cannot be revoked from here, but it can be let go of.
    log.warn('connection.not_revocable', { space: spaceId, ...describeError(error) })
    return async () => 'failed'
  }
}
