/** Splits and edits the bytes of an SSE stream ([HTML §9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream)). */
import { edited, type Edit } from '../proxy/json-bytes.ts'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a

/**
 * Splits a stream after blank lines, and after comments between events: comments keep an idle connection alive and must not be delayed.
 * The concatenated output equals the input.
 */
export class EventSplitter {
  #pieces: Buffer[] = []
  #bufferedBytes = 0
  /** True at the start of a line. */
  #isLineEmpty = true
  #isComment = false
  /** True if the buffered event contains a field or the start of one. */
  #hasField = false
  #isAfterCr = false

  /** Bytes of the incomplete event. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Adds bytes. @returns the events and comments that are now complete, including their line ends. */
  push(bytes: Buffer): Buffer[] {
    const events: Buffer[] = []
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === LF && this.#isAfterCr) {
        this.#isAfterCr = false
        // The LF of a CRLF whose event was already returned. It is returned at once, because a parser may wait for it.
        if (this.#bufferedBytes === 0 && at === from) {
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
        events.push(this.#takeBuffered(bytes.subarray(from, at + 1)))
        from = at + 1
        this.#hasField = false
      }
      this.#isLineEmpty = true
    }
    if (from < bytes.length) {
      this.#pieces.push(bytes.subarray(from))
      this.#bufferedBytes += bytes.length - from
    }
    return events
  }

  /** The bytes after the last complete event. */
  rest(): Buffer {
    return this.#takeBuffered(Buffer.alloc(0))
  }

  #takeBuffered(last: Buffer): Buffer {
    const event = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#bufferedBytes = 0
    return event
  }
}

/** The position of one `data` line's value, in the event and in the event's data. */
interface DataSpan {
  readonly start: number
  readonly length: number
  readonly dataStart: number
}

/**
 * Edits the data of an event. Other fields, comments and the style of line ends do not change.
 *
 * @param edit returns the edits of an event's data (its lines joined by line feeds); undefined if it cannot parse the data.
 * @returns the edited event; undefined if `edit` returns undefined.
 */
export function editEvent(event: Buffer, edit: (data: Buffer) => Edit[] | undefined): Buffer | undefined {
  const { data, spans } = extractData(event)
  if (spans.length === 0) return event
  const edits = edit(data)
  return (
    edits &&
    edited(
      event,
      edits.flatMap((dataEdit) => toEventEdits(dataEdit, spans)),
    )
  )
}

function extractData(event: Buffer): { data: Buffer; spans: DataSpan[] } {
  const spans: DataSpan[] = []
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
      spans.push({ start, length: end - start, dataStart })
      dataStart += end - start + 1
    }
    at = end + 1
  }
  return { data: Buffer.concat(pieces), spans }
}

/** Converts an edit of the data to edits of the event, one per affected line. Field names and line ends remain. */
function toEventEdits({ start, end, text }: Edit, spans: readonly DataSpan[]): Edit[] {
  const edits: Edit[] = []
  for (const { start: spanStart, length, dataStart } of spans) {
    const from = Math.max(start, dataStart)
    const to = Math.min(end, dataStart + length)
    if (from >= to) continue
    edits.push({
      start: spanStart + from - dataStart,
      end: spanStart + to - dataStart,
      text: edits.length === 0 ? text : '',
    })
  }
  return edits
}
