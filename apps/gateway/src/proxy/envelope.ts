import { JsonScanner, unescaped } from './json-scanner.ts'

/**
 * What the gateway reads of a JSON-RPC body, and the bytes to send on. Nothing is parsed and written again: numbers, escapes,
 * key order and white space stay as the caller wrote them.
 */
export interface Envelope {
  readonly refused?: undefined
  /** From `meta.space_id`; absent, null and empty are the same. */
  readonly spaceId: string | undefined
  /** From `meta.user_id`, likewise. */
  readonly userId: string | undefined
  /** The method as upstream will read it (the last one, if the member is there twice). Undefined for responses and batches. */
  readonly method: string | undefined
  /** The id's JSON text, as it came. Undefined for notifications and batches. */
  readonly id: string | undefined
  /** The body without the top-level `meta`; the very same bytes when there was none. */
  readonly forward: Buffer
}

export interface EnvelopeRefusal {
  readonly refused: 'invalid_json' | 'invalid_request' | 'forbidden_space'
  /** One sentence for the person who sent it. */
  readonly detail: string
}

/** How many characters of an id are worth keeping; upstream gets the whole of it in any case. */
const LONGEST_KEPT_ID = 200
/** How long a method's name may be to be read; no real one comes near. */
const LONGEST_READ_METHOD = 200

/**
 * Reads the envelope of a JSON-RPC message, or of a batch of them, in one pass over its bytes.
 *
 * The text is checked in full ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), UTF-8, no byte order mark), so what is sent on
 * without `meta` is JSON too. A message in which `meta`, or a member of it that we read, is there twice is refused: two readers of
 * such a text may disagree about which one counts.
 */
export function readEnvelope(body: Buffer): Envelope | EnvelopeRefusal {
  if (body.length >= 3 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    return {
      refused: 'invalid_json',
      detail: 'The body begins with a byte order mark. Send JSON as UTF-8 without one.',
    }
  }
  const reader = new EnvelopeReader(body)
  if (reader.text()) return reader.envelope()
  return reader.refusal ?? { refused: 'invalid_json', detail: reader.complaint() }
}

class EnvelopeReader {
  refusal: EnvelopeRefusal | undefined

