/** Ends grants that nothing uses any longer, at the authorization server ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)). */
import type { PreviousConsent } from '@nmg/contract'
import { WAITING_GENERATION } from './connection.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { ClientRegistration, Credential } from './credential.ts'
import type { Vault, WrappedDataKey } from './vault.ts'
import type { ConnectionStore, StoredConnection, PendingAuthorization } from './connection-store.ts'

export interface RevokeConsentDependencies {
  readonly log: Log
  readonly store: Pick<ConnectionStore, 'noteRevoked'>
  readonly vault: Vault
  readonly server: Pick<AuthorizationServer, 'revoke' | 'isShared'>
}

/**
 * Ends the grant that a consent has replaced, after the new one is stored. With the same client it is kept: the server may treat both consents as
 * one grant, and would end the new one as well. Never throws.
 *
 * @param replaced the connection as it was before the consent.
 * @param by what the consent brought.
 * @returns undefined when nothing was replaced.
 */
export async function revokeReplaced(
  { vault, server, store, log }: RevokeConsentDependencies,
  { stream, spaceId, connection, dataKey }: StoredConnection,
  by: Credential,
): Promise<PreviousConsent | undefined> {
  if (connection.status !== 'connected') return undefined
  let outcome: PreviousConsent | undefined = 'failed'
  try {
    if (dataKey) {
      const { generation, sealed } = connection.credential
      const old = vault.open(dataKey, { stream, generation, grant: connection.grant }, sealed)
      // Stored twice, as the response to the first attempt was lost.
      if (isSameGrant(old, by)) outcome = undefined
      else if (server.isShared(old.client) || isSameClient(old.client, by.client)) outcome = 'kept'
      else outcome = await server.revoke(connection.grant, old)
    }
    if (outcome === 'revoked' || outcome === undefined) await store.noteRevoked(stream)
    log.info('connection.replaced', { space: spaceId, revocation: outcome })
  } catch (error) {
    log.warn('connection.replaced', { space: spaceId, revocation: outcome, ...describeError(error) })
  }
  return outcome
}

/**
 * Ends the grant of a consent that waited to be confirmed and is not used. Never throws.
 *
 * @param remaining the clients that the space goes on with, of its connection and of a consent that waits now.
 */
export async function revokeWaiting(
  { vault, server, log }: Omit<RevokeConsentDependencies, 'store'>,
  { stream, spaceId }: StoredConnection,
  dataKey: WrappedDataKey,
  waiting: PendingAuthorization,
  remaining: readonly (ClientRegistration | undefined)[],
): Promise<void> {
  try {
    const place = { stream, generation: WAITING_GENERATION, grant: waiting.grant }
    const credential: Credential = vault.open(dataKey, place, waiting.sealed)
    const isKept = remaining.some((client) => client && isSameClient(client, credential.client))
    const revocation = isKept ? 'kept' : await server.revoke(waiting.grant, credential)
    log.info('connection.declined', { space: spaceId, revocation })
  } catch (error) {
    log.warn('connection.declined', { space: spaceId, revocation: 'failed', ...describeError(error) })
  }
}

/** The client of the connection in use; undefined when there is none, or when it does not open. */
export function clientInUse(
  vault: Vault,
  { stream, connection, dataKey }: StoredConnection,
): ClientRegistration | undefined {
  if (connection.status !== 'connected' || !dataKey) return undefined
  const { generation, sealed } = connection.credential
  try {
    return vault.open(dataKey, { stream, generation, grant: connection.grant }, sealed).client
  } catch {
    return undefined
  }
}

/**
 * Whether a server may treat consents of these clients as one grant. Settings share a client; and there are servers that give everybody who registers
 * the same one.
 */
export const isSameClient = (one: ClientRegistration, other: ClientRegistration): boolean =>
  one.clientId === other.clientId

const isSameGrant = (one: Credential, other: Credential): boolean =>
  one.refreshToken?.reveal() === other.refreshToken?.reveal() &&
  one.accessToken?.reveal() === other.accessToken?.reveal()
