import type { IncomingMessage } from 'node:http'
import { Failure } from '../platform/failure.ts'
import type { Admission } from './admission.ts'

/** A request body while it arrives: limited in size, and counted for its holder until it is released. */
export class RequestBody {
  readonly #admission: Admission
  readonly #maxBytes: number
  readonly #holder: string | undefined
  #chunks: Buffer[] = []
  #bytes = 0

  /** @param holder as in {@link Admission.holdBody}. */
  constructor(admission: Admission, maxBytes: number, holder: string | undefined) {
    this.#admission = admission
    this.#maxBytes = maxBytes
    this.#holder = holder
  }

  /**
   * Resolves to the whole body; it stays counted. What arrives after a rejection is read and dropped.
   *
   * @throws {Failure} `too_large`, `overloaded`.
   */
  async read(req: IncomingMessage): Promise<Buffer> {
    if (Number(req.headers['content-length'] ?? 0) > this.#maxBytes) throw tooLarge(this.#maxBytes)
    await new Promise<void>((resolve, reject) => {
      let isRejected = false
      req.on('data', (chunk: Buffer) => {
        if (isRejected) return
        try {
          this.#add(chunk)
        } catch (reason) {
          isRejected = true
          reject(reason as Failure)
        }
      })
      req.on('end', resolve)
    })
    const chunks = this.#chunks
    this.#chunks = []
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
  }

  release(): void {
    this.#admission.releaseBody(this.#holder, this.#bytes)
    this.#bytes = 0
  }

  #add(chunk: Buffer): void {
    if (this.#bytes + chunk.length > this.#maxBytes) throw tooLarge(this.#maxBytes)
    this.#admission.holdBody(this.#holder, chunk.length)
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
  }
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('too_large', `The body is larger than the ${maxBytes} bytes that this gateway takes.`)
}
