import type { AuthorizationServer, IdentifyWorkspace } from '../connections/authorization-server.ts'
import type { ConnectionChanges } from '../connections/connection-changes.ts'
import type { ConnectionStore } from '../connections/connection-store.ts'
import type { RefreshTimes } from '../connections/refresh-schedule.ts'
import type { Vault } from '../connections/vault.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { RefreshLocks } from './refresh-lock.ts'
import type { Secret } from '../platform/secret.ts'

/** An access token of a space's connection, as used by the proxy. `version` is its token generation. */
export interface Access {
  readonly token: Secret
  readonly version: number
  /** The token comes from a refresh after upstream rejected the previous one. */
  readonly isFresh?: true
  /** Upstream has just rejected this token, but it is so new that it may not have propagated to all of upstream's servers. */
  readonly isSecondTry?: true
  /** Upstream recently rejected fresh tokens of this connection: report the first accepted one with {@link AccessTokens.reportAccepted}. */
  readonly isUnderSuspicion?: true
}

/**
 * Access tokens of the spaces' connections.
 *
 * @throws {Failure} `not_connected`, `reconnect_required`, `refresh_unavailable` and `upstream_refuses_token` (with `retryAfterSeconds`),
 * `store_unavailable`, `credential_unreadable`.
 */
export interface AccessTokens {
  /** A token that is expected to be valid for at least the refresh margin. Returned synchronously from memory if possible. */
  current(spaceId: string): Access | Promise<Access>
  /**
   * The token for a retry after upstream rejected `rejected` with 401: a newer stored one, else one from a refresh. A new token is tried twice,
   * after a pause. When upstream rejects a token from such a refresh, the connection is marked as degraded, and no refresh is sent during the
   * pause (`upstream_refuses_token`).
   */
  refreshAfter401(spaceId: string, rejected: Access): Promise<Access>
  /** Clears the mark after upstream accepted a token that {@link Access.isUnderSuspicion}. Never throws. */
  reportAccepted(spaceId: string): Promise<void>
}

/** The ports behind which the steps of a refresh happen. */
export interface RefreshPorts {
  readonly store: ConnectionStore
  readonly server: Pick<AuthorizationServer, 'refresh' | 'revoke' | 'currentGrant' | 'rereadEndpoints' | 'isShared'>
  readonly locks: RefreshLocks
}

export interface RefreshDependencies extends RefreshPorts {
  readonly clock: Clock
  /** 0 to 1, for jitter. */
  readonly random: () => number
  readonly pause: (ms: number) => Promise<void>
  readonly log: Log
  readonly vault: Vault
  readonly changes: ConnectionChanges
  readonly identify: IdentifyWorkspace
  /** A call refreshes first when the access token expires within this time. */
  readonly refreshMarginMs: number
  readonly times: RefreshTimes
  /** URL of the page on which users connect the space, for error messages. */
  readonly connectUrl: (spaceId: string) => string
}
