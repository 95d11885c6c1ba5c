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
  const scanner = new Scanner(body)
  if (scanner.text()) return scanner.envelope()
  return scanner.refusal ?? { refused: 'invalid_json', detail: scanner.complaint() }
}

/** A class, and not closures over the bytes, because it runs for every call and must not allocate. */
class Scanner {
  refusal: EnvelopeRefusal | undefined

  readonly #bytes: Buffer
  readonly #length: number
  #at = 0
  /** Whether the string that was read last has a backslash in it. */
  #escaped = false
  #spaceId: string | undefined
  #userId: string | undefined
  #method: string | undefined
  #id: string | undefined
  /** Start and end, in turn, of what is left out. */
  #cuts: number[] | undefined
  /** Containers that are open while a value is skipped, one bit each: 1 for an object. Grows; the call stack does not. */
  #open = new Uint8Array(8)

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#length = bytes.length
  }

  text(): boolean {
    this.#space()
    const first = this.#byte()
    if (!(first === 0x7b ? this.#message() : first === 0x5b ? this.#batch() : this.#value())) return false
    this.#space()
    return this.#at === this.#length
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
    if (this.#length === 0) return 'The body is empty. Send one JSON-RPC message.'
    return this.#at >= this.#length
      ? `The body is not JSON: it ends too early, after ${this.#length} bytes.`
      : `The body is not JSON (in UTF-8) at byte ${this.#at}.`
  }

  #without(cuts: number[]): Buffer {
    let left = this.#length
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
    this.#at++
    this.#space()
    if (this.#byte() === 0x5d) return this.#step()
    for (;;) {
      if (!(this.#byte() === 0x7b ? this.#message() : this.#value())) return false
      this.#space()
      const next = this.#byte()
      if (next === 0x5d) {
        this.#method = undefined
        this.#id = undefined
        return this.#step()
      }
      if (next !== 0x2c) return false
      this.#at++
      this.#space()
    }
  }

  /** An object at the top, or in a batch. */
  #message(): boolean {
    this.#at++
    this.#space()
    if (this.#byte() === 0x7d) return this.#step()
    let hasMeta = false
    let comma = -1
    for (;;) {
      const member = this.#at
      const name = this.#name()
      if (name === undefined) return false
      const start = this.#at
      if (name === 'meta') {
        if (hasMeta) return this.#refuse('invalid_request', 'The message has more than one member "meta". Send one.')
        hasMeta = true
        if (!(this.#byte() === 0x7b ? this.#meta() : this.#value())) return false
      } else if (!this.#value()) {
        return false
      }
      const end = this.#at
      if (name === 'method') this.#method = this.#stringAt(start, end, LONGEST_READ_METHOD)
      else if (name === 'id')
        this.#id = end - start <= LONGEST_KEPT_ID ? this.#bytes.toString('utf8', start, end) : undefined

      this.#space()
      const next = this.#byte()
      if (next !== 0x2c && next !== 0x7d) return false
      if (name === 'meta') {
        this.#cuts ??= []
        // One comma goes with the member: the one behind it, or, for the last member, the one before it.
        if (next === 0x2c) this.#cuts.push(member, this.#at + 1)
        else this.#cuts.push(comma === -1 ? member : comma, end)
      }
      if (next === 0x7d) return this.#step()
      comma = this.#at++
      this.#space()
    }
  }

  /** The object `meta`: two members of it say in which space, and for whom. */
  #meta(): boolean {
    this.#at++
    this.#space()
    if (this.#byte() === 0x7d) return this.#step()
    let hasSpace = false
    let hasUser = false
    for (;;) {
      const name = this.#name()
      if (name === undefined) return false
      const start = this.#at
      if (!this.#value()) return false
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
      this.#space()
      const next = this.#byte()
      if (next === 0x7d) return this.#step()
      if (next !== 0x2c) return false
      this.#at++
      this.#space()
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
    return this.#stringAt(start, this.#at, Infinity) || undefined
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

  /** A member's name and the colon; leaves off at its value. Empty for a name that is longer than those we look for. */
  #name(): string | undefined {
    if (this.#byte() !== 0x22) return undefined
    const start = this.#at + 1
    if (!this.#string()) return undefined
    const end = this.#at - 1
    const escaped = this.#escaped
    this.#space()
    if (this.#byte() !== 0x3a) return undefined
    this.#at++
    this.#space()
    // "\u006deta" is the name meta as well, and at most six times as long.
    if (escaped) return end - start <= 48 ? unescaped(this.#bytes.toString('utf8', start, end)) : ''
    return end - start <= 8 ? this.#bytes.toString('latin1', start, end) : ''
  }

  /** Steps over any value. Iterative: depth is the sender's choice. */
  #value(): boolean {
    let depth = 0
    for (;;) {
      const first = this.#byte()
      if (first === 0x7b || first === 0x5b) {
        this.#at++
        this.#space()
        if (this.#byte() === first + 2) {
          this.#at++
        } else {
          if (depth >> 3 === this.#open.length) this.#widen()
          const place = depth >> 3
          const bit = 1 << (depth & 7)
          const flags = this.#open[place] ?? 0
          this.#open[place] = first === 0x7b ? flags | bit : flags & ~bit
          depth++
          if (first === 0x7b && !this.#skipName()) return false
          continue
        }
      } else if (!this.#scalar(first)) {
        return false
      }

      for (;;) {
        if (depth === 0) return true
        this.#space()
        const next = this.#byte()
        const top = depth - 1
        const isObject = ((this.#open[top >> 3] ?? 0) & (1 << (top & 7))) !== 0
        if (next === 0x2c) {
          this.#at++
          this.#space()
          if (isObject && !this.#skipName()) return false
          break
        }
        if (next !== (isObject ? 0x7d : 0x5d)) return false
        this.#at++
        depth--
      }
    }
  }

  #widen(): void {
    const wider = new Uint8Array(this.#open.length * 4)
    wider.set(this.#open)
    this.#open = wider
  }

  #skipName(): boolean {
    if (this.#byte() !== 0x22 || !this.#string()) return false
    this.#space()
    if (this.#byte() !== 0x3a) return false
    this.#at++
    this.#space()
    return true
  }

  #scalar(first: number): boolean {
    if (first === 0x22) return this.#string()
    if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return this.#number(first)
    if (first === 0x74) return this.#word(0x72, 0x75, 0x65)
    if (first === 0x6e) return this.#word(0x75, 0x6c, 0x6c)
    if (first === 0x66) return this.#bytes[this.#at + 1] === 0x61 && (this.#at++, this.#word(0x6c, 0x73, 0x65))
    return false
  }

  #word(second: number, third: number, fourth: number): boolean {
    const bytes = this.#bytes
    const at = this.#at
    if (bytes[at + 1] !== second || bytes[at + 2] !== third || bytes[at + 3] !== fourth) return false
    this.#at = at + 4
    return true
  }

  #number(first: number): boolean {
    let byte = first
    if (byte === 0x2d) byte = this.#next()
    if (byte === 0x30) byte = this.#next()
    else if (byte >= 0x31 && byte <= 0x39) byte = this.#digits()
    else return false
    if (byte === 0x2e) {
      byte = this.#next()
      if (byte < 0x30 || byte > 0x39) return false
      byte = this.#digits()
    }
    if (byte === 0x65 || byte === 0x45) {
      byte = this.#next()
      if (byte === 0x2b || byte === 0x2d) byte = this.#next()
      if (byte < 0x30 || byte > 0x39) return false
      this.#digits()
    }
    return true
  }

  /** Steps over digits; the byte after them. */
  #digits(): number {
    let byte = this.#next()
    while (byte >= 0x30 && byte <= 0x39) byte = this.#next()
    return byte
  }

  #string(): boolean {
    const bytes = this.#bytes
    const length = this.#length
    let at = this.#at + 1
    let escaped = false
    while (at < length) {
      const byte = bytes[at] ?? 0
      if (byte === 0x22) {
        this.#at = at + 1
        this.#escaped = escaped
        return true
      }
      if (byte === 0x5c) {
        escaped = true
        const size = escapeLength(bytes, at)
        if (size === 0) break
        at += size
      } else if (byte < 0x20) {
        break
      } else if (byte < 0x80) {
        at++
      } else {
        const size = sequenceLength(bytes, at, byte)
        if (size === 0) break
        at += size
      }
    }
    this.#at = at
    return false
  }

  #space(): void {
    const bytes = this.#bytes
    let at = this.#at
    while (at < this.#length) {
      const byte = bytes[at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
      at++
    }
    this.#at = at
  }

  /** The byte here; 0 behind the end, which JSON has no use for. */
  #byte(): number {
    return this.#at < this.#length ? (this.#bytes[this.#at] ?? 0) : 0
  }

  #next(): number {
    this.#at++
    return this.#byte()
  }

  #step(): true {
    this.#at++
    return true
  }
}

/** The text of a JSON string, given what stands between its quotes and was checked already. */
function unescaped(text: string): string {
  return String(JSON.parse(`"${text}"`))
}

/** Length of the escape at `at`; 0 when it is none. */
function escapeLength(bytes: Buffer, at: number): number {
  switch (bytes[at + 1]) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2
    case 0x75:
      for (let i = at + 2; i < at + 6; i++) {
        const byte = bytes[i] ?? 0
        const isHex = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
        if (!isHex) return 0
      }
      return 6
    default:
      return 0
  }
}

/**
 * Length of the UTF-8 sequence that begins at `at` with `lead`; 0 when it is none: overlong, a surrogate, above U+10FFFF, or cut
 * ([RFC 3629 §4](https://www.rfc-editor.org/rfc/rfc3629#section-4)).
 */
function sequenceLength(bytes: Buffer, at: number, lead: number): number {
  const second = bytes[at + 1] ?? 0
  if (lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return isContinuation(second) ? 2 : 0
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest || !isContinuation(bytes[at + 2] ?? 0)) return 0
  if (lead < 0xf0) return 3
  return isContinuation(bytes[at + 3] ?? 0) ? 4 : 0
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}
