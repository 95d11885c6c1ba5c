import type { Secret } from '../platform/secret.ts'
import type { AuthorizationRequest } from './authorization-requests.ts'
import type { Grant } from './connection.ts'

/** Our registration at the authorization server ([RFC 7591 §3.2.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1)). */
export interface ClientRegistration {
  readonly clientId: string
  readonly clientSecret: Secret | null
  readonly authMethod: 'none' | 'client_secret_basic' | 'client_secret_post'
}

/** What a grant lets us use. The client belongs to it for life: another client's refresh is refused. */
export interface Credential {
  /** Null when the last token response had a refresh token only: then there is nothing to call with before the next refresh. */
  readonly accessToken: Secret | null
  /** Null when the server gave none: then this credential ends with its access token. */
  readonly refreshToken: Secret | null
  readonly client: ClientRegistration
}

export interface RenewableCredential extends Credential {
  readonly refreshToken: Secret
}

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

/** Which workspace a connection reaches, as Notion itself says. */
export interface Workspace {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly botId?: string | undefined
}
