import type { IncomingMessage } from 'node:http'
import type { Failure } from '../platform/failure.ts'
import type { AnswerReceiver } from './forward.ts'
import type { McpTarget } from './endpoint.ts'

/** Who calls, as far as the proxy has to know. */
export interface ProxyCaller {
  readonly userId: string | undefined
  /** For a caller with rules of its own. */
  readonly visit?: RequestPolicy
}

/** One request of a caller that is bound to one space: an MCP client of a person. */
export interface RequestPolicy {
  readonly spaceId: string
  readonly userId: string
  /** Tells the person's clients apart: an MCP session belongs to one of them. */
  readonly client: string
  readonly maxBodyBytes: number
  /** Called once, before the body is read. `end` breaks the exchange off, at any time until `leave`. */
  begin(end: (failure: Failure) => void): void
  /** Called when it is known what is asked for. @throws {Failure} when that may not be. */
  enter(request: PolicyRequest): Passage
  /** Called once, when it is over, however it ended. */
  leave(): void
}

export interface PolicyRequest {
  /** What is about to go upstream. */
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
  readonly rpcMethod: string | undefined
  readonly isStream: boolean
  /** Whether the answer may hold again what an earlier answer held. */
  readonly isResumption: boolean
}

/** How a request and its answer have to pass. */
export interface Passage {
  readonly headers: readonly string[]
  readonly through: (answer: AnswerReceiver) => AnswerReceiver
}

/** A request that was refused, as far as it was understood by then. */
export interface Refused {
  readonly req: IncomingMessage
  readonly target: McpTarget
  readonly requestId: string
  readonly visit: RequestPolicy | undefined
  readonly isApplication: boolean
  readonly rpc: RpcRequest | undefined
  /** The message, without `meta`. */
  readonly body: Buffer | undefined
}

/** The request that failed, as far as it was read. */
export interface RpcRequest {
  readonly method: string | undefined
  /** JSON text. */
  readonly id: string | undefined
}
