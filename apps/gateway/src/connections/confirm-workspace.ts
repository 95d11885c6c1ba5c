import type { WorkspaceChangeDecision } from '@nmg/contract'
import { clientInUse, revokeReplaced, revokeWaiting } from './revoke-consent.ts'
import { WAITING_GENERATION } from './connection.ts'
import { Failure } from '../platform/failure.ts'
import type { Log } from '../platform/log.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { Clock } from '../platform/clock.ts'
import type { ConnectionStore } from './connection-store.ts'
import type { Vault } from './vault.ts'
import { appendAuthorized } from './append-authorized.ts'

export interface ConfirmWorkspaceChangeDependencies {
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
export async function confirmWorkspaceChange(
  deps: ConfirmWorkspaceChangeDependencies,
  spaceId: string,
  userId: string,
  { id, accept }: WorkspaceChangeDecision,
): Promise<void> {
  const { clock, log, store, vault } = deps
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await store.read(spaceId)
    const { stream, waiting, dataKey } = stored
    const now = clock()
    if (waiting?.id !== id || !dataKey) throw settledAlready()
    if (!accept || now >= waiting.waitsUntil) {
      if (await store.dropPendingAuthorization(stream, id)) {
        await revokeWaiting(deps, stored, dataKey, waiting, [clientInUse(vault, stored)])
      }
      if (accept) throw settledAlready()
      return
    }
    const { grant, expiresAt, by } = waiting
    const credential = vault.open(dataKey, { stream, generation: WAITING_GENERATION, grant }, waiting.sealed)
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

const settledAlready = () =>
  new Failure(
    'not_found',
    'Nothing waits to be confirmed any more. Look at the connection, and connect again if needed.',
  )
