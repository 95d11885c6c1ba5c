import { Socket } from 'node:net'
import { ProxyFailed, throughProxy, type OutboundProxy } from '@nmg/outbound'
import { buildConnector, Client, type Dispatcher, errors } from 'undici'
import { responseHeaders } from './headers.ts'
import { Failure } from '../platform/failure.ts'
import { interrupted } from './outcome.ts'
import type { ResponseHead, ResponseSink, Upstream, UpstreamExchange, UpstreamRequest } from './upstream.ts'
import { type InFlightItem, InFlightSet } from '../platform/in-flight-set.ts'
import type { Secret } from '../platform/secret.ts'
import { batchPerTick } from '../platform/batch-per-tick.ts'

export interface UpstreamSettings {
  /** The MCP endpoint. */
  readonly url: URL
  readonly userAgent: string
  readonly connectTimeoutMs: number
  /** What connections go through; direct ones when left out. */
  readonly proxy?: OutboundProxy | undefined
  /** From sending the request to the head of the answer. A stream's head comes at once, a slow tool's JSON only with its result. */
  readonly headTimeoutMs: number
  /** The age at which an exchange is broken off, however alive it is. Silence alone ends none: a quiet stream is a healthy one. */
  readonly maxAgeMs: number
}

/** What an answer that nobody wants may still weigh for its connection to be kept. */
const WORTH_DRAINING_BYTES = 64 * 1024
/** Requests up to this size leave in one piece; to copy larger ones costs more than it saves. */
const JOINED_BYTES = 16 * 1024
/** What may be held of a response before it is relayed. */
const MAX_HELD_BYTES = 64 * 1024
/** Connections kept for later calls. More are opened when needed, and closed afterwards. */
const KEPT_CONNECTIONS = 1024
/** How long an idle connection is kept when upstream does not say; many servers close theirs after a minute. */
const KEEP_ALIVE_MS = 30_000

/** The upstream MCP server on HTTP/1.1. `close` breaks off whatever is under way. */
export interface HttpUpstream extends Upstream {
  close(): void
}

/**
 * One exchange uses one connection, and the connection that was used last is used next. undici's own pool would queue a call behind
 * others, and looks through all of its connections for a free one: with thousands of quiet streams open, for every call.
 */
export function httpUpstream(settings: UpstreamSettings): HttpUpstream {
  const connections = new Connections(settings)
  const path = settings.url.pathname + settings.url.search
  const open = new InFlightSet<HttpExchange>()
  // One timer for all: none is set and cleared for every call, and a second more or less does not matter.
  const sweep = setInterval(
    () => expire(open, settings),
    Math.min(1000, settings.headTimeoutMs / 4, settings.maxAgeMs / 4),
  )
  sweep.unref()

  return {
    send(request, accessToken) {
      const exchange = new HttpExchange(connections, open)
      exchange.start(path, request, accessToken, settings.userAgent)
      return exchange
    },
    close() {
      clearInterval(sweep)
      for (const exchange of open)
        exchange.cancel(
          exchange.mayHaveLeft
            ? interrupted('This gateway stopped before a response from Notion arrived.', 503)
            : new Failure('overloaded', 'This gateway is about to stop. Try again.', { retryAfterSeconds: 1 }),
        )
      connections.close()
    },
  }
}

function expire(open: InFlightSet<HttpExchange>, settings: UpstreamSettings): void {
  const now = performance.now()
  for (const exchange of open) {
    const ageMs = now - exchange.startedAt
    if (!exchange.hasHead && ageMs > settings.headTimeoutMs) {
      exchange.cancel(
        exchange.mayHaveLeft
          ? interrupted('Notion did not begin to respond in time.', 504)
          : new Failure('upstream_unreachable', 'Notion could not be reached in time. Try again in a moment.'),
      )
    } else if (ageMs > (exchange.isDiscarded ? settings.headTimeoutMs : settings.maxAgeMs)) {
      exchange.cancel(interrupted('The response was open for longer than this gateway allows.', 504))
    }
  }
}

