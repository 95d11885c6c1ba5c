import type { Secret } from '../platform/secret.ts'

/** An access token of a space's connection, as the proxy uses it. `version` is that of the event that stored it. */
export interface Access {
  readonly token: Secret
  readonly version: number
  /** A refresh brought it because upstream refused the one before. */
  readonly isFresh?: true
  /** Upstream refused this very token a moment ago; it goes out once more because it is so new that it may not have been known everywhere. */
  readonly isSecondTry?: true
  /** Upstream refused fresh tokens of this connection lately: the first response that takes one has to be reported by {@link AccessTokens.accepted}. */
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
   * One to resend with after upstream refused `refused` with 401: the store's newer one, else one from a refresh. A token that is new goes out
   * twice, after a moment. When upstream refuses what a refresh has just brought, the connection is marked as degraded and no token is asked for
   * until the pause is over: `upstream_refuses_token`.
   */
  after(spaceId: string, refused: Access): Promise<Access>
  /** Upstream took a token that {@link Access.isUnderSuspicion}: the connection is not degraded any longer. Never throws. */
  accepted(spaceId: string): Promise<void>
}
