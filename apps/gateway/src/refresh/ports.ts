import type { AuthorizationServer, IdentifyWorkspace } from '../connections/authorization-server.ts'
import type { ConnectionChanges } from '../connections/connection-changes.ts'
import type { ConnectionStore } from '../connections/connection-store.ts'
import type { RefreshTimes } from '../connections/refresh-schedule.ts'
import type { Vault } from '../connections/vault.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { RefreshLocks } from './refresh-lock.ts'
import type { Secret } from '../platform/secret.ts'

/** An access token of a space's connection, as the proxy uses it. `version` is that of the event that stored it. */
export interface Access {
  readonly token: Secret
  readonly version: number
  /** A refresh brought it because upstream refused the one before. */
  readonly isFresh?: true
  /** Upstream refused this very token a moment ago; it goes out once more because it is so new that it may not have been known everywhere. */
  readonly isSecondTry?: true
  /** Upstream refused fresh tokens of this connection lately: the first response that takes one has to be reported by {@link AccessTokens.reportAccepted}. */
  readonly isUnderSuspicion?: true
}

/**
 * The access token of a space's connection.
 *
 * @throws {Failure} `not_connected`, `reconnect_required`, `refresh_unavailable` and `upstream_refuses_token` (with `retryAfterSeconds`),
 * `store_unavailable`, `credential_unreadable`.
 */
export interface AccessTokens {
  /** One that is good for the refresh margin at least, as far as we know. Answers synchronously when it is in memory. */
  current(spaceId: string): Access | Promise<Access>
  /**
   * One to resend with after upstream refused `rejected` with 401: the store's newer one, else one from a refresh. A token that is new goes out
   * twice, after a moment. When upstream refuses what a refresh has just brought, the connection is marked as degraded and no token is asked for
   * until the pause is over: `upstream_refuses_token`.
   */
  refreshAfter401(spaceId: string, rejected: Access): Promise<Access>
  /** Upstream took a token that {@link Access.isUnderSuspicion}: the connection is not degraded any longer. Never throws. */
  reportAccepted(spaceId: string): Promise<void>
}

/** What renewing a credential needs of the world. */
export interface RefreshDependencies {
  readonly clock: Clock
  /** 0 to 1, for spreading what would otherwise happen at once. */
  readonly random: () => number
  readonly pause: (ms: number) => Promise<void>
  readonly log: Log
  readonly store: ConnectionStore
  readonly vault: Vault
  readonly server: Pick<AuthorizationServer, 'refresh' | 'revoke' | 'currentGrant' | 'rereadEndpoints' | 'isShared'>
  readonly locks: RefreshLocks
  readonly changes: ConnectionChanges
  readonly identify: IdentifyWorkspace
  /** A call refreshes first when the access token ends within this. */
  readonly refreshMarginMs: number
  readonly times: RefreshTimes
  /** Where a person reconnects the space, for the sentence that tells them to. */
  readonly connectUrl: (spaceId: string) => string
  /** For tests: called at each step of a refresh, so that they can stop a process right there. */
  readonly onStep?: ((step: RefreshStep) => void) | undefined
}

/** The steps of a refresh between which a process may die, or stop for any length of time. */
export type RefreshStep =
  | 'locking'
  | 'locked'
  | 'recording_intent'
  | 'intent_recorded'
  | 'answered'
  | 'repeating'
  | 'storing'
  | 'stored'
  | 'losing'
  | 'postponing'
