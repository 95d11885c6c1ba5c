import type { WorkspaceChangeDecision } from '@nmg/contract'
import { clientInUse, revokeReplaced, revokePending } from './revoke-consent.ts'
import { PENDING_GENERATION } from './connection.ts'
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
 * Applies a user's decision about a pending consent for another workspace: the connection uses it, or it is revoked.
 *
 * @throws {Failure} `not_found` when the consent is no longer pending, `store_unavailable`.
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
    const { stream, pending, dataKey } = stored
    const now = clock()
    if (pending?.id !== id || !dataKey) throw noLongerPending()
    if (!accept || now >= pending.waitsUntil) {
      if (await store.dropPendingAuthorization(stream, id)) {
        await revokePending(deps, stored, dataKey, pending, [clientInUse(vault, stored)])
      }
      if (accept) throw noLongerPending()
      return
    }
    const { grant, expiresAt, by } = pending
    const credential = vault.open(dataKey, { stream, generation: PENDING_GENERATION, grant }, pending.sealed)
    const consent = { at: now, by, confirmedBy: userId, grant, credential, expiresAt }
    const isStored = await appendAuthorized(deps, stored, dataKey, consent)
    // The connection was refreshed meanwhile, or another user has decided.
    if (!isStored) continue
    await store.nameWorkspace(stream, pending.workspace)
    log.info('connection.authorized', { space: spaceId, process: stream })
    await revokeReplaced(deps, stored, credential)
    return
  }
  throw new Failure('store_unavailable', 'The connection is being changed by others at the same time. Try again.')
}

const noLongerPending = () =>
  new Failure(
    'not_found',
    'There is no longer a consent to confirm. Check the connection, and connect again if needed.',
  )
