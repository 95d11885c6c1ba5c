import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import type { z } from 'zod'
import { isInUtf8, isUnencoded } from './content-type.ts'
import { Failure } from './failure.ts'
import type { App } from './router.ts'

const MAX_BODY_BYTES = 16 * 1024

/**
 * Rejects a JSON body that another server could read differently: one that is encoded, or not in UTF-8.
 *
 * @throws {Failure} `unsupported_encoding`, `invalid_json`.
 */
export function assertPlainJson(contentEncoding: string | undefined, contentType: string | undefined): void {
  if (!isUnencoded(contentEncoding)) {
    throw new Failure('unsupported_encoding', 'The body is encoded. Send it as plain JSON, without Content-Encoding.')
  }
  if (contentType !== undefined && !isInUtf8(contentType)) {
    throw new Failure('invalid_json', 'JSON is UTF-8: send Content-Type without a charset, or with charset=utf-8.')
  }
}

/** Reads and validates the JSON body of a request. @throws {Failure} `invalid_json`, `invalid_request`, `unsupported_encoding`, `too_large` */
export async function readJsonBody<T>(c: Context<App>, schema: z.ZodType<T>): Promise<T> {
  assertPlainJson(c.req.header('content-encoding'), c.req.header('content-type'))
  let body: unknown
  try {
    body = JSON.parse(await readText(c.env.incoming))
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('invalid_json', 'The body is not JSON.', { cause })
  }
  const { success, data, error } = schema.safeParse(body)
  if (success) return data
  // Only the paths: Zod's messages may repeat the values sent.
  const paths = [...new Set(error.issues.map(({ path }) => path.join('.') || 'the body'))].join(', ')
  throw new Failure('invalid_request', `Not valid: ${paths.slice(0, 200)}. See docs/embed.md for the expected body.`)
}

/** Reads the body in any framing. The limit applies to received bytes; a larger Content-Length is rejected at once. */
async function readText(incoming: IncomingMessage): Promise<string> {
  const tooLarge = () => new Failure('too_large', `The body is larger than the limit of ${MAX_BODY_BYTES} bytes.`)
  // With `Expect: 100-continue`, the caller has not sent the body yet.
  if (Number(incoming.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    // Keep reading past the limit: closing at once would reset the connection before the caller has read the response.
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BODY_BYTES) chunks.push(chunk)
      else reject(tooLarge())
    })
    incoming.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    incoming.on('error', reject)
  })
}
