import { type ResponseHeaders } from '../proxy/headers.ts'
import { isInUtf8 } from '../platform/content-type.ts'
import { editEvent, EventSplitter } from './event-stream.ts'
import { edited } from '../proxy/json-bytes.ts'
import { toolListEdits } from './tool-list.ts'
import type { Failure } from '../platform/failure.ts'
import { interrupted } from '../proxy/outcome.ts'
import type { ResponseSink } from '../proxy/upstream.ts'

/** Maximum size of a filtered list of tools, or of one event in a stream. Notion's complete list has about 200 kB. */
const MAX_BYTES = 4 * 1024 * 1024
/** Maximum memory of all responses that are being filtered. */
const MAX_TOTAL_BYTES = 64 * 1024 * 1024

/** Limits the bytes that all filters of a process buffer. */
export class FilterMemory {
  readonly #limit: number
  #reservedBytes = 0

  constructor(limit = MAX_TOTAL_BYTES) {
    this.#limit = limit
  }

  /** Reserves bytes, or releases them if negative. @returns false if the limit would be exceeded; nothing is reserved then. */
  reserve(bytes: number): boolean {
    if (bytes > 0 && this.#reservedBytes + bytes > this.#limit) return false
    this.#reservedBytes += bytes
    return true
  }
}

export interface ToolFilter extends ResponseSink {
  /** Releases the reserved memory. Must be called when the exchange has ended, for whatever reason. */
  release(): void
}

/**
 * Removes the tools that the caller may not call from a response. Nothing else changes, and an event stream still passes event by event.
 *
 * @returns a sink that throws `outcome_unknown` for a successful response that cannot be filtered.
 */
export function filterTools(sink: ResponseSink, mayCall: (name: string) => boolean, memory: FilterMemory): ToolFilter {
  return new Filter(sink, mayCall, memory)
}

class Filter implements ToolFilter {
  readonly #sink: ResponseSink
  readonly #mayCall: (name: string) => boolean
  readonly #memory: FilterMemory
  #body: PlainBody | EventStreamBody | JsonBody | EmptyBody = new PlainBody()
  #head: { status: number; headers: ResponseHeaders } | undefined
  #reservedBytes = 0

  constructor(sink: ResponseSink, mayCall: (name: string) => boolean, memory: FilterMemory) {
    this.#sink = sink
    this.#mayCall = mayCall
    this.#memory = memory
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    // Clients treat these statuses as errors, whatever the body contains.
    if (status >= 400) {
      this.#sink.onHeaders(status, headers)
      return
    }
    if (valuesOf(headers, 'content-encoding').some((encoding) => encoding.trim().toLowerCase() !== 'identity')) {
      this.#fail(
        interrupted('Notion sent a compressed list of tools, although the gateway requested no compression.', 502),
      )
    }
    const head = { status, headers: { ...headers, forward: withoutETag(headers.forward), contentLength: undefined } }
    const type = mediaType(headers)
    if (type === 'text/event-stream') {
      this.#body = new EventStreamBody(this.#mayCall)
      this.#sink.onHeaders(status, head.headers)
    } else {
      this.#body = type === 'application/json' ? new JsonBody(this.#mayCall) : new EmptyBody()
      this.#head = head
    }
  }

  onData(bytes: Buffer): boolean {
    let hasRoom = true
    for (const chunk of this.#body.push(bytes)) {
      if (chunk === undefined) this.#fail(unfilterable())
      hasRoom = this.#sink.onData(chunk)
    }
    this.#checkMemory()
    return hasRoom
  }

  onEnd(): void {
    const rest = this.#body.rest()
    if (rest === undefined) this.#fail(unfilterable())
    this.release()
    if (this.#head) this.#sink.onHeaders(this.#head.status, this.#head.headers)
    if (rest.length > 0) this.#sink.onData(rest)
    this.#sink.onEnd()
  }

  #fail(failure: Failure): never {
    this.release()
    throw failure
  }

  release(): void {
    this.#memory.reserve(-this.#reservedBytes)
    this.#reservedBytes = 0
  }

