import type { Failure } from '../platform/failure.ts'
import type { Secret } from '../platform/secret.ts'
import type { ResponseHeaders } from './headers.ts'

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
  answered(status: number, headers: ResponseHeaders): boolean
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
