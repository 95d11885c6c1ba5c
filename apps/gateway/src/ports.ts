import type { AuthorizationError, Scope } from '@nmg/contract'
import type { Degraded } from './connections/degraded.ts'
import type { ClientAccess, Revoked } from './domain/client-access.ts'
import type { Connection, ConnectionEvent, Grant } from './domain/connection.ts'
import type { AnswerHeaders } from './domain/envelope-headers.ts'
import type { ReturnPath } from './domain/return-path.ts'
import type { Failure } from './failure.ts'
import type { Secret } from './secret.ts'

export type Clock = () => Date

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

/**
 * Written before a refresh token goes out: generation `generation` is about to be redeemed by claim `claimId`. Found by the next holder,
 * it says that the outcome may be in doubt.
 */
export interface RefreshIntent {
  readonly generation: number
  readonly claimId: string
  /** How often this generation's token went out without a readable answer; an attempt that is under way counts. */
  readonly inDoubt: number
  /** Attempts in a row that brought no decision, for the back-off. */
  readonly failures: number
  /** No attempt before this moment. Null for an attempt that nobody settled: it is under way, or its holder died in it. */
  readonly notBefore: Date | null
  /** How long that pause was when it began. A pause that has longer to go than this was written by a clock that has moved since. */
  readonly pauseMs: number | null
  /** Milliseconds since it was written, by the database's clock. */
  readonly ageMs: number
}

/**
 * A consent that reaches another workspace than the connection did. Nothing uses it before a person says that this is meant. Sealed for generation 0,
 * which no event has.
 */
export interface WaitingConsent {
  readonly id: string
  readonly by: string
  readonly at: Date
  readonly waitsUntil: Date
  readonly workspace: Workspace
  readonly grant: Grant
  readonly sealed: string
  readonly expiresAt: Date | null
}

export interface StoredConnection {
  readonly stream: string
  readonly spaceId: string
  /** 0 for a stream never written. */
  readonly version: number
  readonly connection: Connection
  readonly dataKey: WrappedDataKey | null
  readonly workspace: Workspace | null
  readonly waiting: WaitingConsent | null
  /** What upstream refused calls for want of, and nobody has been asked for yet; null for nothing, empty when asking was refused. */
  readonly wantedScope: string | null
  readonly intent: RefreshIntent | null
  /** Why the credential cannot be renewed or used right now; null while all is well. */
  readonly degraded: Degraded | null
  /** Earlier consents of this space that may still be valid at the authorization server. */
  readonly unrevokedConsents: number
  /** About when a call last used the connection; null before the first one. */
  readonly lastUsedAt: Date | null
}

export interface Append {
  readonly stream: string
  readonly spaceId: string
  readonly expectedVersion: number
  readonly event: ConnectionEvent
  /** The state after the event; stored beside the stream so that reading it does not depend on the stream's length. */
  readonly connection: Connection
  /** When the background refresher looks at this connection next; null for never. */
  readonly refreshDueAt: Date | null
  /** With an authorization: what is still wanted after it. */
  readonly wantedScope?: string | null
  /** Only while the refresh intent is this claim's: a holder that was overtaken stores nothing. */
  readonly claimId?: string
  /** What is wrong with the renewal after the event; nothing when left out. */
  readonly degraded?: Degraded | null
  /** With an authorization: the consent that it replaces may stay valid, until {@link ConnectionStore.noteRevoked} says otherwise. */
  readonly replacesConsent?: boolean
}

