import type { AnswerHeaders } from '../domain/envelope-headers.ts'
import { editEvent, EventSplitter } from '../domain/event-stream.ts'
import { cutToolList, toolListEdits } from '../domain/tool-list.ts'
import { interrupted } from '../proxy/outcome.ts'
import type { AnswerReceiver } from './forward-call.ts'

/** The largest list of tools, or event in a stream, that is looked through. Notion's whole list has about 200 kB. */
const MAX_BYTES = 16 * 1024 * 1024

/**
 * Passes an answer on to `answer`, and cuts the tools out of it that the caller may not call. Nothing else changes, and an event stream
 * still passes event by event.
 */
export function filterTools(answer: AnswerReceiver, mayCall: (name: string) => boolean): AnswerReceiver {
  return new ToolFilter(answer, mayCall)
}

class ToolFilter implements AnswerReceiver {
  readonly #answer: AnswerReceiver
  readonly #mayCall: (name: string) => boolean
  /** How the body passes: as it is, in events, or as one. */
  #pass: Plain | Events | Whole = new Plain()
  #head: { status: number; headers: AnswerHeaders } | undefined
  #isOver = false

  constructor(answer: AnswerReceiver, mayCall: (name: string) => boolean) {
    this.#answer = answer
    this.#mayCall = mayCall
  }

  answered(status: number, headers: AnswerHeaders): void {
    const type = status === 200 ? mediaType(headers) : undefined
    if (type === undefined) {
      this.#answer.answered(status, headers)
      return
    }
    if (headerOf(headers, 'content-encoding') !== undefined) {
      this.failed(interrupted('Notion sent its list of tools compressed, which was not asked for.', 502))
      return
    }
    const head = { status, headers: { ...headers, forward: withoutTag(headers.forward), contentLength: undefined } }
    if (type === 'text/event-stream') {
      this.#pass = new Events(this.#mayCall)
      this.#answer.answered(status, head.headers)
    } else {
      this.#pass = new Whole(this.#mayCall)
      this.#head = head
    }
  }

  received(bytes: Buffer): boolean {
    if (this.#isOver) return true
    let hasRoom = true
    for (const piece of this.#pass.push(bytes)) hasRoom = this.#answer.received(piece)
    if (this.#pass.heldBytes > MAX_BYTES) {
      this.failed(interrupted('Notion sent a list of tools that is too large.', 502))
    }
    return hasRoom
  }

  ended(): void {
    if (this.#isOver) return
    const rest = this.#pass.rest()
    if (this.#head) this.#answer.answered(this.#head.status, this.#head.headers)
    if (rest.length > 0) this.#answer.received(rest)
    this.#answer.ended()
  }

  failed(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#answer.failed(reason)
  }
}

class Plain {
  readonly heldBytes = 0

  push(bytes: Buffer): Buffer[] {
    return [bytes]
  }

  rest(): Buffer {
    return Buffer.alloc(0)
  }
}

class Events {
  readonly #splitter = new EventSplitter()
  readonly #mayCall: (name: string) => boolean

  constructor(mayCall: (name: string) => boolean) {
    this.#mayCall = mayCall
  }

  get heldBytes(): number {
    return this.#splitter.heldBytes
  }

  push(bytes: Buffer): Buffer[] {
    return this.#splitter.push(bytes).map((event) => this.#cut(event))
  }

  rest(): Buffer {
    return this.#cut(this.#splitter.rest())
  }

  #cut(event: Buffer): Buffer {
    return editEvent(event, (data) => toolListEdits(data, this.#mayCall))
  }
}

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

  rest(): Buffer {
    return cutToolList(Buffer.concat(this.#pieces), this.#mayCall)
  }
}

/** Undefined for what can hold no list of tools. */
function mediaType(headers: AnswerHeaders): 'application/json' | 'text/event-stream' | undefined {
  const type = headerOf(headers, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  return type === 'application/json' || type === 'text/event-stream' ? type : undefined
}

function headerOf({ forward }: AnswerHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < forward.length; i += 2) if (forward[i]?.toLowerCase() === name) return forward[i + 1]
  return undefined
}

/** A tag names the bytes as upstream sent them. */
function withoutTag(fields: readonly string[]): string[] {
  const rest: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== 'etag') rest.push(fields[i] ?? '', fields[i + 1] ?? '')
  }
  return rest
}
