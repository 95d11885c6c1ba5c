import { type ResponseHeaders } from '../proxy/headers.ts'
import { isInUtf8 } from '../platform/content-type.ts'
import { editEvent, EventSplitter } from './event-stream.ts'
import { edited } from '../proxy/json-bytes.ts'
import { toolListEdits } from './tool-list.ts'
import type { Failure } from '../platform/failure.ts'
import { interrupted } from '../proxy/outcome.ts'
import type { ResponseSink } from '../proxy/upstream.ts'

/** The largest list of tools, or event in a stream, that is looked through. Notion's whole list has about 200 kB. */
const MAX_BYTES = 4 * 1024 * 1024
/** What all responses that are looked through at this moment may hold in memory, together. */
const MAX_BYTES_OF_ALL = 64 * 1024 * 1024

/** Counts the bytes that all filters of a process hold. */
export class FilterMemory {
  readonly #limit: number
  #held = 0

  constructor(limit = MAX_BYTES_OF_ALL) {
    this.#limit = limit
  }

  /** @returns whether so many more may be held; only then they are counted. */
  hold(bytes: number): boolean {
    if (bytes > 0 && this.#held + bytes > this.#limit) return false
    this.#held += bytes
    return true
  }
}

export interface ToolFilter extends ResponseSink {
  /** Gives back the memory. Must be called when the exchange is over, however it ended. */
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
  /** How the body passes: as it is, in events, as one, or not at all. */
  #pass: Plain | Events | Whole | Empty = new Plain()
  #head: { status: number; headers: ResponseHeaders } | undefined
  #countedBytes = 0

  constructor(sink: ResponseSink, mayCall: (name: string) => boolean, memory: FilterMemory) {
    this.#sink = sink
    this.#mayCall = mayCall
    this.#memory = memory
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    // Every client takes these statuses for errors, independent of the body.
    if (status >= 400) {
      this.#sink.onHeaders(status, headers)
      return
    }
    if (valuesOf(headers, 'content-encoding').some((encoding) => encoding.trim().toLowerCase() !== 'identity')) {
      this.#fail(interrupted('Notion sent its list of tools compressed, which was not asked for.', 502))
    }
    const head = { status, headers: { ...headers, forward: withoutTag(headers.forward), contentLength: undefined } }
    const type = mediaType(headers)
    if (type === 'text/event-stream') {
      this.#pass = new Events(this.#mayCall)
      this.#sink.onHeaders(status, head.headers)
    } else {
      this.#pass = type === 'application/json' ? new Whole(this.#mayCall) : new Empty()
      this.#head = head
    }
  }

  onData(bytes: Buffer): boolean {
    let hasRoom = true
    for (const piece of this.#pass.push(bytes)) {
      if (piece === undefined) this.#fail(unreadable())
      hasRoom = this.#sink.onData(piece)
    }
    this.#checkMemory()
    return hasRoom
  }

  onEnd(): void {
    const rest = this.#pass.rest()
    if (rest === undefined) this.#fail(unreadable())
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
    this.#memory.hold(-this.#countedBytes)
    this.#countedBytes = 0
  }

  #checkMemory(): void {
    const { heldBytes } = this.#pass
    if (heldBytes > MAX_BYTES) {
      this.#fail(interrupted('Notion sent a list of tools that is too large.', 502))
    } else if (this.#memory.hold(heldBytes - this.#countedBytes)) {
      this.#countedBytes = heldBytes
    } else {
      this.#fail(interrupted('Too many lists of tools are under way at once.', 503))
    }
  }
}

const unreadable = (): Failure =>
  interrupted('Notion sent a response in a form that the gateway cannot filter for an access that only reads.', 502)

class Plain {
  readonly heldBytes = 0

  push(bytes: Buffer): Buffer[] {
    return [bytes]
  }

  rest(): Buffer {
    return Buffer.alloc(0)
  }
}

/** Of a type that holds no messages that a client would read: passes only without a body. */
class Empty {
  readonly heldBytes = 0

  push(bytes: Buffer): (Buffer | undefined)[] {
    return bytes.length === 0 ? [] : [undefined]
  }

  rest(): Buffer {
    return Buffer.alloc(0)
  }
}

/** Undefined for what cannot be filtered. */
class Events {
  readonly #splitter = new EventSplitter()
  readonly #mayCall: (name: string) => boolean
  #isFirst = true

  constructor(mayCall: (name: string) => boolean) {
    this.#mayCall = mayCall
  }

  get heldBytes(): number {
    return this.#splitter.heldBytes
  }

  push(bytes: Buffer): (Buffer | undefined)[] {
    return this.#splitter.push(bytes).map((event) => this.#cut(event))
  }

  rest(): Buffer | undefined {
    return this.#cut(this.#splitter.rest())
  }

  #cut(event: Buffer): Buffer | undefined {
    // Readers skip a byte order mark at the beginning, and would find a field where there is none for us.
    if (this.#isFirst && event[0] === 0xef) return undefined
    this.#isFirst &&= event.length === 0
    return editEvent(event, (data) => (isBlank(data) ? [] : toolListEdits(data, this.#mayCall)))
  }
}

/** An event that only carries an id has no data, or empty data. */
const isBlank = (data: Buffer) => data.every((byte) => byte === 0x20 || byte === 0x0a)

class Whole {
  readonly #pieces: Buffer[] = []
  readonly #mayCall: (name: string) => boolean
  heldBytes = 0

  constructor(mayCall: (name: string) => boolean) {
    this.#mayCall = mayCall
  }

  push(bytes: Buffer): Buffer[] {
    this.#pieces.push(bytes)
    this.heldBytes += bytes.length
    return []
  }

  rest(): Buffer | undefined {
    if (this.heldBytes === 0) return Buffer.alloc(0)
    const body = Buffer.concat(this.#pieces)
    const edits = toolListEdits(body, this.#mayCall)
    return edits && edited(body, edits)
  }
}

/** Undefined for a type that cannot be filtered, or that two readers could take for different ones. */
function mediaType(headers: ResponseHeaders): 'application/json' | 'text/event-stream' | undefined {
  const [value = '', ...others] = valuesOf(headers, 'content-type')
  if (others.length > 0 || !isInUtf8(value)) return undefined
  const type = value.split(';', 1)[0]?.trim().toLowerCase()
  return type === 'application/json' || type === 'text/event-stream' ? type : undefined
}

function valuesOf({ forward }: ResponseHeaders, name: string): string[] {
  return forward.filter((_, i) => i % 2 === 1 && forward[i - 1]?.toLowerCase() === name)
}

/** A tag names the bytes as upstream sent them. */
function withoutTag(fields: readonly string[]): string[] {
  const rest: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== 'etag') rest.push(fields[i] ?? '', fields[i + 1] ?? '')
  }
  return rest
}