/** One event stream for each space's connection, its current state beside it. */
export interface ConnectionStore {
  /** The connection as of now, in one round trip. */
  read(spaceId: string): Promise<StoredConnection>
  /**
   * Appends right after `expectedVersion` and moves the state, both or neither. A disconnect also destroys the data key.
   *
   * @returns false when the stream has moved on since it was read, or the claim is another's by now.
   */
  append(append: Append): Promise<boolean>
  /** Newest first, those before version `before`. */
  history(
    spaceId: string,
    before: number | undefined,
    limit: number,
  ): Promise<{ version: number; event: ConnectionEvent }[]>
  /** The stored data key of the stream, made with `make` when there is none. */
  ensureDataKey(stream: string, make: () => WrappedDataKey): Promise<WrappedDataKey>
  nameWorkspace(stream: string, workspace: Workspace): Promise<void>
  /** Keeps a consent beside the connection, in place of one that waits already. An authorization or a disconnect drops it. */
  park(stream: string, waiting: WaitingConsent): Promise<void>
  /** @returns false when another one waits by now, or none. */
  dropWaiting(stream: string, id: string): Promise<boolean>
  /**
   * Keeps what the next consent should ask for as well. A disconnect drops it.
   *
   * @returns false when the connection is not as it was read any more.
   */
  wantScope(stored: StoredConnection, scope: string): Promise<boolean>
  /** Settles an attempt that brought no decision, as long as the intent is still this claim's, and notes when to try again. */
  postponeRefresh(
    stream: string,
    intent: Omit<RefreshIntent, 'ageMs' | 'notBefore' | 'pauseMs'> & {
      readonly notBefore: Date
      readonly pauseMs: number
      readonly degraded: Degraded | null
    },
  ): Promise<void>
  /**
   * Marks or unmarks the connection, as long as its version is still the one that was read, and tells all replicas.
   *
   * @param dueAt when the background refresher looks at it next; left out to leave that as it is.
   */
  setDegraded(stored: StoredConnection, degraded: Degraded | null, dueAt?: Date): Promise<void>
  /** One of the earlier consents was revoked after all. */
  noteRevoked(stream: string): Promise<void>
  /** Notes that these spaces are in use; an unused connection is renewed more rarely. */
  markUsed(spaceIds: readonly string[], now: Date): Promise<void>
  /**
   * Takes up to `limit` connections whose renewal is due at `now`, and puts each off by `leaseMs`, so that no other replica gets it
   * meanwhile.
   */
  takeDue(now: Date, limit: number, leaseMs: number): Promise<DueConnection[]>
}

export interface DueConnection {
  readonly spaceId: string
  /** The version that is due. A connection that has moved on since is not due any longer. */
  readonly version: number
}

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

/** What discovery told about the authorization server of the upstream (RFC 9728, RFC 8414). */
export interface AuthorizationServerInfo {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly registrationEndpoint: string | null
  readonly revocationEndpoint: string | null
  /** What to ask for; null for nothing in particular. */
  readonly scope: string | null
  /** The server takes the address of a published document for the id of a client. */
  readonly takesMetadataDocuments: boolean
  /** The server promises `iss` in each authorization response ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)). */
  readonly promisesIssuer: boolean
  /** How clients may authenticate at the token endpoint, as the metadata list it; null when they do not. */
  readonly tokenEndpointAuthMethods: readonly string[] | null
  /** Resource indicator, verbatim from the protected resource metadata. */
  readonly resource: string | null
}

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
   * Asks `claim` in the moment before the first byte leaves whether it may; if not, the token stays here (`not_redeemed`). Whatever is not
   * answered within what remains to the claim is cut off, so that nothing of it can arrive later. Never throws.
   */
  refresh(
    grant: Grant,
    credential: RenewableCredential,
    claim: Pick<Claim, 'isEntitled' | 'remainingMs'>,
  ): Promise<RefreshOutcome>
  /** [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009), of the refresh token and so of the whole grant; of the access token where there is no other. Never throws. */
  revoke(grant: Grant, credential: Credential): Promise<'revoked' | 'failed' | 'not_supported'>
}

/** Whom the access token speaks for. Never throws: undefined when Notion does not say in time. */
export type IdentifyWorkspace = (accessToken: Secret) => Promise<Workspace | undefined>

