import type { AuthorizationServerInfo } from './oauth/discovery.ts'
import type { Secret } from '../platform/secret.ts'
import type { AuthorizationRequest } from './authorization-requests.ts'
import type { Grant } from './connection.ts'
import type { ClientRegistration, Credential, RenewableCredential, Workspace } from './credential.ts'
import type { AuthorizationError } from '@nmg/contract'

/** What a token response brought: an access token, a refresh token, or both. */
export interface Tokens {
  /** Null when there was none that can be used. */
  readonly accessToken: Secret | null
  readonly refreshToken: Secret | null
  /** Seconds; null when the server did not say. */
  readonly expiresInSeconds: number | null
  /** What was granted, where the server says so; null otherwise. */
  readonly scope: string | null
  /** Optional, unofficial members of Notion's token response. */
  readonly workspace: Workspace
}

/**
 * What was seen of an authorization server that brought no decision.
 * - `unreachable`: there was no connection to it.
 * - `silent`: it was given up after its time and may be at work still.
 * - `cut`: the connection ended before the response did.
 * - `unreadable`: a response that is neither yes nor no (5xx, a web page, broken JSON, an error that says "later").
 * - `moved`: 3xx, 404, 405 or 410: the token endpoint is somewhere else.
 * - `busy`: 429.
 * - `objecting`: a refusal that is not known to be final.
 * - `resource_refused`: it says no to the resource indicator.
 * - `client_rejected`: it does not accept the fixed client of the settings.
 * - `withheld`: the token stayed here, as the claim on it was no longer proven.
 * - `forbidden`: its address leads where this gateway sends nothing.
 */
export type RefreshSign =
  | 'unreachable'
  | 'silent'
  | 'cut'
  | 'unreadable'
  | 'moved'
  | 'busy'
  | 'objecting'
  | 'resource_refused'
  | 'client_rejected'
  | 'withheld'
  | 'forbidden'

interface NoDecision {
  readonly sign: RefreshSign
  /** The server's error code, or in a few words what happened instead. */
  readonly error: string
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
}

export type RefreshOutcome =
  | { readonly kind: 'granted'; readonly tokens: Tokens }
  /** The server's final word: this grant is gone. `error` is the OAuth error code. */
  | { readonly kind: 'refused'; readonly error: string; readonly saysExpired: boolean }
  /** The token was certainly not redeemed: it never left, or the server said clearly that it did nothing with it. */
  | ({ readonly kind: 'not_redeemed' } & NoDecision)
  /** The token left and no readable response came: it may have been redeemed. */
  | ({ readonly kind: 'in_doubt' } & NoDecision)

/** The consent did not complete; `code` is what the browser is sent back with. */
export class AuthorizationRefused extends Error {
  override readonly name = 'AuthorizationRefused'
  readonly code: AuthorizationError

  constructor(code: AuthorizationError, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}

/** Permission to send a refresh token now, as its holder can prove it without asking anybody. */
export interface RedeemPermit {
  mayRedeem(): boolean
  /** Milliseconds until the exchange has to be over. */
  remainingMs(): number
}

export interface AuthorizationServer {
  /** What the operator has said to ask for: then nothing else is. */
  readonly fixedScope: string | undefined
  /** @throws {Failure} `authorization_unavailable`, `authorization_refused` (it lacks what we insist on). */
  discover(): Promise<AuthorizationServerInfo>
  /**
   * The grant as its tokens are to be sent now: endpoints of the settings first, then those that this process has learned from the metadata of
   * the same issuer, then the stored ones. Becomes durable when the next generation is sealed with it.
   */
  currentGrant(grant: Grant): Grant
  /**
   * Reads the metadata of the grant's issuer again, at most once a minute. Resolves to whether {@link currentGrant} has changed. Never throws.
   */
  rereadEndpoints(grant: Grant): Promise<boolean>
  /** Whether the client is shared by all consents: given by the settings, or described by a document. */
  isShared(client: ClientRegistration): boolean
  /** The configured registration, else a new one. @throws {Failure} `authorization_unavailable`, `authorization_refused`. */
  register(server: AuthorizationServerInfo): Promise<ClientRegistration>
  /** The client that needs no registering there: the one given by the settings, or the address of the document that describes us. */
  readyClient(server: AuthorizationServerInfo): ClientRegistration | null
  readonly redirectUri: string
  authorizationUrl(
    server: AuthorizationServerInfo,
    client: ClientRegistration,
    state: string,
    codeVerifier: Secret,
  ): Promise<URL>
  /**
   * Redeems the code of an authorization response. Checks `iss` before anything else.
   *
   * @throws {AuthorizationRefused} with the code for the person.
   */
  exchange(request: AuthorizationRequest, response: URLSearchParams): Promise<Tokens>
  /**
   * Asks `permit` in the moment before the first byte leaves whether it may; if not, the token stays here (`not_redeemed`). Whatever is not
   * answered within what remains to the claim is cut off, so that nothing of it can arrive later. Never throws.
   */
  refresh(grant: Grant, credential: RenewableCredential, permit: RedeemPermit): Promise<RefreshOutcome>
  /** [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009), of the refresh token and so of the whole grant; of the access token where there is no other. Never throws. */
  revoke(grant: Grant, credential: Credential): Promise<'revoked' | 'failed' | 'not_supported'>
}

/** Whom the access token speaks for. Never throws: undefined when Notion does not say in time. */
export type IdentifyWorkspace = (accessToken: Secret) => Promise<Workspace | undefined>
