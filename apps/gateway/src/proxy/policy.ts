import type { IncomingMessage } from 'node:http'
import type { Failure } from '../platform/failure.ts'
import type { McpTarget } from './endpoint.ts'
import type { ResponseSink } from './upstream.ts'

/** An authenticated caller, as far as the proxy has to know it. */
export interface ProxyCaller {
  readonly userId: string | undefined
  /** For a caller with rules of its own. */
  readonly policy?: RequestPolicy
}

/** The rules for one request of a caller that is bound to one space: a user's MCP client. */
export interface RequestPolicy {
  readonly spaceId: string
  readonly userId: string
  /** Distinguishes the user's clients: an MCP session belongs to one of them. */
  readonly client: string
  readonly maxBodyBytes: number
  /** Called once, before the body is read. `abort` ends the exchange, at any time until {@link onEnd}. */
  onStart(abort: (failure: Failure) => void): void
  /** Called when the request is read. @throws {Failure} when the request is not allowed. */
  onRequest(request: PolicyRequest): PolicyDecision
  /** Called once, when the exchange is over, however it ended. */
  onEnd(): void
}

export interface PolicyRequest {
  /** Alternating names and values, as they would go upstream. */
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
  readonly rpcMethod: string | undefined
  readonly isStream: boolean
  /** Whether the response may repeat parts of an earlier response. */
  readonly isResumption: boolean
}

/** How an allowed request and its response are forwarded. */
export interface PolicyDecision {
  readonly headers: readonly string[]
  readonly transformResponse: (sink: ResponseSink) => ResponseSink
}

/** A request that failed, as far as it was understood by then. */
export interface FailedRequest {
  readonly req: IncomingMessage
  readonly target: McpTarget
  readonly requestId: string
  readonly policy: RequestPolicy | undefined
  readonly isService: boolean
  readonly rpc: RpcRequest | undefined
  /** The message, without `meta`. */
  readonly body: Buffer | undefined
}

/** The JSON-RPC request that failed, as far as it was read. */
export interface RpcRequest {
  readonly method: string | undefined
  /** JSON text. */
  readonly id: string | undefined
}
