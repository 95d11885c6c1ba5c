import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Envelope, readEnvelope } from './envelope.ts'
import { type ResponseHeaders, type CallHeaders, callHeaders } from './headers.ts'
import { isInUtf8, isUnencoded } from '../platform/content-type.ts'
import { withoutUnusedSession } from './session-header.ts'
import { Failure } from '../platform/failure.ts'
import {
  type AnswerReceiver,
  type Call,
  forwardCall,
  type ForwardCallDependencies,
  type ForwardedCall,
} from './forward.ts'
import type { InFlightItem, InFlightSet } from '../platform/in-flight-set.ts'
import type { UpstreamRequest } from './upstream.ts'
import { afterSending, effectOf, interrupted } from './outcome.ts'
import { batchPerTick } from '../platform/batch-per-tick.ts'
import type { CompleteResponse } from '../platform/problems.ts'
import { breakOff, linger } from './abort-response.ts'
import { unsupportedEncoding } from '../platform/json-body.ts'
import { isIdentifier, type McpTarget, mcpTarget, PROXY_TARGET } from './endpoint.ts'
import { problemResponse } from '../platform/problems.ts'
import type { Admission, Entrant, Ticket } from './admission.ts'
import { RequestBody } from './request-body.ts'
import type { Passage, ProxyCaller, Refused } from './policy.ts'

/** What one request needs. */
export interface ExchangeDependencies extends ForwardCallDependencies {
  /** Who calls. Throws or rejects with a {@link Failure} that refuses the caller. */
  readonly authenticate: (req: IncomingMessage, target: McpTarget) => ProxyCaller | Promise<ProxyCaller>
  /** How a failure is told; a problem document when left out. */
  readonly answer?: (failure: Failure, refused: Refused) => CompleteResponse | Promise<CompleteResponse>
  /** The largest request body that is taken, in bytes. */
  readonly maxBodyBytes: number
  /** How to name a request in logs and problems; a random UUID when left out. */
  readonly requestId?: (req: IncomingMessage) => string
  /** Told about each request when its answer is finished or broken off. */
  readonly onDone?: (record: ExchangeRecord) => void
}

/** One request, for the log. Nothing in it is secret. */
export interface ExchangeRecord {
  readonly requestId: string
  readonly httpMethod: string
  /** What the caller was answered; 0 when it went away before. */
  readonly status: number
  readonly spaceId: string | undefined
  readonly userId: string | undefined
  /** The person's MCP client, for a caller that is one. */
  readonly client: string | undefined
  /** Method of the JSON-RPC message. Untrusted text, at most 200 characters. */
  readonly rpcMethod: string | undefined
  readonly tookMs: number
  /** From the arrival of the request's head to that of upstream's answer; undefined when there was none. */
  readonly upstreamHeadMs: number | undefined
  /** The caller went away before the answer was complete. */
  readonly isAborted: boolean
  /** Why the gateway refused, or broke off. */
  readonly failure: Failure | undefined
}

/** What all exchanges share. */
export interface Traffic {
  readonly deps: ExchangeDependencies
  readonly admission: Admission
  readonly open: InFlightSet<Exchange>
  /** No new streams, and no connection stays open. */
  readonly isDraining: boolean
  /** Nothing is taken any more. */
  readonly isClosed: boolean
  left(exchange: Exchange): void
}

/** Bodies up to this size leave in one piece with the head; joining larger ones costs more than a second write. */
const JOINED_BYTES = 16 * 1024
/** The request of 2026-07-28 whose answer is a stream that stays open; before that revision, it was GET. */
const LISTEN = 'subscriptions/listen'

/** Under this key a response knows its exchange, so that one listener function serves all. */
const EXCHANGE = Symbol('exchange')

type ExchangeResponse = ServerResponse & { [EXCHANGE]?: Exchange }

function onClose(this: ExchangeResponse): void {
  this[EXCHANGE]?.closed()
}

function onDrain(this: ExchangeResponse): void {
  this[EXCHANGE]?.drained()
}

/** Whole answers leave together, each in one piece with its head unless it is large. */
const endLater = batchPerTick<{ res: ServerResponse; body: Buffer }>((answers) => {
  for (const { res, body } of answers) {
    if (body.length > 0 && body.length <= JOINED_BYTES) res.end(body.toString('latin1'), 'latin1')
    else res.end(body)
  }
})

