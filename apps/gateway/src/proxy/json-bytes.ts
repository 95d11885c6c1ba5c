/**
 * Finds values in the bytes of a JSON text, so that parts of it can be cut out and all others stay as they are. The text must have been
 * checked already: of what is no JSON, nothing here makes sense.
 */

/** Called with where the value begins and ends; `from` is where what belongs to it begins, its name included. */
export type VisitMember = (name: string, start: number, end: number, from: number) => void
type VisitElement = (start: number, end: number) => void

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

/** Where the first value of the text begins. */
export function firstValue(bytes: Buffer): number {
  return afterSpace(bytes, 0)
}

export const isObject = (bytes: Buffer, at: number): boolean => bytes[at] === 0x7b
export const isArray = (bytes: Buffer, at: number): boolean => bytes[at] === 0x5b

/** Visits the members of the object that begins at `at`. */
export function eachMember(bytes: Buffer, at: number, visit: VisitMember): void {
  let from = afterSpace(bytes, at + 1)
  while (bytes[from] === QUOTE) {
    const nameEnd = stringEnd(bytes, from)
    const start = afterSpace(bytes, afterSpace(bytes, nameEnd) + 1)
    const end = valueEnd(bytes, start)
    visit(stringOf(bytes, from, nameEnd) ?? '', start, end, from)
    const next = afterSpace(bytes, end)
    if (bytes[next] !== COMMA) return
    from = afterSpace(bytes, next + 1)
  }
}

/** Visits the elements of the array that begins at `at`. */
export function eachElement(bytes: Buffer, at: number, visit: VisitElement): void {
  let start = afterSpace(bytes, at + 1)
  if (bytes[start] === 0x5d) return
  while (start < bytes.length) {
    const end = valueEnd(bytes, start)
    visit(start, end)
    const next = afterSpace(bytes, end)
    if (bytes[next] !== COMMA) return
    start = afterSpace(bytes, next + 1)
  }
}

/** The text of the string between `start` and `end`, its quotes included; undefined when that is no string. */
export function stringOf(bytes: Buffer, start: number, end: number): string | undefined {
  if (bytes[start] !== QUOTE) return undefined
  const text = bytes.toString('utf8', start, end)
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}

/** The name as readers see it that do not mind case. Up before down: some take ſ for s, and the Kelvin sign for k. */
export const foldedCase = (name: string): string => name.toUpperCase().toLowerCase()

function valueEnd(bytes: Buffer, start: number): number {
  const first = bytes[start]
  if (first === QUOTE) return stringEnd(bytes, start)
  if (!isObject(bytes, start) && !isArray(bytes, start)) return literalEnd(bytes, start)
  let depth = 0
  let at = start
  do {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = stringEnd(bytes, at)
      continue
    }
    if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) depth--
    at++
  } while (depth > 0 && at < bytes.length)
  return at
}

function stringEnd(bytes: Buffer, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at + 1
}

/** Of a number, `true`, `false` or `null`. */
function literalEnd(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && !isSpace(bytes[at]) && bytes[at] !== COMMA && bytes[at] !== 0x5d && bytes[at] !== 0x7d)
    at++
  return at
}

function afterSpace(bytes: Buffer, start: number): number {
  let at = start
  while (isSpace(bytes[at])) at++
  return at
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Bytes from `start` to `end` that go, and what comes in their place. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** @param edits in order, apart from one another. */
export function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return bytes
  const pieces: Buffer[] = []
  let from = 0
  for (const { start, end, text } of edits) {
    pieces.push(bytes.subarray(from, start), Buffer.from(text))
    from = end
  }
  return Buffer.concat([...pieces, bytes.subarray(from)])
}
