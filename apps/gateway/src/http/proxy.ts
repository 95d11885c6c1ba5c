import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Envelope, readEnvelope } from '../domain/envelope.ts'
import { type AnswerHeaders, type CallHeaders, callHeaders, isInUtf8 } from '../domain/envelope-headers.ts'
import { Failure } from '../failure.ts'
import {
  type AnswerReceiver,
  type Call,
  forwardCall,
  type ForwardCallDependencies,
  type ForwardedCall,
} from '../flows/forward-call.ts'
import type { Answer, RpcRequest } from './client-answers.ts'
import { isIdentifier, type McpTarget, mcpTarget, PROXY_TARGET } from './mcp-target.ts'
import { type Listed, Roster } from '../roster.ts'
import { atTurnEnd } from '../turn-end.ts'
import { problemAnswer } from './problems.ts'
import { Admission, type AdmissionLimits, DEFAULT_LIMITS, type Entrant, type Ticket } from './proxy-admission.ts'

/** Who calls, as far as the proxy has to know. */
export interface ProxyCaller {
  readonly userId: string | undefined
  /** For a caller with rules of its own. */
  readonly visit?: Visit
}

/** One request of a caller that is bound to one space: an MCP client of a person. */
export interface Visit {
  readonly spaceId: string
  readonly userId: string
  /** Tells the person's clients apart: an MCP session belongs to one of them. */
  readonly client: string
  readonly maxBodyBytes: number
  /** Called once, before the body is read. `end` breaks the exchange off, at any time until `leave`. */
  begin(end: (failure: Failure) => void): void
  /** Called when it is known what is asked for. @throws {Failure} when that may not be. */
  enter(request: VisitRequest): Passage
  /** Called once, when it is over, however it ended. */
  leave(): void
}

export interface VisitRequest {
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
  readonly visit: Visit | undefined
  readonly isApplication: boolean
  readonly rpc: RpcRequest | undefined
  /** The message, without `meta`. */
  readonly body: Buffer | undefined
}

export interface ProxyDependencies extends ForwardCallDependencies {
  /** Who calls. Throws or rejects with a {@link Failure} that refuses the caller. */
  readonly authenticate: (req: IncomingMessage, target: McpTarget) => ProxyCaller | Promise<ProxyCaller>
  /** How a failure is told; a problem document when left out. */
  readonly answer?: (failure: Failure, refused: Refused) => Answer | Promise<Answer>
  /** The largest request body that is taken, in bytes. */
  readonly maxBodyBytes: number
  /** {@link DEFAULT_LIMITS} when left out. */
  readonly limits?: AdmissionLimits
  /** How to name a request in logs and problems; a random UUID when left out. */
  readonly requestId?: (req: IncomingMessage) => string
  /** Told about each request when its answer is finished or broken off. */
  readonly onDone?: (record: ProxyRecord) => void
}

/** One request, for the log. Nothing in it is secret. */
export interface ProxyRecord {
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

export interface McpProxy {
  /** Answers a request for an MCP endpoint. */
  handle(req: IncomingMessage, res: ServerResponse): void
  /**
   * Ends all streams, so that their clients open them again elsewhere, and lets calls finish. What is not finished after `graceMs` is
   * broken off. Requests that still come are answered, and their connections closed.
   */
  drain(graceMs: number): Promise<void>
  /** The spaces that something is under way for. */
  spaces(): Set<string>
  /** Breaks off everything that is under way for this space. */
  end(spaceId: string, failure: Failure): void
}

/** How long a caller that sends too much is listened to, so that it gets to read the answer instead of a reset. */
const LINGER_MS = 1000
/** How long the reader of an answer that broke off may let the rest of it lie. */
const CUT_READER_MS = 30_000
/** Bodies up to this size leave in one piece with the head; joining larger ones costs more than a second write. */
const JOINED_BYTES = 16 * 1024
/** The request of 2026-07-28 whose answer is a stream that stays open; before that revision, it was GET. */
const LISTEN = 'subscriptions/listen'

/** The MCP endpoint: authenticates, finds the space, and passes the call on and its answer back. */
export function mcpProxy(deps: ProxyDependencies): McpProxy {
  const traffic = new Traffic(deps)
  return {
    handle(req, res) {
      new Exchange(traffic, req, res).begin()
    },
    drain: (graceMs) => traffic.drain(graceMs),
    spaces: () => traffic.spaces(),
    end(spaceId, failure) {
      for (const exchange of traffic.open) if (exchange.spaceId === spaceId) exchange.end(failure)
    },
  }
}

/** What all exchanges share. */
class Traffic {
  readonly deps: ProxyDependencies
  readonly admission: Admission
  readonly open = new Roster<Exchange>()
  isDraining = false
  isClosed = false
  #whenEmpty: (() => void) | undefined

