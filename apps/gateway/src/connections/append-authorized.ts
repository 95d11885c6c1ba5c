import { degradedAgain, missingTokenPauseMs } from './degraded.ts'
import { evolve, type ConnectionEvent, type Grant } from './connection.ts'
import { expiryDueAt, refreshDueAt } from './refresh-schedule.ts'
import { subtractScopes } from './oauth/scope.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'
import type { Credential } from './credential.ts'
import type { Vault, WrappedDataKey } from './vault.ts'

/** A completed consent that the connection will use. */
export interface CompletedConsent {
  readonly at: Date
  readonly by: string
  /** User who confirmed the workspace change. */
  readonly confirmedBy?: string
  readonly grant: Grant
  readonly credential: Credential
  /** Expiry of the access token. */
  readonly expiresAt: Date | null
}

/** Seals the credential of a consent and appends the event. @returns false when the stream has moved on. */
export function appendAuthorized(
  { random, store, vault }: { readonly random: () => number; readonly store: ConnectionStore; readonly vault: Vault },
  { stream, spaceId, version, connection, stepUpScope }: StoredConnection,
  dataKey: WrappedDataKey,
  { credential, expiresAt, ...consent }: CompletedConsent,
): Promise<boolean> {
  const generation = version + 1
  const isRenewable = credential.refreshToken !== null
  const event: ConnectionEvent = {
    type: 'NotionIntegrationAuthorized',
    ...consent,
    credential: {
      sealed: vault.seal(dataKey, { stream, generation, grant: consent.grant }, credential),
      keyId: dataKey.id,
      generation,
      expiresAt,
      isRenewable,
    },
  }
  const degraded =
    credential.accessToken === null
      ? degradedAgain(null, 'access_token_missing', 'no access token', consent.at, missingTokenPauseMs(0))
      : null
  return store.append({
    stream,
    spaceId,
    expectedVersion: version,
    event,
    connection: evolve(connection, event),
    // Calls may have been refused for further scopes since this consent was started.
    stepUpScope: stepUpScope && subtractScopes(stepUpScope, consent.grant.scope),
    refreshDueAt:
      degraded?.nextAttemptAt ??
      (isRenewable ? refreshDueAt(consent.at, expiresAt, random()) : expiryDueAt(consent.at, expiresAt)),
    degraded,
    replacesConsent: connection.status === 'connected',
  })
}
