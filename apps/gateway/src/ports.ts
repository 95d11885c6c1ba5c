import type { AnswerHeaders } from './domain/envelope-headers.ts'
import type { Failure } from './failure.ts'
import type { Secret } from './secret.ts'

/** An access token of a space's connection, as the proxy uses it. `version` is that of the event that stored it. */
export interface Access {
  readonly token: Secret
  readonly version: number
}

/**
 * The access token of a space's connection.
 *
 * @throws {Failure} `not_connected`, `reconnect_required`, `refresh_unavailable` (with `retryAfterSeconds`), `store_unavailable`,
 * `sealed_value_unreadable`.
 */
export interface AccessTokens {
  /** One that is good for the refresh margin at least, as far as we know. Answers synchronously when it is in memory. */
  current(spaceId: string): Access | Promise<Access>
  /** One to replay with after upstream refused `refused` with 401: the store's newer one, else one from a refresh. */
  after(spaceId: string, refused: Access): Promise<Access>
}

/** Who opened an MCP session. A session belongs to one person in one space. */
export interface SessionOwner {
  readonly spaceId: string
  /** Empty for an application that names no person. */
  readonly userId: string
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
  /** `upstream_unreachable`, `upstream_timeout`; also when the answer breaks off or grows too old. */
  broken(failure: Failure): void
}

/** A request that is under way upstream. */
export interface UpstreamExchange {
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
