import type { Secret } from '../platform/secret.ts'
import type { AuthorizationServerInfo } from './oauth/discovery.ts'
import type { ClientRegistration } from './credential.ts'
import type { ReturnPath } from './return-path.ts'

/** Limits client registrations across all replicas. */
export interface RegistrationLimit {
  /**
   * Counts a registration of this connection.
   *
   * @throws {Failure} `rate_limited` with `retryAfterSeconds`, when there were ten within the last hour; `store_unavailable`.
   */
  consume(stream: string): Promise<void>
  /** Reverts the last {@link consume} after a failed registration. @throws {Failure} `store_unavailable`. */
  refund(stream: string): Promise<void>
}

/** A started authorization that is not finished yet ([RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1)). */
export interface AuthorizationRequest {
  readonly spaceId: string
  readonly userId: string
  readonly returnPath: ReturnPath
  readonly codeVerifier: Secret
  /** SHA-256 of the browser binding, base64url; null when the application passed none. */
  readonly bindingHash: string | null
  /** Hold a consent for another workspace than before until a user confirms it. */
  readonly confirmsWorkspace: boolean
  readonly client: ClientRegistration
  readonly server: AuthorizationServerInfo
}

/**
 * Sealed pending authorization requests, keyed by the hash of their state. A request that was taken is kept until it expires, so that a repeated
 * callback gets the outcome of the first.
 */
export interface AuthorizationRequests {
  save(stateHash: string, sealed: string, ttlSeconds: number): Promise<void>
  /** Undefined when unknown or expired. Does not take the request. */
  read(stateHash: string): Promise<PendingRequest | undefined>
  /** True for exactly one caller, as a state may be redeemed once. */
  take(stateHash: string): Promise<boolean>
  /** Stores the URL the browser was redirected to until the request expires. */
  finish(stateHash: string, outcome: URL): Promise<void>
}

export interface PendingRequest {
  readonly sealed: string
  /** A callback has started to redeem it. */
  readonly isTaken: boolean
  /** The URL to which that callback redirected the browser; null while it is running. */
  readonly outcome: URL | null
}
