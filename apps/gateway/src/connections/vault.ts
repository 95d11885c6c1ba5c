import type { AuthorizationRequest } from './authorization-requests.ts'
import type { Grant } from './connection.ts'
import type { Credential } from './credential.ts'

/** A data key, encrypted with one of the operator's `CREDENTIAL_KEYS`. */
export interface WrappedDataKey {
  readonly id: string
  /** The name of the operator's key that unwraps it. */
  readonly kid: string
  /** Base64. */
  readonly wrapped: string
}

/**
 * The context of a sealed credential, authenticated by the encryption. It includes the endpoints of the grant, so that write access to the
 * database does not suffice to have a refresh token sent elsewhere.
 */
export interface CredentialContext {
  readonly stream: string
  readonly generation: number
  readonly grant: Pick<Grant, 'issuer' | 'tokenEndpoint' | 'revocationEndpoint' | 'resource'>
}

/**
 * Encrypts credentials and authorization requests (AES-256-GCM). Each connection has its own data key; sealed credentials are bound to their
 * stream and generation, so a value moved to another row cannot be opened.
 *
 * @throws {Failure} `sealed_value_unreadable` from all methods that decrypt, when a value was changed, moved, or sealed with a missing key.
 */
export interface Vault {
  newDataKey(stream: string): WrappedDataKey
  /** The same data key, wrapped by the operator's current sealing key. */
  rewrap(stream: string, key: WrappedDataKey): WrappedDataKey
  seal(key: WrappedDataKey, context: CredentialContext, credential: Credential): string
  open(key: WrappedDataKey, context: CredentialContext, sealed: string): Credential
  sealRequest(stateHash: string, request: AuthorizationRequest): string
  openRequest(stateHash: string, sealed: string): AuthorizationRequest
}