  constructor(deps: ProxyDependencies) {
    this.deps = deps
    this.admission = new Admission(deps.limits ?? DEFAULT_LIMITS)
  }

  spaces(): Set<string> {
    const spaces = new Set<string>()
    for (const { spaceId } of this.open) if (spaceId !== undefined) spaces.add(spaceId)
    return spaces
  }

  left(exchange: Exchange): void {
    this.open.delete(exchange)
    if (this.open.size === 0) this.#whenEmpty?.()
  }

  async drain(graceMs: number): Promise<void> {
    this.isDraining = true
    for (const exchange of this.open) exchange.prepareToEnd()
    if (this.open.size === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
    })
    const timer = setTimeout(() => {
      this.isClosed = true
      for (const exchange of this.open) exchange.end()
    }, graceMs)
    await empty
    clearTimeout(timer)
  }
}

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
const endLater = atTurnEnd<{ res: ServerResponse; body: Buffer }>((answers) => {
  for (const { res, body } of answers) {
    if (body.length > 0 && body.length <= JOINED_BYTES) res.end(body.toString('latin1'), 'latin1')
    else res.end(body)
  }
})

function sendHeldHead(exchange: Exchange): void {
  exchange.sendHead()
}

/** One request of a caller, up to the last byte of its answer. */
class Exchange implements AnswerReceiver, Entrant, Listed {
  place = -1
  readonly #traffic: Traffic
  readonly #deps: ProxyDependencies
  readonly #req: IncomingMessage
  readonly #res: ExchangeResponse
  readonly #startedAt = performance.now()
  readonly #requestId: string
  readonly #target: McpTarget

  #headers: CallHeaders | undefined
  #caller: ProxyCaller | undefined
  #spaceId: string | undefined
  #userId: string | undefined
  #envelope: Envelope | undefined
  #passage: Passage | undefined

  #body: Buffer[] = []
  #bodyBytes = 0
  #isStream = false
  #request: Call | undefined
  #ticket: Ticket | undefined
  #call: ForwardedCall | undefined

