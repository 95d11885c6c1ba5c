/**
 * Finds values in the bytes of a JSON text, so that parts of it can be cut out and all others stay as they are. The text must have been
 * checked already: of what is no JSON, nothing here makes sense.
 */
import { JsonScanner } from './json-scanner.ts'

/** Called with where the value begins and ends; `from` is where what belongs to it begins, its name included. */
export type VisitMember = (name: string, start: number, end: number, from: number) => void
type VisitElement = (start: number, end: number) => void

const QUOTE = 0x22
const COMMA = 0x2c

/** Offset of the text's first value. */
export function firstValue(bytes: Buffer): number {
  const json = new JsonScanner(bytes)
  json.space()
  return json.at
}

export const isObject = (bytes: Buffer, at: number): boolean => bytes[at] === 0x7b
export const isArray = (bytes: Buffer, at: number): boolean => bytes[at] === 0x5b

/** Visits the members of the object at `at`. */
export function eachMember(bytes: Buffer, at: number, visit: VisitMember): void {
  const json = new JsonScanner(bytes, at + 1)
  json.space()
  while (json.byte() === QUOTE) {
    const from = json.at
    json.string()
    const nameEnd = json.at
    json.space()
    json.step()
    json.space()
    const start = json.at
    json.value()
    visit(stringOf(bytes, from, nameEnd) ?? '', start, json.at, from)
    if (!nextOf(json)) return
  }
}

/** Visits the elements of the array at `at`. */
export function eachElement(bytes: Buffer, at: number, visit: VisitElement): void {
  const json = new JsonScanner(bytes, at + 1)
  json.space()
  if (json.byte() === 0x5d) return
  do {
    const start = json.at
    json.value()
    visit(start, json.at)
  } while (nextOf(json))
}

/** Skips the comma between two members or elements; false where there is none. */
function nextOf(json: JsonScanner): boolean {
  json.space()
  if (json.byte() !== COMMA) return false
  json.step()
  json.space()
  return true
}

/** The text of the string between `start` and `end`, its quotes included; undefined when that is no string. */
export function stringOf(bytes: Buffer, start: number, end: number): string | undefined {
  if (bytes[start] !== QUOTE) return undefined
  const text = bytes.toString('utf8', start, end)
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}

/** The name as readers see it that do not mind case. Up before down: some take ſ for s, and the Kelvin sign for k. */
export const foldedCase = (name: string): string => name.toUpperCase().toLowerCase()

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