function sendHeldHead(exchange: Exchange): void {
  exchange.sendHead()
}

/** One request of a caller, up to the last byte of its answer. */
export class Exchange implements AnswerReceiver, Entrant, InFlightItem {
  inFlightIndex = -1
  readonly #traffic: Traffic
  readonly #deps: ExchangeDependencies
  readonly #req: IncomingMessage
  readonly #res: ExchangeResponse
  readonly #startedAt = performance.now()
  readonly #requestId: string
  readonly #target: McpTarget

  #caller: ProxyCaller | undefined
  #spaceId: string | undefined
  #userId: string | undefined
  #envelope: Envelope | undefined
  #passage: Passage | undefined

  #body: RequestBody | undefined
  #isStream = false
  /** Waits to be admitted. */
  #request: Call | undefined
  #sent: UpstreamRequest | undefined
  #ticket: Ticket | undefined
  #call: ForwardedCall | undefined

  #status = 0
  #answer: ResponseHeaders | undefined
  #upstreamHeadMs: number | undefined
  /** Pieces of the body that came together with the head, and wait to leave with it. */
  #held: Buffer[] | undefined
  #awaitsDrain = false
  #failure: Failure | undefined
  #isClosed = false

  constructor(traffic: Traffic, req: IncomingMessage, res: ServerResponse) {
    const { deps } = traffic
    this.#traffic = traffic
    this.#deps = deps
    this.#req = req
    this.#res = res
    this.#requestId = deps.requestId?.(req) ?? randomUUID()
    this.#target = mcpTarget(req.url ?? '') ?? PROXY_TARGET
  }

  begin(): void {
    this.#res[EXCHANGE] = this
    this.#res.on('close', onClose)
    this.#traffic.open.add(this)
    if (this.#traffic.isDraining) this.#res.shouldKeepAlive = false
    this.#attempt(() => this.#admit())
  }

  /** A step of a request that was not refused yet; what it throws refuses it. */
  #attempt(step: () => void): void {
    if (this.#failure) return
    try {
      step()
    } catch (reason) {
      this.failed(reason)
    }
  }

  #admit(): void {
    const { method } = this.#req
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
      throw new Failure('method_not_allowed', 'The MCP endpoint takes POST, GET and DELETE.')
    }
    if (this.#traffic.isClosed) throw stopping()
    const caller = this.#deps.authenticate(this.#req, this.#target)
    if (caller instanceof Promise) {
      caller.then(
        // The caller may have gone by then, or been refused.
        (known) => this.#isClosed || this.#attempt(() => this.#receive(method, known)),
        (reason: unknown) => this.failed(reason),
      )
    } else {
      this.#receive(method, caller)
    }
  }

  #receive(method: 'POST' | 'GET' | 'DELETE', caller: ProxyCaller): void {
    this.#caller = caller
    if (caller.visit) {
      this.#spaceId = caller.visit.spaceId
      this.#userId = caller.visit.userId
      caller.visit.begin((failure) => this.#cut(failure))
    }
    const headers = callHeaders(this.#req.rawHeaders)
    if (headers.repeated !== undefined) {
      throw new Failure('invalid_request', `The header ${headers.repeated} is there more than once. Send one.`)
    }
    if (method === 'POST') this.#readBody(headers)
    else this.#forward(method, headers, undefined, undefined, undefined)
  }

  #readBody(headers: CallHeaders): void {
    if (!isUnencoded(headers.contentEncoding)) throw unsupportedEncoding()
    if (headers.contentType !== undefined && !isInUtf8(headers.contentType)) {
      throw new Failure('invalid_json', 'JSON is UTF-8: send Content-Type without a charset, or with charset=utf-8.')
    }
    const visit = this.#caller?.visit
    const body = new RequestBody(
      this.#traffic.admission,
      visit?.maxBodyBytes ?? this.#deps.maxBodyBytes,
      Number(this.#req.headers['content-length'] ?? 0),
      // A client's person, or the space that an application names in a header: what the message says is not known yet.
      visit?.userId ?? headers.spaceId,
    )
    this.#body = body
    this.#req.on('data', (bytes: Buffer) => this.#attempt(() => body.add(bytes)))
    this.#req.on('end', () => this.#attempt(() => this.#readMessage(body.take(), headers)))
  }

  #readMessage(body: Buffer, headers: CallHeaders): void {
    const envelope = readEnvelope(body)
    if (envelope.refused !== undefined) throw new Failure(envelope.refused, envelope.detail)
    this.#envelope = envelope
    this.#forward('POST', headers, envelope.forward, envelope.spaceId, envelope.userId)
  }

