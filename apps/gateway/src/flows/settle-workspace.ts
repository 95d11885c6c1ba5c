import type { WaitingDecision } from '@nmg/contract'
import { WAITING_GENERATION } from '../domain/connection.ts'
import { Failure } from '../failure.ts'
import { describeError, type Log } from '../log.ts'
import type {
  AuthorizationServer,
  Clock,
  ConnectionStore,
  Credential,
  StoredConnection,
  Vault,
  WaitingConsent,
  WrappedDataKey,
} from '../ports.ts'
import { appendAuthorized } from './append-authorized.ts'
import { revokeReplaced } from './finish-authorization.ts'

export interface SettleWorkspaceDependencies {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly server: AuthorizationServer
}

const ATTEMPTS = 20

/**
 * Carries out what a person decided about a consent that reaches another workspace: the connection goes on with it, or it is let go of.
 *
 * @throws {Failure} `not_found` when it does not wait any more, `store_unavailable`.
 */
export async function settleWorkspace(
  deps: SettleWorkspaceDependencies,
  spaceId: string,
  userId: string,
  { id, accept }: WaitingDecision,
): Promise<void> {
  const { clock, log, store, vault } = deps
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await store.read(spaceId)
    const { stream, waiting, dataKey } = stored
    const now = clock()
    if (waiting?.id !== id || !dataKey) throw settledAlready()
    const credential = vault.open(
      dataKey,
      { stream, generation: WAITING_GENERATION, grant: waiting.grant },
      waiting.sealed,
    )
    if (!accept || now >= waiting.waitsUntil) {
      if (await store.dropWaiting(stream, id)) await letGo(deps, stored, dataKey, waiting, credential)
      if (accept) throw settledAlready()
      return
    }
    const { grant, expiresAt, by } = waiting
    const consent = { at: now, by, confirmedBy: userId, grant, credential, expiresAt }
    const isStored = await appendAuthorized(deps, stored, dataKey, consent)
    // A refresh of the connection that is in use came in between, or somebody else has decided.
    if (!isStored) continue
    await store.nameWorkspace(stream, waiting.workspace)
    log.info('connection.authorized', { space: spaceId, process: stream })
    await revokeReplaced(deps, stored, credential)
    return
  }
  throw new Failure('store_unavailable', 'The connection changes too fast to be stored. Try again.')
}

/**
 * Ends the grant, best effort. Not one of the client that the connection in use has: to end a token of it may end the grant of both.
 */
async function letGo(
  { vault, server, log }: SettleWorkspaceDependencies,
  { stream, spaceId, connection }: StoredConnection,
  dataKey: WrappedDataKey,
  { grant }: WaitingConsent,
  credential: Credential,
): Promise<void> {
  try {
    if (connection.status === 'connected') {
      const { generation, sealed } = connection.credential
      const used = vault.open(dataKey, { stream, generation, grant: connection.grant }, sealed)
      if (used.client.clientId === credential.client.clientId) return
    }
    log.info('connection.declined', { space: spaceId, revocation: await server.revoke(grant, credential) })
  } catch (error) {
    log.warn('connection.declined', { space: spaceId, revocation: 'failed', ...describeError(error) })
  }
}

const settledAlready = () =>
  new Failure(
    'not_found',
    'Nothing waits to be confirmed any more. Look at the connection, and connect again if needed.',
  )
