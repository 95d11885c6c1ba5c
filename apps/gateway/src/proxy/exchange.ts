import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure } from '../platform/failure.ts'
import type { InFlightItem, InFlightSet } from '../platform/in-flight-set.ts'
import { type ErrorResponse, problemResponse } from '../platform/problems.ts'
import type { Admission, Permit } from './admission.ts'
import { type McpTarget, mcpTarget, PROXY_TARGET } from './endpoint.ts'
import type { Envelope } from './envelope.ts'
import { afterSending, effectOf } from './outcome.ts'
import type { InFlightCall } from './forward.ts'
import type { FailedRequest, ProxyCaller } from './policy.ts'
import type { RequestBody } from './request-body.ts'
import { ResponseWriter } from './response-writer.ts'
import type { UpstreamExchange, UpstreamRequest } from './upstream.ts'

/** One finished request, for the log. Nothing in it is secret. */
export interface ExchangeRecord {
  readonly requestId: string
  readonly httpMethod: string
  /** Of the response; 0 when the caller went away before. */
  readonly status: number
  readonly spaceId: string | undefined
  readonly userId: string | undefined
  /** The user's MCP client, for a caller that is one. */
  readonly client: string | undefined
  /** Method of the JSON-RPC message. Untrusted text, at most 200 characters. */
  readonly rpcMethod: string | undefined
  readonly tookMs: number
  /** From the arrival of the request's head to that of upstream's response head; undefined when there was none. */
  readonly upstreamHeadMs: number | undefined
  /** The caller went away before the response was complete. */
  readonly isAborted: boolean
  /** Why the gateway refused or aborted. */
  readonly failure: Failure | undefined
}

export interface ExchangeOptions {
  /** Formats a failure; a problem document when left out. */
  readonly errorResponse?: (failure: Failure, failed: FailedRequest) => ErrorResponse | Promise<ErrorResponse>
  /** Names a request in logs and problems; a random UUID when left out. */
  readonly requestId?: (req: IncomingMessage) => string
  /** Called when a response is finished or aborted. */
  readonly onDone?: (record: ExchangeRecord) => void
}

/** Under this key a response finds its exchange, so that one listener function serves all. */
const EXCHANGE = Symbol('exchange')

type ExchangeResponse = ServerResponse & { [EXCHANGE]?: Exchange }

function onClose(this: ExchangeResponse): void {
  this[EXCHANGE]?.close()
}

/** One request and its response: what is under way for it, and how that ends. */
export class Exchange implements InFlightItem, InFlightCall {
  inFlightIndex = -1
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly writer: ResponseWriter
  readonly target: McpTarget
  readonly #requestId: string
  readonly #startedAt = performance.now()
  readonly #options: ExchangeOptions
  readonly #inFlight: InFlightSet<Exchange>
  readonly #admission: Admission

  caller: ProxyCaller | undefined
  envelope: Envelope | undefined
  spaceId: string | undefined
  userId: string | undefined
  isStream = false
  body: RequestBody | undefined
  permit: Permit | undefined
  /** The request as it was forwarded. */
  forwarded: UpstreamRequest | undefined
  upstream: UpstreamExchange | undefined

  #failure: Failure | undefined
  #isClosed = false

  constructor(
    req: IncomingMessage,
    res: ExchangeResponse,
    options: ExchangeOptions,
    inFlight: InFlightSet<Exchange>,
    admission: Admission,
  ) {
    this.req = req
    this.res = res
    this.#options = options
    this.#inFlight = inFlight
    this.#admission = admission
    this.#requestId = options.requestId?.(req) ?? randomUUID()
    this.target = mcpTarget(req.url ?? '') ?? PROXY_TARGET
    this.writer = new ResponseWriter(req, res, {
      onDrain: () => this.upstream?.resume(),
      onFailure: (failure) => this.fail(failure),
    })
    res[EXCHANGE] = this
    res.on('close', onClose)
    inFlight.add(this)
  }

  /** Whether the request was refused or aborted, or its caller has gone. Nothing more is to be done for it then. */
  get isOver(): boolean {
    return this.#isClosed || this.#failure !== undefined
  }

  assertOngoing(): void {
    if (this.isOver) throw new CallerGone()
  }

  /** Ends the request: with an error response, or by truncating a response that has begun. */
  fail(reason: unknown): void {
    const failure = this.#classified(reason instanceof Failure ? reason : internal(reason))
    this.#failure = failure
    this.upstream?.cancel(failure)
    if (this.writer.hasBegun) {
      this.writer.abort()
      return
    }
    const response = this.#errorResponse(failure)
    if (response instanceof Promise) void response.then((late) => this.writer.refuse(failure, late))
    else this.writer.refuse(failure, response)
  }

  /** Ends what is under way, unless it failed already. */
  abort(failure: Failure): void {
    if (this.#failure === undefined) this.fail(failure)
  }

  /** The gateway is about to stop: a stream ends now, a call may finish on a connection that then closes. */
  prepareToStop(failure: Failure): void {
    if (this.isStream) this.abort(failure)
    else if (!this.res.headersSent) this.res.shouldKeepAlive = false
  }

  /** The response is finished or cut: gives everything back. */
  close(): void {
    this.#isClosed = true
    const isAborted = !this.res.writableFinished
    if (isAborted) {
      this.writer.clear()
      this.upstream?.cancel(new CallerGone())
    }
    if (this.permit) this.#admission.leave(this.permit)
    this.body?.release()
    this.caller?.policy?.onEnd()
    this.#inFlight.delete(this)
    this.#options.onDone?.({
      requestId: this.#requestId,
      httpMethod: this.req.method ?? '',
      status: this.res.headersSent ? this.res.statusCode : 0,
      spaceId: this.spaceId,
      userId: this.userId,
      client: this.caller?.policy?.client,
      rpcMethod: this.envelope?.method,
      tookMs: performance.now() - this.#startedAt,
      upstreamHeadMs: this.writer.headersAt && this.writer.headersAt - this.#startedAt,
      isAborted: isAborted && this.#failure === undefined,
      failure: this.#failure,
    })
  }

  /** The failure to report: an unknown outcome if the request may have left. */
  #classified(failure: Failure): Failure {
    const { forwarded } = this
    if (!forwarded || !(failure.code === 'outcome_unknown' || this.upstream?.mayHaveLeft)) return failure
    return afterSending(failure, this.isStream ? 'listens' : effectOf(forwarded))
  }

  #errorResponse(failure: Failure): ErrorResponse | Promise<ErrorResponse> {
    const { errorResponse } = this.#options
    if (!errorResponse) return problemResponse(failure, this.#requestId)
    return errorResponse(failure, {
      req: this.req,
      target: this.target,
      requestId: this.#requestId,
      policy: this.caller?.policy,
      isService: this.caller !== undefined && this.caller.policy === undefined,
      rpc: this.envelope,
      body: this.envelope?.forward,
    })
  }
}

/** Stops work on a request that was aborted or whose caller has gone: no response is left to write. */
class CallerGone extends Error {
  override readonly name = 'CallerGone'
}

function internal(cause: unknown): Failure {
  return new Failure(
    'internal',
    'The gateway failed. If it happens again, give its operator the request id: the log has the details under it.',
    { cause },
  )
}