  #checkMemory(): void {
    const { bufferedBytes } = this.#body
    if (bufferedBytes > MAX_BYTES) {
      this.#fail(interrupted('The list of tools from Notion is too large to filter.', 502))
    } else if (this.#memory.reserve(bufferedBytes - this.#reservedBytes)) {
      this.#reservedBytes = bufferedBytes
    } else {
      this.#fail(interrupted('The gateway is filtering too many lists of tools at once.', 503))
    }
  }
}

const unfilterable = (): Failure =>
  interrupted('The gateway cannot filter the response from Notion for read-only access.', 502)

/** Forwards the body unchanged. */
class PlainBody {
  readonly bufferedBytes = 0

  push(bytes: Buffer): Buffer[] {
    return [bytes]
  }

  rest(): Buffer {
    return Buffer.alloc(0)
  }
}

/** Accepts only an empty body, for media types that clients do not read messages from. */
class EmptyBody {
  readonly bufferedBytes = 0

  push(bytes: Buffer): (Buffer | undefined)[] {
    return bytes.length === 0 ? [] : [undefined]
  }

  rest(): Buffer {
    return Buffer.alloc(0)
  }
}

/** Filters each event. Returns undefined for an event that cannot be filtered. */
class EventStreamBody {
  readonly #splitter = new EventSplitter()
  readonly #mayCall: (name: string) => boolean
  #isFirst = true

  constructor(mayCall: (name: string) => boolean) {
    this.#mayCall = mayCall
  }

  get bufferedBytes(): number {
    return this.#splitter.bufferedBytes
  }

  push(bytes: Buffer): (Buffer | undefined)[] {
    return this.#splitter.push(bytes).map((event) => this.#filter(event))
  }

  rest(): Buffer | undefined {
    return this.#filter(this.#splitter.rest())
  }

  #filter(event: Buffer): Buffer | undefined {
    // Parsers skip a byte order mark at the start, and would find a field that the filter does not see.
    if (this.#isFirst && event[0] === 0xef) return undefined
    this.#isFirst &&= event.length === 0
    return editEvent(event, (data) => (isBlank(data) ? [] : toolListEdits(data, this.#mayCall)))
  }
}

/** An event that contains only an ID has no data or empty data. */
const isBlank = (data: Buffer) => data.every((byte) => byte === 0x20 || byte === 0x0a)

/** Buffers the complete body and filters it at the end. */
class JsonBody {
  readonly #chunks: Buffer[] = []
  readonly #mayCall: (name: string) => boolean
  bufferedBytes = 0

  constructor(mayCall: (name: string) => boolean) {
    this.#mayCall = mayCall
  }

  push(bytes: Buffer): Buffer[] {
    this.#chunks.push(bytes)
    this.bufferedBytes += bytes.length
    return []
  }

  rest(): Buffer | undefined {
    if (this.bufferedBytes === 0) return Buffer.alloc(0)
    const body = Buffer.concat(this.#chunks)
    const edits = toolListEdits(body, this.#mayCall)
    return edits && edited(body, edits)
  }
}

/** Undefined for a type that cannot be filtered, or that parsers could interpret differently. */
function mediaType(headers: ResponseHeaders): 'application/json' | 'text/event-stream' | undefined {
  const [value = '', ...others] = valuesOf(headers, 'content-type')
  if (others.length > 0 || !isInUtf8(value)) return undefined
  const type = value.split(';', 1)[0]?.trim().toLowerCase()
  return type === 'application/json' || type === 'text/event-stream' ? type : undefined
}

function valuesOf({ forward }: ResponseHeaders, name: string): string[] {
  return forward.filter((_, i) => i % 2 === 1 && forward[i - 1]?.toLowerCase() === name)
}

/** Removes `ETag`, which identifies the unfiltered bytes. */
function withoutETag(fields: readonly string[]): string[] {
  const remaining: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== 'etag') remaining.push(fields[i] ?? '', fields[i + 1] ?? '')
  }
  return remaining
}
