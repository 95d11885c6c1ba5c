import type { AuthorizationServerInfo } from './oauth/discovery.ts'
import type { Secret } from '../platform/secret.ts'
import type { AuthorizationRequest } from './authorization-requests.ts'
import type { Grant } from './connection.ts'
import type { ClientRegistration, Credential, RenewableCredential, Workspace } from './credential.ts'
import type { AuthorizationError } from '@nmg/contract'

/** The result of a token response: an access token, a refresh token, or both. */
export interface Tokens {
  /** Null when the response has no usable access token. */
  readonly accessToken: Secret | null
  readonly refreshToken: Secret | null
  /** Seconds; null when the response does not tell. */
  readonly expiresInSeconds: number | null
  /** The granted scope; null when the response has none. */
  readonly scope: string | null
  /** Optional, unofficial members of Notion's token response. */
  readonly workspace: Workspace
}

/**
 * Symptom of a refresh that brought no decision.
 * - `unreachable`: no connection was established.
 * - `timed_out`: the request timed out; the server may still be processing it.
 * - `connection_lost`: the connection ended before the response.
 * - `unreadable`: a response that neither grants nor refuses (5xx, a web page, broken JSON, a temporary error).
 * - `moved`: 3xx, 404, 405 or 410; the token endpoint has another address.
 * - `rate_limited`: 429.
 * - `rejected`: a refusal that is not known to be final.
 * - `resource_refused`: the server rejects the resource indicator.
 * - `client_rejected`: the server rejects the fixed client of the settings.
 * - `not_sent`: the token was not sent, as the refresh lock was no longer proven.
 * - `forbidden`: the SSRF guard forbids the address.
 */
export type RefreshSymptom =
  | 'unreachable'
  | 'timed_out'
  | 'connection_lost'
  | 'unreadable'
  | 'moved'
  | 'rate_limited'
  | 'rejected'
  | 'resource_refused'
  | 'client_rejected'
  | 'not_sent'
  | 'forbidden'

interface NoDecision {
  readonly symptom: RefreshSymptom
  /** The server's error code, or a short description of the failure. */
  readonly error: string
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
}

export type RefreshOutcome =
  | { readonly kind: 'granted'; readonly tokens: Tokens }
  /** The grant is lost for good. `error` is the OAuth error code. */
  | { readonly kind: 'refused'; readonly error: string; readonly isTokenExpired: boolean }
  /** The token was certainly not redeemed: it was never sent, or the server's error proves it. */
  | ({ readonly kind: 'not_redeemed' } & NoDecision)
  /** The token was sent without a readable response: it may have been redeemed. */
  | ({ readonly kind: 'in_doubt' } & NoDecision)

/** The authorization failed; `code` goes into the redirect back to the application. */
export class AuthorizationRefused extends Error {
  override readonly name = 'AuthorizationRefused'
  readonly code: AuthorizationError

  constructor(code: AuthorizationError, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}

/** Permission to send a refresh token, which its holder verifies locally. */
export interface RedeemPermit {
  mayRedeem(): boolean
  /** Milliseconds until the request must have ended. */
  remainingMs(): number
}

export interface AuthorizationServer {
  /** The scope fixed in the settings, which is the only one requested then. */
  readonly fixedScope: string | undefined
  /** @throws {Failure} `authorization_unavailable`, `authorization_refused` (a required feature is missing). */
  discover(): Promise<AuthorizationServerInfo>
  /**
   * The grant with its current endpoints: those of the settings, else those that this process has read from the issuer's metadata, else the
   * stored ones. Becomes durable when the next token generation is sealed with it.
   */
  currentGrant(grant: Grant): Grant
  /**
   * Reads the metadata of the grant's issuer again, at most once a minute. Resolves to true if {@link currentGrant} has changed. Never throws.
   */
  rereadEndpoints(grant: Grant): Promise<boolean>
  /** True if all consents share the client: it comes from the settings or is a client ID metadata document. */
  isShared(client: ClientRegistration): boolean
  /** Registers a client, unless the settings have one. @throws {Failure} `authorization_unavailable`, `authorization_refused`. */
  register(server: AuthorizationServerInfo): Promise<ClientRegistration>
  /** The client that needs no registration: from the settings, or our client ID metadata document if the server supports it. */
  preregisteredClient(server: AuthorizationServerInfo): ClientRegistration | null
  readonly redirectUri: string
  authorizationUrl(
    server: AuthorizationServerInfo,
    client: ClientRegistration,
    state: string,
    codeVerifier: Secret,
  ): Promise<URL>
  /**
   * Redeems the code of an authorization response after checking `iss`.
   *
   * @throws {AuthorizationRefused} with the code for the redirect.
   */
  exchange(request: AuthorizationRequest, response: URLSearchParams): Promise<Tokens>
  /**
   * Sends the refresh token if `permit` allows it right before the first byte; otherwise the outcome is `not_redeemed`. A request without a
   * response within the remaining time is aborted, so that nothing of it can arrive later. Never throws.
   */
  refresh(grant: Grant, credential: RenewableCredential, permit: RedeemPermit): Promise<RefreshOutcome>
  /** Revokes the refresh token, and with it the grant, or else the access token ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)). Never throws. */
  revoke(grant: Grant, credential: Credential): Promise<'revoked' | 'failed' | 'not_supported'>
}

/** Identifies the workspace of an access token. Never rejects; undefined when Notion gives no usable response in time. */
export type IdentifyWorkspace = (accessToken: Secret) => Promise<Workspace | undefined>
