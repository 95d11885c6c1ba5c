import type { IncomingMessage, ServerResponse } from 'node:http'
import { batchPerTick } from '../platform/batch-per-tick.ts'
import type { Failure } from '../platform/failure.ts'
import type { ErrorResponse } from '../platform/problems.ts'
import type { ResponseHeaders } from './headers.ts'
import { interrupted } from './outcome.ts'
import type { ResponseSink } from './upstream.ts'

/** Bodies up to this size leave in one piece with the head; joining larger ones costs more than a second write. */
const JOINED_BYTES = 16 * 1024
/** How long to keep reading an oversized request, so that the caller can read the response instead of a reset. */
const LINGER_MS = 1000
/** How long the reader of an aborted response may leave buffered data unread. */
const CUT_READER_MS = 30_000

/** Complete responses of one tick leave together, each in one piece with its head unless it is large. */
const endLater = batchPerTick<{ res: ServerResponse; body: Buffer }>((responses) => {
  for (const { res, body } of responses) {
    if (body.length > 0 && body.length <= JOINED_BYTES) res.end(body.toString('latin1'), 'latin1')
    else res.end(body)
  }
})

function flushHead(writer: ResponseWriter): void {
  writer.flushHead()
}

/** Writes one response: head and first bytes in one write, with back-pressure, and with an abort that the caller can recognize. */
export class ResponseWriter implements ResponseSink {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #onDrain: () => void
  readonly #onFailure: (failure: Failure) => void
  /** When {@link onHeaders} was called, on the monotonic clock. */
  headersAt: number | undefined
  #status = 0
  #headers: ResponseHeaders | undefined
  /** Chunks that arrived in the same tick as the head, which waits for them. */
  #held: Buffer[] | undefined
  #awaitsDrain = false

  /**
   * @param onDrain called when the caller can take more after {@link onData} has returned false.
   * @param onFailure called when the response cannot be written; it has not begun then.
   */
  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    { onDrain, onFailure }: { readonly onDrain: () => void; readonly onFailure: (failure: Failure) => void },
  ) {
    this.#req = req
    this.#res = res
    this.#onDrain = onDrain
    this.#onFailure = onFailure
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    this.headersAt = performance.now()
    this.#status = status
    this.#headers = headers
    this.#held = []
    // Chunks of the same packet arrive in this tick, so head and body can share one write. The head waits for nothing else.
    process.nextTick(flushHead, this)
  }

  onData(bytes: Buffer): boolean {
    if (!this.#held) return this.#write(bytes)
    this.#held.push(bytes)
    return true
  }

  onEnd(): void {
    if (!this.#held || !this.#headers) {
      this.#res.end()
      return
    }
    const chunks = this.#held
    this.#held = undefined
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
    // The body is complete, so its length is known whatever framing upstream chose. A response that cannot have a body has no length either.
    const hasLength = this.#status !== 204 && this.#status !== 304
    if (!this.#writeHead(this.#headers, hasLength ? String(body.length) : undefined)) return
    endLater({ res: this.#res, body })
  }

  /** Sends the head with the chunks that arrived with it, unless it has been sent. @returns false when it cannot be written. */
  flushHead(): boolean {
    const chunks = this.#held
    if (!chunks || !this.#headers) return true
    this.#held = undefined
    if (!this.#writeHead(this.#headers, this.#headers.contentLength)) return false
    if (chunks.length === 0) this.#res.flushHeaders()
    for (const bytes of chunks) this.#write(bytes)
    return true
  }

  /** Whether the response has begun, so that an error response is no longer possible. */
  get hasBegun(): boolean {
    return this.#headers !== undefined
  }

  /** Ends the connection but not the response, so that the caller sees a truncated response, with all that arrived. */
  abort(): void {
    if (!this.flushHead()) return
    const { socket } = this.#res
    if (!socket) this.#res.destroy()
    // A body without framing ends with its connection; only a reset marks it as truncated.
    else if (this.#req.httpVersionMinor === 0) socket.resetAndDestroy()
    else {
      // Let the peer drain buffered data, but close if it stops reading.
      socket.setTimeout(CUT_READER_MS)
      socket.destroySoon()
    }
  }

  /** Drops what was not sent. */
  clear(): void {
    this.#held = undefined
  }

  /** Sends an error response, unless the response has begun or the caller has gone. */
  refuse(failure: Failure, { status, headers, body }: ErrorResponse): void {
    const res = this.#res
    if (res.destroyed || res.headersSent) return
    if (failure.code === 'too_large') {
      this.#refuseAndLinger(status, headers, body)
      return
    }
    if (failure.code === 'method_not_allowed') headers.push('allow', 'GET, POST, DELETE')
    res.writeHead(status, headers)
    res.end(body)
  }

  /** Lingering close: reads and drops the rest of the request for a moment, because closing at once would reset the connection. */
  #refuseAndLinger(status: number, headers: readonly string[], body: string): void {
    this.#res.writeHead(status, [...headers, 'Connection', 'close'])
    this.#res.write(body)
    const finish = (): void => {
      clearTimeout(timer)
      this.#res.end()
    }
    const timer = setTimeout(finish, LINGER_MS)
    this.#req.once('end', finish)
    this.#req.once('close', finish)
    this.#req.resume()
  }

  #write(bytes: Buffer): boolean {
    const hasRoom = this.#res.write(bytes)
    if (!hasRoom && !this.#awaitsDrain) {
      this.#awaitsDrain = true
      this.#res.on('drain', this.#onDrain)
    }
    return hasRoom
  }

  #writeHead(headers: ResponseHeaders, contentLength: string | undefined): boolean {
    if (contentLength !== undefined) headers.forward.push('Content-Length', contentLength)
    try {
      this.#res.writeHead(this.#status, headers.forward)
      return true
    } catch (cause) {
      // Node refuses to write a field that upstream's parser accepted.
      this.#headers = undefined
      this.#onFailure(interrupted('Notion sent a response whose head is not valid HTTP.', 502, cause))
      return false
    }
  }
}