/**
 * The exclusive permission to refresh one connection, over all replicas. Free again as soon as its holder's process dies; does not run
 * out under a holder that is merely slow.
 */
export interface Claims {
  /**
   * Undefined when somebody else holds it. `evenIfHeld` takes it from a holder that stands still: what that one cannot do any more then is decided
   * by the intent alone.
   *
   * @throws {Failure} `store_unavailable`.
   */
  tryTake(stream: string, evenIfHeld?: boolean): Promise<Claim | undefined>
}

export interface Claim {
  readonly id: string
  /**
   * Durable before it resolves: this claim is about to redeem `generation`. Written through the very session that took the claim, so it
   * cannot succeed once that is lost. The background refresher looks at the connection at `lookAgainAt`, should nobody settle it.
   *
   * @returns false when the stream has moved on, or another claim's attempt may still be under way.
   * @throws {Failure} `store_unavailable` when the claim is lost.
   */
  intend(
    intent: Pick<RefreshIntent, 'generation' | 'inDoubt' | 'failures'> & { readonly lookAgainAt: Date },
  ): Promise<boolean>
  /** Whether the last {@link intend} is recent enough to act on, by the wall clock and by the monotonic one. */
  isEntitled(): boolean
  /** Milliseconds until what the last {@link intend} announced has to be over. */
  remainingMs(): number
  release(): Promise<void>
}

/** News from all replicas that a connection has changed. */
export interface Changes {
  /** False while news may be missed: then nothing may be answered from memory. */
  isLive(): boolean
  /** `hasEnded`: somebody disconnected the space. */
  onChange(listener: (spaceId: string, version: number, hasEnded: boolean) => void): void
  /** Calls back when the line was interrupted: whatever is in memory may be old. */
  onInterruption(listener: () => void): void
  /** Resolves at the next change of this space, or after `ms`. */
  next(spaceId: string, ms: number): Promise<void>
}

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

/** Who opened an MCP session. A session belongs to one person in one space, and to one client of theirs. */
export interface SessionOwner {
  readonly spaceId: string
  /** Empty for an application that names no person. */
  readonly userId: string
  /** The MCP client that the person uses; left out for an application. */
  readonly client?: string | undefined
}

/** Which MCP session ids upstream gave to whom; shared by all replicas. Ids are kept as hashes. */
export interface McpSessions {
  /** Durable before it resolves, so that any replica knows the session when its client comes back. */
  remember(sessionId: string, owner: SessionOwner): Promise<void>
  /** Undefined for an id that upstream never gave out through this gateway. Synchronous when it is in memory. */
  owner(sessionId: string): SessionOwner | undefined | Promise<SessionOwner | undefined>
  /** After a DELETE that upstream honoured. */
  forget(sessionId: string): Promise<void>
}

/** A request to the upstream MCP server, apart from its access token. */
export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  /** Names and values in turn, reduced already to what upstream may see. */
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
}

/** Takes in upstream's answer as it arrives: `answered`, `received` any number of times, `ended`; or, at any point instead, `broken`. */
export interface UpstreamReceiver {
  /** The status and the head. False holds all that follows until {@link UpstreamExchange.resume}. */
  answered(status: number, headers: AnswerHeaders): boolean
  /** A piece of the body, as it came. False holds what follows. */
  received(bytes: Buffer): boolean
  ended(): void
  /** `upstream_unreachable` when nothing was sent, else `outcome_unknown`; also when the answer breaks off or grows too old. */
  broken(failure: Failure): void
}

/** A request that is under way upstream. */
export interface UpstreamExchange {
  /** Whether any of the request may have reached the server. False is certain, true is not. */
  readonly mayHaveLeft: boolean
  resume(): void
  /** Breaks it off at once, whatever its state. The receiver hears no more of it. */
  cancel(): void
  /** Lets the rest of the answer go unread. The receiver hears no more of it. */
  discard(): void
}

