/**
 * Reads JSON ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), UTF-8) as bytes, without parsing it into values: strict, in one pass, and without a
 * call stack that grows with the sender's nesting. A class, and not closures over the bytes, because it runs for every call and must not
 * allocate.
 *
 * Methods that return a boolean return false where the text is not JSON; {@link at} is then the offending byte.
 */
export class JsonScanner {
  readonly bytes: Buffer
  /** Offset of the next byte. */
  at: number
  readonly #length: number
  /** Whether the last string contains a backslash. */
  #escaped = false
  /** Containers that are open while a value is skipped, one bit each: 1 for an object. */
  #open = new Uint8Array(8)

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
    this.#length = bytes.length
  }

  /** Reads a member's name and the colon, up to its value. Empty for a name longer than 8 characters; undefined where there is none. */
  name(): string | undefined {
    if (this.byte() !== 0x22) return undefined
    const start = this.at + 1
    if (!this.string()) return undefined
    const end = this.at - 1
    const escaped = this.#escaped
    this.space()
    if (this.byte() !== 0x3a) return undefined
    this.at++
    this.space()
    // "\u006deta" is the name meta as well, and at most six times as long.
    if (escaped) return end - start <= 48 ? unescaped(this.bytes.toString('utf8', start, end)) : ''
    return end - start <= 8 ? this.bytes.toString('latin1', start, end) : ''
  }

  /** Skips any value. */
  value(): boolean {
    let depth = 0
    for (;;) {
      const first = this.byte()
      if (first === 0x7b || first === 0x5b) {
        this.at++
        this.space()
        if (this.byte() === first + 2) {
          this.at++
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
        this.space()
        const next = this.byte()
        const top = depth - 1
        const isObject = ((this.#open[top >> 3] ?? 0) & (1 << (top & 7))) !== 0
        if (next === 0x2c) {
          this.at++
          this.space()
          if (isObject && !this.#skipName()) return false
          break
        }
        if (next !== (isObject ? 0x7d : 0x5d)) return false
        this.at++
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
    if (this.byte() !== 0x22 || !this.string()) return false
    this.space()
    if (this.byte() !== 0x3a) return false
    this.at++
    this.space()
    return true
  }

  #scalar(first: number): boolean {
    if (first === 0x22) return this.string()
    if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return this.#number(first)
    if (first === 0x74) return this.#word(0x72, 0x75, 0x65)
    if (first === 0x6e) return this.#word(0x75, 0x6c, 0x6c)
    if (first === 0x66) return this.bytes[this.at + 1] === 0x61 && (this.at++, this.#word(0x6c, 0x73, 0x65))
    return false
  }

  #word(second: number, third: number, fourth: number): boolean {
    const bytes = this.bytes
    const at = this.at
    if (bytes[at + 1] !== second || bytes[at + 2] !== third || bytes[at + 3] !== fourth) return false
    this.at = at + 4
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

  /** Skips a string. */
  string(): boolean {
    const bytes = this.bytes
    const length = this.#length
    let at = this.at + 1
    let escaped = false
    while (at < length) {
      const byte = bytes[at] ?? 0
      if (byte === 0x22) {
        this.at = at + 1
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
    this.at = at
    return false
  }

  /** Skips white space. */
  space(): void {
    const bytes = this.bytes
    let at = this.at
    while (at < this.#length) {
      const byte = bytes[at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
      at++
    }
    this.at = at
  }

  /** The next byte; 0 at the end, which occurs in no JSON text. */
  byte(): number {
    return this.at < this.#length ? (this.bytes[this.at] ?? 0) : 0
  }

  #next(): number {
    this.at++
    return this.byte()
  }

  /** Skips one byte. */
  step(): true {
    this.at++
    return true
  }
}

/** The text of a JSON string, given what stands between its quotes and was checked already. */
export function unescaped(text: string): string {
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
