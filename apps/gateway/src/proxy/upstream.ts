import type { Secret } from '../platform/secret.ts'
import type { ResponseHeaders } from './headers.ts'

/** A request to the upstream MCP server, apart from its access token. */
export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  /** Alternating names and values, reduced already to what upstream may see. */
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
}

/** Consumes a response: `onHeaders`, `onData` any number of times, `onEnd`. Each may throw a `Failure`, which ends the exchange. */
export interface ResponseSink {
  onHeaders(status: number, headers: ResponseHeaders): void
  /** @returns false while the sink can take no more; the exchange then waits for {@link UpstreamExchange.resume}. */
  onData(bytes: Buffer): boolean
  onEnd(): void
}

export interface ResponseHead {
  readonly status: number
  readonly headers: ResponseHeaders
}

/** A request that is under way upstream. */
export interface UpstreamExchange {
  /** Whether any of the request may have reached the server. False is certain, true is not. */
  readonly mayHaveLeft: boolean
  /**
   * Resolves when the response's head has arrived. The body is held until {@link relay}.
   *
   * @throws {Failure} `upstream_unreachable` when nothing was sent, else `outcome_unknown`.
   */
  head(): Promise<ResponseHead>
  /**
   * Passes head and body to the sink as they arrive. Resolves at the end of the body.
   *
   * @throws {Failure} `outcome_unknown` when the response breaks off or grows too old; what the sink throws.
   */
  relay(sink: ResponseSink): Promise<void>
  /** The sink can take more. */
  resume(): void
  /** Reads the rest of the response and drops it, so that the connection can be used again. */
  discard(): void
  /** Closes the connection at once. A pending promise rejects with `failure`. */
  cancel(failure: Error): void
}

/** The upstream MCP server. Never follows a redirect, never tries again. */
export interface Upstream {
  send(request: UpstreamRequest, accessToken: Secret): UpstreamExchange
}
