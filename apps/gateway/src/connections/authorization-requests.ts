import type { Secret } from '../platform/secret.ts'
import type { AuthorizationServerInfo } from './oauth/discovery.ts'
import type { ClientRegistration } from './credential.ts'
import type { ReturnPath } from './return-path.ts'

/** Counts client registrations, over all replicas. */
export interface RegistrationLimit {
  /**
   * Counts one more registration of this connection.
   *
   * @throws {Failure} `rate_limited` with `retryAfterSeconds`, when there were ten within the last hour; `store_unavailable`.
   */
  count(stream: string): Promise<void>
  /** Counts the last one no longer: the server registered nothing. @throws {Failure} `store_unavailable`. */
  uncount(stream: string): Promise<void>
}

/** A started, unfinished consent ([RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1)). */
export interface AuthorizationRequest {
  readonly spaceId: string
  readonly userId: string
  readonly returnPath: ReturnPath
  readonly codeVerifier: Secret
  /** SHA-256 of the browser binding, base64url; null when the application gave none. */
  readonly bindingHash: string | null
  /** A consent that reaches another workspace than before waits until a person confirms it. */
  readonly confirmsWorkspace: boolean
  readonly client: ClientRegistration
  readonly server: AuthorizationServerInfo
}

/**
 * Pending authorization requests, sealed, by the hash of their state. One that was taken stays until its time is over, so that a repeated callback
 * gets the outcome of the first.
 */
export interface AuthorizationRequests {
  save(stateHash: string, sealed: string, ttlSeconds: number): Promise<void>
  /** Undefined when unknown, or past its time. Takes nothing. */
  read(stateHash: string): Promise<PendingRequest | undefined>
  /** True for exactly one caller: a state is good for one redemption. */
  take(stateHash: string): Promise<boolean>
  /** Keeps where the browser was sent, until the request's time is over. */
  finish(stateHash: string, outcome: URL): Promise<void>
}

export interface PendingRequest {
  readonly sealed: string
  /** A callback has begun to redeem it. */
  readonly isTaken: boolean
  /** Where that callback sent the browser; null while it is not done. */
  readonly outcome: URL | null
}