  readonly #bytes: Buffer
  readonly #json: JsonScanner
  #spaceId: string | undefined
  #userId: string | undefined
  #method: string | undefined
  #id: string | undefined
  /** Start and end, in turn, of what is left out. */
  #cuts: number[] | undefined

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#json = new JsonScanner(bytes)
  }

  text(): boolean {
    this.#json.space()
    const first = this.#json.byte()
    if (!(first === 0x7b ? this.#message() : first === 0x5b ? this.#batch() : this.#json.value())) return false
    this.#json.space()
    return this.#json.at === this.#bytes.length
  }

  envelope(): Envelope {
    return {
      spaceId: this.#spaceId,
      userId: this.#userId,
      method: this.#method,
      id: this.#id,
      forward: this.#cuts ? this.#without(this.#cuts) : this.#bytes,
    }
  }

  complaint(): string {
    if (this.#bytes.length === 0) return 'The body is empty. Send one JSON-RPC message.'
    return this.#json.at >= this.#bytes.length
      ? `The body is not JSON: it ends too early, after ${this.#bytes.length} bytes.`
      : `The body is not JSON (in UTF-8) at byte ${this.#json.at}.`
  }

  #without(cuts: number[]): Buffer {
    let left = this.#bytes.length
    for (let i = 0; i < cuts.length; i += 2) left -= (cuts[i + 1] ?? 0) - (cuts[i] ?? 0)
    const rest = Buffer.allocUnsafe(left)
    let from = 0
    let to = 0
    for (let i = 0; i < cuts.length; i += 2) {
      to += this.#bytes.copy(rest, to, from, cuts[i])
      from = cuts[i + 1] ?? 0
    }
    this.#bytes.copy(rest, to, from)
    return rest
  }

  /** An array at the top. Revisions before 2025-06-18 send several messages so. */
  #batch(): boolean {
    this.#json.at++
    this.#json.space()
    if (this.#json.byte() === 0x5d) return this.#json.step()
    for (;;) {
      if (!(this.#json.byte() === 0x7b ? this.#message() : this.#json.value())) return false
      this.#json.space()
      const next = this.#json.byte()
      if (next === 0x5d) {
        this.#method = undefined
        this.#id = undefined
        return this.#json.step()
      }
      if (next !== 0x2c) return false
      this.#json.at++
      this.#json.space()
    }
  }

  /** An object at the top, or in a batch. */
  #message(): boolean {
    this.#json.at++
    this.#json.space()
    if (this.#json.byte() === 0x7d) return this.#json.step()
    let hasMeta = false
    let comma = -1
    for (;;) {
      const member = this.#json.at
      const name = this.#json.name()
      if (name === undefined) return false
      const start = this.#json.at
      if (name === 'meta') {
        if (hasMeta) return this.#refuse('invalid_request', 'The message has more than one member "meta". Send one.')
        hasMeta = true
        if (!(this.#json.byte() === 0x7b ? this.#meta() : this.#json.value())) return false
      } else if (!this.#json.value()) {
        return false
      }
      const end = this.#json.at
      if (name === 'method') this.#method = this.#stringAt(start, end, LONGEST_READ_METHOD)
      else if (name === 'id')
        this.#id = end - start <= LONGEST_KEPT_ID ? this.#bytes.toString('utf8', start, end) : undefined

      this.#json.space()
      const next = this.#json.byte()
      if (next !== 0x2c && next !== 0x7d) return false
      if (name === 'meta') {
        this.#cuts ??= []
        // One comma goes with the member: the one behind it, or, for the last member, the one before it.
        if (next === 0x2c) this.#cuts.push(member, this.#json.at + 1)
        else this.#cuts.push(comma === -1 ? member : comma, end)
      }
      if (next === 0x7d) return this.#json.step()
      comma = this.#json.at++
      this.#json.space()
    }
  }

  /** The object `meta`: two members of it say in which space, and for whom. */
  #meta(): boolean {
    this.#json.at++
    this.#json.space()
    if (this.#json.byte() === 0x7d) return this.#json.step()
    let hasSpace = false
    let hasUser = false
    for (;;) {
      const name = this.#json.name()
      if (name === undefined) return false
      const start = this.#json.at
      if (!this.#json.value()) return false
      if (name === 'space_id') {
        if (hasSpace) return this.#refuse('invalid_request', 'The message has more than one "meta.space_id". Send one.')
        hasSpace = true
        const value = this.#identifier(start, name)
        if (value === null) return false
        if (this.#spaceId !== undefined && value !== undefined && value !== this.#spaceId) return this.#disagree(name)
        this.#spaceId ??= value
      } else if (name === 'user_id') {
        if (hasUser) return this.#refuse('invalid_request', 'The message has more than one "meta.user_id". Send one.')
        hasUser = true
        const value = this.#identifier(start, name)
        if (value === null) return false
        if (this.#userId !== undefined && value !== undefined && value !== this.#userId) return this.#disagree(name)
        this.#userId ??= value
      }
      this.#json.space()
      const next = this.#json.byte()
      if (next === 0x7d) return this.#json.step()
      if (next !== 0x2c) return false
      this.#json.at++
      this.#json.space()
    }
  }

  #disagree(name: string): false {
    return this.#refuse(
      'forbidden_space',
      `The messages of the batch name different values of "meta.${name}". Send them apart.`,
    )
  }

  /** The string from `start` up to here; undefined when it is null or empty; null when refused. */
  #identifier(start: number, name: string): string | undefined | null {
    const first = this.#bytes[start]
    if (first === 0x6e) return undefined
    if (first !== 0x22) {
      this.#refuse('invalid_request', `The member "meta.${name}" must be a string.`)
      return null
    }
    return this.#stringAt(start, this.#json.at, Infinity) || undefined
  }

  /** The value of the JSON string between `start` and `end`; undefined for anything else and for what is too long to matter. */
  #stringAt(start: number, end: number, longest: number): string | undefined {
    if (this.#bytes[start] !== 0x22 || end - start > longest) return undefined
    const text = this.#bytes.toString('utf8', start + 1, end - 1)
    return text.includes('\\') ? unescaped(text) : text
  }

  #refuse(refused: EnvelopeRefusal['refused'], detail: string): false {
    this.refusal = { refused, detail }
    return false
  }
}