  #status = 0
  #answer: AnswerHeaders | undefined
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
    try {
      this.#admit()
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
        (known) => this.#proceed(method, known),
        (reason: unknown) => this.failed(reason),
      )
    } else {
      this.#receive(method, caller)
    }
  }

  /** As {@link #receive}, later: the caller may have gone, or been refused, by then. */
  #proceed(method: 'POST' | 'GET' | 'DELETE', caller: ProxyCaller): void {
    if (this.#isClosed || this.#failure) return
    try {
      this.#receive(method, caller)
    } catch (reason) {
      this.failed(reason)
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
    this.#headers = headers
    if (headers.repeated !== undefined) {
      throw new Failure('invalid_request', `The header ${headers.repeated} is there more than once. Send one.`)
    }
    if (method === 'POST') this.#readBody(headers)
    else this.#forward(method, headers, undefined, undefined, undefined)
  }

  #readBody(headers: CallHeaders): void {
    if (headers.contentEncoding !== undefined && headers.contentEncoding !== 'identity') {
      throw new Failure('invalid_json', 'The body is encoded. Send it as plain JSON, without Content-Encoding.')
    }
    if (headers.contentType !== undefined && !isInUtf8(headers.contentType)) {
      throw new Failure('invalid_json', 'JSON is UTF-8: send Content-Type without a charset, or with charset=utf-8.')
    }
    const maxBodyBytes = this.#maxBodyBytes()
    if (Number(this.#req.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes)
    this.#req.on('data', (bytes: Buffer) => this.#receiveBody(bytes))
    this.#req.on('end', () => this.#endBody())
  }

  #maxBodyBytes(): number {
    return this.#caller?.visit?.maxBodyBytes ?? this.#deps.maxBodyBytes
  }

  /** Whom the body's memory is counted for: a client's person, or the space that an application names in a header. */
  #bodyHolder(): string | undefined {
    return this.#caller?.visit?.userId ?? this.#headers?.spaceId
  }

  #receiveBody(bytes: Buffer): void {
    if (this.#failure) return
    const maxBodyBytes = this.#maxBodyBytes()
    try {
      if (this.#bodyBytes + bytes.length > maxBodyBytes) throw tooLarge(maxBodyBytes)
      this.#traffic.admission.holdBody(this.#bodyHolder(), bytes.length)
    } catch (reason) {
      this.failed(reason)
      return
    }
    this.#bodyBytes += bytes.length
    this.#body.push(bytes)
  }

  #endBody(): void {
    if (this.#failure || !this.#headers) return
    const body = this.#body.length === 1 && this.#body[0] ? this.#body[0] : Buffer.concat(this.#body)
    this.#body = []
    try {
      const envelope = readEnvelope(body)
      if (envelope.refused !== undefined) throw new Failure(envelope.refused, envelope.detail)
      this.#envelope = envelope
      this.#forward('POST', this.#headers, envelope.forward, envelope.spaceId, envelope.userId)
    } catch (reason) {
      this.failed(reason)
    }
  }

  #forward(
    method: 'POST' | 'GET' | 'DELETE',
    headers: CallHeaders,
    body: Buffer | undefined,
    metaSpaceId: string | undefined,
    metaUserId: string | undefined,
  ): void {
    const visit = this.#caller?.visit
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

  answered(status: number, headers: AnswerHeaders): void {
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
    const failure = reason instanceof Failure ? reason : internal(reason)
    this.#failure = failure
    if (this.#answer) {
      this.sendHead()
      this.#breakOff()
      return
    }
    this.#call?.cancel()
    const answer = this.#answerTo(failure)
    if (answer instanceof Promise) void answer.then((late) => this.#refuse(failure, late))
    else this.#refuse(failure, answer)
  }

  #answerTo(failure: Failure): Answer | Promise<Answer> {
    const { answer } = this.#deps
    if (!answer) return problemAnswer(failure, this.#requestId)
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

  #refuse(failure: Failure, answer: Answer): void {
    const res = this.#res
    if (res.destroyed || res.headersSent) return
    if (failure.code === 'too_large') {
      this.#linger(answer)
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
    this.#traffic.admission.releaseBody(this.#bodyHolder(), this.#bodyBytes)
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

  #writeHead(answer: AnswerHeaders, contentLength: string | undefined): boolean {
    if (contentLength !== undefined) answer.forward.push('Content-Length', contentLength)
    try {
      this.#res.writeHead(this.#status, answer.forward)
      return true
    } catch (cause) {
      // Node refuses to write a field that upstream's parser let through.
      this.#call?.cancel()
      this.#answer = undefined
      this.failed(new Failure('upstream_unreachable', 'Notion sent an answer whose head is not valid HTTP.', { cause }))
      return false
    }
  }

  /** Ends the connection without ending the answer, so that the caller sees that it is cut, and all of it that there is. */
  #breakOff(): void {
    const { socket } = this.#res
    if (!socket) this.#res.destroy()
    // A body without framing ends where the connection does; only a reset tells that there should be more.
    else if (this.#req.httpVersionMinor === 0) socket.resetAndDestroy()
    else {
      // What was written is read first; by whom does not read at all, not for ever.
      socket.setTimeout(CUT_READER_MS)
      socket.destroySoon()
    }
  }

  /** Answers a request whose body is not wanted, and hears it out for a moment: closing at once would reset the connection. */
  #linger({ status, headers, body }: Answer): void {
    const res = this.#res
    res.writeHead(status, [...headers, 'Connection', 'close'])
    res.write(body)
    const finish = (): void => {
      clearTimeout(timer)
      res.end()
    }
    const timer = setTimeout(finish, LINGER_MS)
    this.#req.once('end', finish)
    this.#req.once('close', finish)
    this.#req.resume()
  }
}

/** The one value that both give; either may give none. */
function agreed(one: string | undefined, other: string | undefined, disagreement: string): string | undefined {
  if (one !== undefined && other !== undefined && one !== other) throw new Failure('forbidden_space', disagreement)
  return one ?? other
}

function tooLarge(maxBodyBytes: number): Failure {
  return new Failure('too_large', `The body is larger than the ${maxBodyBytes} bytes that this gateway takes.`)
}

function stopping(): Failure {
  return new Failure('overloaded', 'This gateway is about to stop. Try again.', { retryAfterSeconds: 1 })
}

function internal(cause: unknown): Failure {
  return new Failure('internal', 'The gateway failed. Try again; if it stays so, give its operator the request id.', {
    cause,
  })
}