/**
 * undici takes the reset of a connection for the end of a body that has no length, because some systems report a plain end so; and
 * when a slow reader holds that body up, it throws where nobody can catch it. So it is told of resets under the name of its own
 * socket errors: then the answer breaks off, and a call that was about to use the connection takes a new one.
 */
function renameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'UND_ERR_SOCKET'
}

type Written = { chunk: Buffer | string; encoding: BufferEncoding }

/**
 * Has a request's head and body leave in one piece. Node hands such pieces to the kernel as a list, and converts those that are text on
 * the way, which takes longer than to copy them. In place of `_writev`, which is there to be implemented.
 */
function writeJoined(this: Socket, pieces: Written[], done: (error?: Error | null) => void): void {
  let size = 0
  for (const { chunk, encoding } of pieces)
    size += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length
  if (size > JOINED_BYTES) {
    Socket.prototype._writev?.call(this, pieces, done)
    return
  }
  const joined = Buffer.allocUnsafe(size)
  let at = 0
  for (const { chunk, encoding } of pieces) {
    at += typeof chunk === 'string' ? joined.write(chunk, at, encoding) : chunk.copy(joined, at)
  }
  writeLater({ socket: this, bytes: joined, done })
}

const writeLater = batchPerTick<{ socket: Socket; bytes: Buffer; done: (error?: Error | null) => void }>((writes) => {
  for (const { socket, bytes, done } of writes) socket._write(bytes, 'buffer' as BufferEncoding, done)
})

function connector({ connectTimeoutMs, proxy }: UpstreamSettings): buildConnector.connector {
  const direct = buildConnector({ timeout: connectTimeoutMs })
  const connect = proxy ? throughProxy(proxy, { secure: direct }) : direct
  return (where, callback) => {
    connect(where, (...result) => {
      // Before undici's own listener, which is added when this returns.
      result[1]?.on('error', renameReset)
      if (result[1]) result[1]._writev = writeJoined
      callback(...result)
    })
  }
}

/** Idle connections, the one used last on top. */
class Connections {
  readonly #idle: Client[] = []
  readonly #origin: string
  readonly #options: Client.Options
  #isClosed = false

