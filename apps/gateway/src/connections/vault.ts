import type { AuthorizationRequest } from './authorization-requests.ts'
import type { Grant } from './connection.ts'
import type { Credential } from './credential.ts'

/** A data key, encrypted with one of the operator's `CREDENTIAL_KEYS`. */
export interface WrappedDataKey {
  readonly id: string
  /** Which of the operator's keys opens it. */
  readonly kid: string
  /** Base64. */
  readonly wrapped: string
}

/**
 * Where a sealed credential belongs. The grant says to whom its tokens are sent, so it is authenticated with them: whoever can write the database
 * cannot have a refresh token sent elsewhere.
 */
export interface CredentialPlace {
  readonly stream: string
  readonly generation: number
  readonly grant: Pick<Grant, 'issuer' | 'tokenEndpoint' | 'revocationEndpoint' | 'resource'>
}

/**
 * Encrypts what must be kept secret (AES-256-GCM). Each connection has a data key of its own; what it seals is bound to its stream
 * and generation, so a value that was moved to another row does not open.
 *
 * @throws {Failure} `sealed_value_unreadable` from whatever opens, when a value was changed, moved, or sealed with a key that is not there.
 */
export interface Vault {
  newDataKey(stream: string): WrappedDataKey
  /** The same data key, wrapped by the one of the operator's keys that seals now. */
  rewrap(stream: string, key: WrappedDataKey): WrappedDataKey
  seal(key: WrappedDataKey, place: CredentialPlace, credential: Credential): string
  open(key: WrappedDataKey, place: CredentialPlace, sealed: string): Credential
  sealRequest(stateHash: string, request: AuthorizationRequest): string
  openRequest(stateHash: string, sealed: string): AuthorizationRequest
}
