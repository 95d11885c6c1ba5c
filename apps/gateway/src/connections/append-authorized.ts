import { degradedAgain, missingTokenPauseMs } from './degraded.ts'
import { evolve, type ConnectionEvent, type Grant } from './connection.ts'
import { endDueAt, refreshDueAt } from './refresh-schedule.ts'
import { beyond } from './oauth/scope.ts'
import type { ConnectionStore, StoredConnection } from './connection-store.ts'
import type { Credential } from './credential.ts'
import type { Vault, WrappedDataKey } from './vault.ts'

/** A consent that the connection goes on with. */
export interface Authorized {
  readonly at: Date
  readonly by: string
  /** Who said that the workspace which it reaches is the one that is meant. */
  readonly confirmedBy?: string
  readonly grant: Grant
  readonly credential: Credential
  /** End of the access token. */
  readonly expiresAt: Date | null
}

/** Seals what a consent brought and appends it to the stream. @returns false when something else came in between. */
export function appendAuthorized(
  { random, store, vault }: { readonly random: () => number; readonly store: ConnectionStore; readonly vault: Vault },
  { stream, spaceId, version, connection, stepUpScope }: StoredConnection,
  dataKey: WrappedDataKey,
  { credential, expiresAt, ...consent }: Authorized,
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
    // A call may have lacked something since this consent was begun.
    stepUpScope: stepUpScope && beyond(stepUpScope, consent.grant.scope),
    refreshDueAt:
      degraded?.nextAttemptAt ??
      (isRenewable ? refreshDueAt(consent.at, expiresAt, random()) : endDueAt(consent.at, expiresAt)),
    degraded,
    replacesConsent: connection.status === 'connected',
  })
}
