/** Revokes unused grants at the authorization server ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)). */
import type { PreviousConsent } from '@nmg/contract'
import { PENDING_GENERATION } from './connection.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { ClientRegistration, Credential } from './credential.ts'
import type { Vault, WrappedDataKey } from './vault.ts'
import type { ConnectionStore, StoredConnection, PendingAuthorization } from './connection-store.ts'

export interface RevokeConsentDependencies {
  readonly log: Log
  readonly store: Pick<ConnectionStore, 'recordRevoked'>
  readonly vault: Vault
  readonly server: Pick<AuthorizationServer, 'revoke' | 'isShared'>
}

/**
 * Revokes the grant that a new consent has replaced, after the new one is stored. A grant of the same client is kept: the server may treat both
 * consents as one grant and would revoke the new one as well. Never throws.
 *
 * @param replaced the previous state of the connection.
 * @param by the credential of the new consent.
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
      // The same consent was stored twice, because the response to the first attempt was lost.
      if (isSameGrant(old, by)) outcome = undefined
      else if (server.isShared(old.client) || isSameClient(old.client, by.client)) outcome = 'kept'
      else outcome = await server.revoke(connection.grant, old)
    }
    if (outcome === 'revoked' || outcome === undefined) await store.recordRevoked(stream)
    log.info('connection.replaced', { space: spaceId, revocation: outcome })
  } catch (error) {
    log.warn('connection.replaced', { space: spaceId, revocation: outcome, ...describeError(error) })
  }
  return outcome
}

/**
 * Revokes the grant of a pending authorization that will not be used. Never throws.
 *
 * @param remaining the clients that the space still uses, of its connection and of a newer pending authorization.
 */
export async function revokePending(
  { vault, server, log }: Omit<RevokeConsentDependencies, 'store'>,
  { stream, spaceId }: StoredConnection,
  dataKey: WrappedDataKey,
  pending: PendingAuthorization,
  remaining: readonly (ClientRegistration | undefined)[],
): Promise<void> {
  try {
    const context = { stream, generation: PENDING_GENERATION, grant: pending.grant }
    const credential: Credential = vault.open(dataKey, context, pending.sealed)
    const isKept = remaining.some((client) => client && isSameClient(client, credential.client))
    const revocation = isKept ? 'kept' : await server.revoke(pending.grant, credential)
    log.info('connection.declined', { space: spaceId, revocation })
  } catch (error) {
    log.warn('connection.declined', { space: spaceId, revocation: 'failed', ...describeError(error) })
  }
}

/** The client of the connection; undefined if it is not connected or its credential is unreadable. */
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
 * True if a server may treat consents of these clients as one grant: connections share the client of the settings, and some servers return the
 * same client to every registration.
 */
export const isSameClient = (one: ClientRegistration, other: ClientRegistration): boolean =>
  one.clientId === other.clientId

const isSameGrant = (one: Credential, other: Credential): boolean =>
  one.refreshToken?.reveal() === other.refreshToken?.reveal() &&
  one.accessToken?.reveal() === other.accessToken?.reveal()
