import { Failure } from '../platform/failure.ts'
import type { Admission } from './admission.ts'

/** The body of a request as it comes in: bounded, and counted for its holder until it is let go. */
export class RequestBody {
  readonly #admission: Admission
  readonly #maxBytes: number
  readonly #holder: string | undefined
  #pieces: Buffer[] = []
  #bytes = 0

  /**
   * @param announcedBytes by `Content-Length`; 0 when nothing is.
   * @param holder as {@link Admission.holdBody} has it.
   * @throws {Failure} `too_large`.
   */
  constructor(admission: Admission, maxBytes: number, announcedBytes: number, holder: string | undefined) {
    if (announcedBytes > maxBytes) throw tooLarge(maxBytes)
    this.#admission = admission
    this.#maxBytes = maxBytes
    this.#holder = holder
  }

  /** @throws {Failure} `too_large`, `overloaded`. */
  add(piece: Buffer): void {
    if (this.#bytes + piece.length > this.#maxBytes) throw tooLarge(this.#maxBytes)
    this.#admission.holdBody(this.#holder, piece.length)
    this.#bytes += piece.length
    this.#pieces.push(piece)
  }

  /** All that came, once; it stays counted. */
  take(): Buffer {
    const pieces = this.#pieces
    this.#pieces = []
    return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
  }

  letGo(): void {
    this.#admission.releaseBody(this.#holder, this.#bytes)
    this.#bytes = 0
  }
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('too_large', `The body is larger than the ${maxBytes} bytes that this gateway takes.`)
}