/** The upstream MCP server. Never follows a redirect, never tries again. */
export interface Upstream {
  send(request: UpstreamRequest, accessToken: Secret, receiver: UpstreamReceiver): UpstreamExchange
}

/** A key as it is kept: its hash, and what it stands for. */
export interface StoredAccessKey {
  readonly id: string
  /** SHA-256. */
  readonly hash: Buffer
  readonly name: string
  readonly spaceId: string
  readonly userId: string
  readonly scope: Scope
  readonly createdAt: Date
  readonly expiresAt: Date | null
  /** To the minute. */
  readonly lastUsedAt: Date | null
}

/** The keys of MCP clients. @throws {Failure} `store_unavailable`, all of them. */
export interface AccessKeyStore {
  add(key: Omit<StoredAccessKey, 'createdAt' | 'lastUsedAt'>): Promise<StoredAccessKey>
  find(hash: Buffer): Promise<StoredAccessKey | undefined>
  exists(id: string): Promise<boolean>
  /** Newest first. */
  list(spaceId: string, userId: string | undefined): Promise<StoredAccessKey[]>
  /** Tells all replicas. A key of another space or person than the one named, if one is, stays. */
  remove(id: string, of: { readonly spaceId: string | undefined; readonly userId: string | undefined }): Promise<void>
}

/** Access that was ended before its time. @throws {Failure} `store_unavailable`. */
export interface Revocations {
  /** Durable before it resolves, and then on its way to all replicas. Without a client or a grant, the person's keys to the space go as well. */
  add(revoked: Exclude<Revoked, { readonly keyId: string }>): Promise<void>
  /** The spaces of these in which such tokens have been revoked, and up to when they must have been issued for that. */
  of(
    spaceIds: readonly string[],
    userId: string,
    token: { readonly clientId: string; readonly grantId: string | undefined },
  ): Promise<{ spaceId: string; at: Date }[]>
}

/** News from all replicas that access has ended. */
export interface AccessNews {
  /** False while news may be missed: then nobody is let in from memory. */
  isLive(): boolean
  onRevoked(listener: (revoked: Revoked) => void): void
  /** Calls back when the line was interrupted: whatever is in memory may be old. */
  onInterruption(listener: () => void): void
}

/** What a client said of itself when it called. */
export interface ClientSighting {
  /** What it calls itself; empty when it did not say. */
  readonly name: string
  readonly version: string | undefined
  readonly era: '2025' | '2026'
  /** Whether it can send its person to a URL; undefined when it did not say. */
  readonly takesUrls: boolean | undefined
}

export interface SeenClientRecord extends Omit<ClientSighting, 'takesUrls'> {
  readonly clientId: string | undefined
  readonly keyId: string | undefined
  readonly userId: string
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

/** Which clients called, and when about. */
export interface SeenClients {
  /** Without a sighting, the client that was seen last with this access called again. */
  note(access: ClientAccess, sighting: ClientSighting | undefined): Promise<void>
  list(spaceId: string, userId: string | undefined): Promise<SeenClientRecord[]>
  /** What the client said last, with `initialize`. */
  takesUrls(access: ClientAccess): Promise<boolean>
}

/** A token of a trusted issuer, its signature and all of its claims checked. */
export interface VerifiedToken {
  readonly issuer: string
  readonly clientId: string
  /** Claim `grant_id`: the login that the token is of; undefined where the issuer does not say. */
  readonly grantId: string | undefined
  readonly userId: string
  /** One, or those that a company's directory names. */
  readonly spaceIds: readonly string[]
  readonly scope: Scope | undefined
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** False once the issuer's keys have changed: then it must be verified again. Synchronous and without a request. */
  isCurrent(): boolean
}

export interface TokenVerifier {
  /**
   * @param resource the URL that the token must have been issued for.
   * @throws {Failure} `unauthenticated`; `authorization_unavailable` when the issuer's keys cannot be had.
   */
  verify(token: string, resource: string): Promise<VerifiedToken>
}
