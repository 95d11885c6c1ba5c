import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import type { z } from 'zod'
import { isInUtf8, isPlain } from './content-type.ts'
import { Failure } from './failure.ts'
import type { App } from './router.ts'

const MAX_BODY_BYTES = 16 * 1024
export const encoded = (): Failure =>
  new Failure('unsupported_encoding', 'The body is encoded. Send it as plain JSON, without Content-Encoding.')

/** @throws {Failure} `invalid_json`, `invalid_request`, `unsupported_encoding`, `too_large` */
export async function bodyOf<T>(c: Context<App>, schema: z.ZodType<T>): Promise<T> {
  if (!isPlain(c.req.header('content-encoding'))) throw encoded()
  const type = c.req.header('content-type')
  if (type !== undefined && !isInUtf8(type)) {
    throw new Failure('invalid_json', 'JSON is UTF-8: send Content-Type without a charset, or with charset=utf-8.')
  }
  let body: unknown
  try {
    body = JSON.parse(await textOf(c.env.incoming))
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('invalid_json', 'The body is not JSON.', { cause })
  }
  const { success, data, error } = schema.safeParse(body)
  if (success) return data
  // Where it is wrong, not what was sent: the schema's own words may repeat a value.
  const places = [...new Set(error.issues.map(({ path }) => path.join('.') || 'the body'))].join(', ')
  throw new Failure(
    'invalid_request',
    `Not as described: ${places.slice(0, 200)}. See the README for what is taken here.`,
  )
}

/** Reads the body in any framing. The limit counts received bytes; an announced length above it is refused at once. */
async function textOf(incoming: IncomingMessage): Promise<string> {
  const tooLarge = () =>
    new Failure('too_large', `The body is larger than the ${MAX_BODY_BYTES} bytes that are taken here.`)
  // With `Expect: 100-continue`, the caller has not sent the body yet.
  if (Number(incoming.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const pieces: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    // Keep reading past the limit: closing at once would reset the connection before the caller has read the response.
    incoming.on('data', (piece: Buffer) => {
      size += piece.length
      if (size <= MAX_BODY_BYTES) pieces.push(piece)
      else reject(tooLarge())
    })
    incoming.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')))
    incoming.on('error', reject)
  })
}
