import 'server-only'
import type { z } from 'zod'
import { isJson } from './media-types.ts'
import { Failure } from './failure.ts'
import { containsNul } from './text.ts'

/**
 * The request's JSON body. Only with a JSON content type: forms of other sites can send JSON as text, and cannot set that.
 *
 * @throws {Failure} `unsupported_media_type`, `invalid_json`, `invalid_request`
 */
export async function jsonBody<Schema extends z.ZodType>(request: Request, schema: Schema): Promise<z.infer<Schema>> {
  requireJson(request.headers)
  return parsed(await request.text(), schema)
}

/** The same, where no body at all is as good as `{}`. */
export async function optionalJsonBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const text = await request.text()
  if (text === '') return parsed('{}', schema)
  requireJson(request.headers)
  return parsed(text, schema)
}

/** @throws {Failure} `unsupported_media_type` */
export function requireJson(headers: Headers): void {
  if (isJson(headers.get('content-type'))) return
  throw new Failure('unsupported_media_type', 'Send the body as JSON, with the header Content-Type: application/json.')
}

function parsed<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new Failure('invalid_json', 'The request body isn’t valid JSON. Send an object.', { cause })
  }
  if (containsNul(body)) throw new Failure('invalid_request', 'The character NUL is not allowed.')
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const { path = [], message = '' } = result.error.issues[0] ?? {}
  throw new Failure(
    'invalid_request',
    `The request body isn’t valid${path.length > 0 ? `, at ${path.join('.')}` : ''}: ${message}.`,
  )
}

/** Headers that forbid caching of responses with user data. */
export const noStore = { headers: { 'cache-control': 'no-store' } }