  constructor(settings: UpstreamSettings) {
    this.#origin = settings.url.origin
    this.#options = {
      // Shared, because it holds the TLS sessions that make the next handshake short.
      connect: connector(settings),
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Both default to five minutes in undici, which would end quiet streams.
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
    }
  }

  /** One whose connection was closed meanwhile makes a new one by itself. */
  take(): Client {
    return this.#idle.pop() ?? new Client(this.#origin, this.#options)
  }

  giveBack(client: Client): void {
    if (this.#isClosed || this.#idle.length >= KEPT_CONNECTIONS) void client.destroy()
    else this.#idle.push(client)
  }

  close(): void {
    this.#isClosed = true
    for (const client of this.#idle.splice(0)) void client.destroy()
  }
}

/**
 * One request and its response. It is undici's handler itself, in the form in which the head arrives as raw bytes, uncopied and unmerged.
 */
class HttpExchange implements UpstreamExchange, Dispatcher.DispatchHandler, InFlightItem {
  inFlightIndex = -1
  readonly startedAt = performance.now()
  hasHead = false
  mayHaveLeft = false

  readonly #connections: Connections
  readonly #open: InFlightSet<HttpExchange>
  readonly #client: Client
  readonly #whenHead = Promise.withResolvers<ResponseHead>()
  #head: ResponseHead | undefined
  #controller: Dispatcher.DispatchController | undefined
  #sink: ResponseSink | undefined
  #whenEnd: PromiseWithResolvers<void> | undefined
  /** Chunks that arrived before {@link relay}. */
  #held: Buffer[] = []
  #heldBytes = 0
  #failure: Error | undefined
  #isOver = false
  /** Bytes read after {@link discard}; negative before it. */
  #discardedBytes = -1

  constructor(connections: Connections, open: InFlightSet<HttpExchange>) {
    this.#connections = connections
    this.#open = open
    this.#client = connections.take()
    open.add(this)
  }

  start(path: string, request: UpstreamRequest, accessToken: Secret, userAgent: string): void {
    const headers = request.headers.concat('authorization', `Bearer ${accessToken.reveal()}`, 'user-agent', userAgent)
    this.#client.dispatch({ path, method: request.method, headers, body: request.body ?? null }, this)
  }

  get isDiscarded(): boolean {
    return this.#discardedBytes >= 0
  }

  head(): Promise<ResponseHead> {
    return this.#whenHead.promise
  }

  async relay(sink: ResponseSink): Promise<void> {
    if (!this.#head) throw new Error('relay() before the response head')
    try {
      sink.onHeaders(this.#head.status, this.#head.headers)
      let hasRoom = true
      for (const bytes of this.#held) hasRoom = sink.onData(bytes)
      this.#held = []
      if (this.#failure) throw this.#failure
      if (this.#isOver) {
        sink.onEnd()
        return
      }
      if (hasRoom) this.resume()
      else this.#controller?.pause()
    } catch (reason) {
      this.#close()
      throw reason
    }
    this.#sink = sink
    this.#whenEnd = Promise.withResolvers<void>()
    return this.#whenEnd.promise
  }

  resume(): void {
    this.#controller?.resume()
  }

  discard(): void {
    this.#held = []
    this.#sink = undefined
    this.#discardedBytes = 0
    this.resume()
  }

  cancel(failure: Error): void {
    this.#close()
    this.#fail(failure)
  }

  #fail(failure: Error): void {
    this.#failure ??= failure
    this.#sink = undefined
    if (!this.#head) this.#whenHead.reject(failure)
    this.#whenEnd?.reject(failure)
  }

  /** No other request uses this client, and undici cannot take back a request that still waits for its connection. */
  #close(): void {
    if (this.#isOver) return
    this.#leave()
    void this.#client.destroy()
  }

  #leave(): void {
    this.#isOver = true
    this.#open.delete(this)
  }

  /** undici calls this when it has a connection and before it writes the request to it. */
  onRequestStart(): void {
    this.mayHaveLeft = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#isOver || status < 200) return
    this.hasHead = true
    this.#controller = controller
    // In their original order and case, which undici's own object has lost.
    const raw = (controller.rawHeaders ?? []) as Buffer[]
    this.#head = { status, headers: responseHeaders(raw) }
    this.#whenHead.resolve(this.#head)
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.isDiscarded) {
      this.#discardedBytes += bytes.length
      if (this.#discardedBytes > WORTH_DRAINING_BYTES) this.#close()
    } else if (!this.#sink) {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
      if (this.#heldBytes > MAX_HELD_BYTES) controller.pause()
    } else {
      try {
        if (!this.#sink.onData(bytes)) controller.pause()
      } catch (reason) {
        this.cancel(reason as Error)
      }
    }
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#leave()
    this.#connections.giveBack(this.#client)
    try {
      this.#sink?.onEnd()
      this.#whenEnd?.resolve()
    } catch (reason) {
      this.#fail(reason as Error)
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    this.#leave()
    void this.#client.destroy()
    this.#fail(this.mayHaveLeft ? brokenAfterSending(error) : neverSent(error))
  }
}

const brokenAfterSending = (cause: Error) =>
  interrupted('The connection to Notion broke before a response arrived.', 502, cause)

/** The request waited for a connection, and there was none. */
function neverSent(cause: Error): Failure {
  if (cause instanceof errors.ConnectTimeoutError) {
    return new Failure('upstream_unreachable', 'Notion could not be reached in time. Try again in a moment.', { cause })
  }
  if (cause instanceof ProxyFailed) return new Failure('upstream_unreachable', cause.message, { cause })
  return new Failure('upstream_unreachable', 'Notion could not be reached. Try again in a moment.', { cause })
}
