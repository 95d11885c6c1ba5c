/** Bodies that a server has compressed although it was asked not to ([RFC 9110 §8.4](https://www.rfc-editor.org/rfc/rfc9110#section-8.4)). */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'
import { TooMuchBody } from './too-much-body.ts'

const decoders: Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
  // Servers disagree on whether `deflate` has a zlib header.
  deflate: (bytes, options) => promisify(inflate)(bytes, options).catch(() => promisify(inflateRaw)(bytes, options)),
}

/**
 * The body as it was before it was compressed; as it came when the coding is unknown, or is not what the header says.
 *
 * @throws {TooMuchBody} when it is longer than `maxBytes` then.
 */
export async function decoded(bytes: Buffer, contentEncoding: string | null, maxBytes: number): Promise<Buffer> {
  const decode = decoders[contentEncoding?.trim().toLowerCase() ?? '']
  if (!decode) return bytes
  try {
    return await decode(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TooMuchBody(`the response is longer than ${maxBytes} bytes`)
    }
    return bytes
  }
}