  #forward(
    method: 'POST' | 'GET' | 'DELETE',
    given: CallHeaders,
    body: Buffer | undefined,
    metaSpaceId: string | undefined,
    metaUserId: string | undefined,
  ): void {
    const visit = this.#caller?.visit
    const headers = withoutUnusedSession(given, this.#envelope?.method, body)
    const spaceId = agreed(
      agreed(headers.spaceId || undefined, metaSpaceId, 'X-Space-ID and meta.space_id name different spaces.'),
      visit?.spaceId ?? this.#target.spaceId,
      'The message and the address, or the access, are for different spaces.',
    )
    const userId = agreed(
      this.#caller?.userId || undefined,
      metaUserId,
      'X-User-ID and meta.user_id name different persons.',
    )
    if (spaceId === undefined) {
      throw new Failure(
        'missing_space',
        'Missing space_id. Name the space in the header X-Space-ID, or in a message as meta.space_id.',
      )
    }
    if (!isIdentifier(spaceId) || (userId !== undefined && !isIdentifier(userId))) {
      throw new Failure(
        'invalid_request',
        'An id of a space or person has 1 to 200 characters, none of them a control character.',
      )
    }
    this.#spaceId = spaceId
    this.#userId = userId
    this.#isStream = method === 'GET' || this.#envelope?.method === LISTEN
    this.#passage = visit?.enter({
      headers: headers.forward,
      body,
      rpcMethod: this.#envelope?.method,
      isStream: this.#isStream,
      isResumption: method === 'GET',
    })
    this.#request = {
      caller: { spaceId, userId: userId ?? '', client: visit?.client },
      sessionId: headers.sessionId,
      request: { method, headers: this.#passage?.headers ?? headers.forward, body },
    }
    if (this.#isStream && this.#traffic.isDraining) throw stopping()
    this.#ticket = this.#traffic.admission.enter(spaceId, this.#isStream, this)
    if (this.#ticket.isAdmitted) this.admitted()
  }

  admitted(): void {
    const request = this.#request
    this.#request = undefined
    this.#sent = request?.request
    if (request && !this.#failure) this.#call = forwardCall(this.#deps, request, this.#passage?.through(this) ?? this)
  }

  refused(failure: Failure): void {
    this.failed(failure)
  }

  /** The gateway is about to stop: a stream ends now, a call may finish on a connection that then closes. */
  prepareToEnd(): void {
    if (this.#isStream) this.end()
    else if (!this.#res.headersSent) this.#res.shouldKeepAlive = false
  }

  end(failure: Failure = stopping()): void {
    this.#cut(failure)
  }

  get spaceId(): string | undefined {
    return this.#spaceId
  }

  #cut(failure: Failure): void {
    this.#call?.cancel()
    if (!this.#failure) this.failed(failure)
  }

  answered(status: number, headers: ResponseHeaders): void {
    this.#status = status
    this.#answer = headers
    this.#upstreamHeadMs = performance.now() - this.#startedAt
    this.#held = []
    // What came in the same packet is told in this very turn; then head and body leave in one write. The head waits for nothing else.
    process.nextTick(sendHeldHead, this)
  }

  received(bytes: Buffer): boolean {
    if (this.#held) {
      this.#held.push(bytes)
      return true
    }
    return this.#write(bytes)
  }

  ended(): void {
    if (!this.#held || !this.#answer) {
      this.#res.end()
      return
    }
    const pieces = this.#held
    this.#held = undefined
    const body = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
    // The whole answer is here, so its length is known whatever framing upstream chose. Only where a body is impossible, a length is, too.
    const hasLength = this.#status !== 204 && this.#status !== 304
    if (!this.#writeHead(this.#answer, hasLength ? String(body.length) : undefined)) return
    endLater({ res: this.#res, body })
  }

  failed(reason: unknown): void {
    const failure = this.#classified(reason instanceof Failure ? reason : internal(reason))
    this.#failure = failure
    if (this.#answer) {
      this.sendHead()
      breakOff(this.#req, this.#res)
      return
    }
    this.#call?.cancel()
    const answer = this.#answerTo(failure)
    if (answer instanceof Promise) void answer.then((late) => this.#refuse(failure, late))
    else this.#refuse(failure, answer)
  }

  /** The failure to report: an unknown outcome if the request may have left. */
  #classified(failure: Failure): Failure {
    const request = this.#sent
    if (!request || !(failure.code === 'outcome_unknown' || this.#call?.mayHaveLeft)) return failure
    return afterSending(failure, this.#isStream ? 'listens' : effectOf(request))
  }

  #answerTo(failure: Failure): CompleteResponse | Promise<CompleteResponse> {
    const { answer } = this.#deps
    if (!answer) return problemResponse(failure, this.#requestId)
    return answer(failure, {
      req: this.#req,
      target: this.#target,
      requestId: this.#requestId,
      visit: this.#caller?.visit,
      isApplication: this.#caller !== undefined && this.#caller.visit === undefined,
      rpc: this.#envelope,
      body: this.#envelope?.forward,
    })
  }

  #refuse(failure: Failure, answer: CompleteResponse): void {
    const res = this.#res
    if (res.destroyed || res.headersSent) return
    if (failure.code === 'too_large') {
      linger(this.#req, this.#res, answer)
      return
    }
    if (failure.code === 'method_not_allowed') answer.headers.push('allow', 'GET, POST, DELETE')
    res.writeHead(answer.status, answer.headers)
    res.end(answer.body)
  }

  /** Sends the head, and with it what came with it. Does nothing when it went already. */
  sendHead(): void {
    const pieces = this.#held
    if (!pieces || !this.#answer) return
    this.#held = undefined
    if (!this.#writeHead(this.#answer, this.#answer.contentLength)) return
    if (pieces.length === 0) this.#res.flushHeaders()
    for (const bytes of pieces) this.#write(bytes)
  }

  drained(): void {
    this.#call?.resume()
  }

  closed(): void {
    this.#isClosed = true
    const isAborted = !this.#res.writableFinished
    if (isAborted) {
      this.#held = undefined
      this.#call?.cancel()
    }
    if (this.#ticket) this.#traffic.admission.leave(this.#ticket)
    this.#body?.letGo()
    this.#caller?.visit?.leave()
    this.#traffic.left(this)
    this.#deps.onDone?.({
      requestId: this.#requestId,
      httpMethod: this.#req.method ?? '',
      status: this.#res.headersSent ? this.#res.statusCode : 0,
      spaceId: this.#spaceId,
      userId: this.#userId,
      client: this.#caller?.visit?.client,
      rpcMethod: this.#envelope?.method,
      tookMs: performance.now() - this.#startedAt,
      upstreamHeadMs: this.#upstreamHeadMs,
      isAborted: isAborted && this.#failure === undefined,
      failure: this.#failure,
    })
  }

  #write(bytes: Buffer): boolean {
    const hasRoom = this.#res.write(bytes)
    if (!hasRoom && !this.#awaitsDrain) {
      this.#awaitsDrain = true
      this.#res.on('drain', onDrain)
    }
    return hasRoom
  }

  #writeHead(answer: ResponseHeaders, contentLength: string | undefined): boolean {
    if (contentLength !== undefined) answer.forward.push('Content-Length', contentLength)
    try {
      this.#res.writeHead(this.#status, answer.forward)
      return true
    } catch (cause) {
      // Node refuses to write a field that upstream's parser let through.
      this.#call?.cancel()
      this.#answer = undefined
      this.failed(interrupted('Notion sent a response whose head is not valid HTTP.', 502, cause))
      return false
    }
  }
}

/** The one value that both give; either may give none. */
function agreed(one: string | undefined, other: string | undefined, disagreement: string): string | undefined {
  if (one !== undefined && other !== undefined && one !== other) throw new Failure('forbidden_space', disagreement)
  return one ?? other
}

function stopping(): Failure {
  return new Failure('overloaded', 'This gateway is about to stop. Try again.', { retryAfterSeconds: 1 })
}

function internal(cause: unknown): Failure {
  return new Failure(
    'internal',
    'The gateway failed. If it happens again, give its operator the request id: the log has the details under it.',
    { cause },
  )
}
