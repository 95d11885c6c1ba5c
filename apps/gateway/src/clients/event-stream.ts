/** The bytes of an event stream ([HTML §9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream)), event by event. */
import { edited, type Edit } from '../proxy/json-bytes.ts'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a

/**
 * Takes a stream apart at its blank lines, and behind comments that stand between events: they keep a quiet connection alive and must not
 * wait. What it gives out, joined, is what it was given.
 */
export class EventSplitter {
  #pieces: Buffer[] = []
  #heldBytes = 0
  /** Nothing has come on the current line yet. */
  #isLineEmpty = true
  #isComment = false
  /** A field of the next event has come, in whole or in part. */
  #hasField = false
  #isAfterCr = false

  /** Bytes of the event that is not complete. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The events and comments that are complete now, each with its line end. */
  push(bytes: Buffer): Buffer[] {
    const events: Buffer[] = []
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === LF && this.#isAfterCr) {
        this.#isAfterCr = false
        // The other half of a line end whose event has gone already: readers may be waiting for it.
        if (this.#heldBytes === 0 && at === from) {
          events.push(bytes.subarray(at, at + 1))
          from = at + 1
        }
        continue
      }
      this.#isAfterCr = byte === CR
      if (byte !== LF && byte !== CR) {
        if (this.#isLineEmpty) this.#isComment = byte === COLON
        this.#hasField ||= !this.#isComment
        this.#isLineEmpty = false
        continue
      }
      if (this.#isLineEmpty || !this.#hasField) {
        events.push(this.#joined(bytes.subarray(from, at + 1)))
        from = at + 1
        this.#hasField = false
      }
      this.#isLineEmpty = true
    }
    if (from < bytes.length) {
      this.#pieces.push(bytes.subarray(from))
      this.#heldBytes += bytes.length - from
    }
    return events
  }

  /** What came after the last complete event. */
  rest(): Buffer {
    return this.#joined(Buffer.alloc(0))
  }

  #joined(last: Buffer): Buffer {
    const event = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#heldBytes = 0
    return event
  }
}

/** A stretch of an event's data: where it stands in the event, and where in the data. */
interface Stretch {
  readonly start: number
  readonly length: number
  readonly dataStart: number
}

/**
 * The event with its data edited and everything else as it was: other fields, comments, the kind of line ends.
 *
 * @param edit returns the changes to an event's data (its lines joined by line feeds); undefined if the data cannot be read.
 * @returns undefined if `edit` does.
 */
export function editEvent(event: Buffer, edit: (data: Buffer) => Edit[] | undefined): Buffer | undefined {
  const { data, stretches } = dataOf(event)
  if (stretches.length === 0) return event
  const edits = edit(data)
  return (
    edits &&
    edited(
      event,
      edits.flatMap((one) => placed(one, stretches)),
    )
  )
}

function dataOf(event: Buffer): { data: Buffer; stretches: Stretch[] } {
  const stretches: Stretch[] = []
  const pieces: Buffer[] = []
  let dataStart = 0
  let at = 0
  while (at < event.length) {
    let end = at
    while (end < event.length && event[end] !== LF && event[end] !== CR) end++
    if (event.toString('latin1', at, at + 5) === 'data:') {
      const start = at + (event[at + 5] === 0x20 && end > at + 5 ? 6 : 5)
      if (pieces.length > 0) pieces.push(Buffer.from('\n'))
      pieces.push(event.subarray(start, end))
      stretches.push({ start, length: end - start, dataStart })
      dataStart += end - start + 1
    }
    at = end + 1
  }
  return { data: Buffer.concat(pieces), stretches }
}

/** An edit of the data as edits of the event: of a line that it touches, only what is data goes. */
function placed({ start, end, text }: Edit, stretches: readonly Stretch[]): Edit[] {
  const edits: Edit[] = []
  for (const { start: place, length, dataStart } of stretches) {
    const from = Math.max(start, dataStart)
    const to = Math.min(end, dataStart + length)
    if (from >= to) continue
    edits.push({
      start: place + from - dataStart,
      end: place + to - dataStart,
      text: edits.length === 0 ? text : '',
    })
  }
  return edits
}
