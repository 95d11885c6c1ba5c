import 'server-only'
import type { z } from 'zod'
import { Refusal } from './refusal.ts'
import { containsNul } from './text.ts'

/**
 * The request's JSON body.
 *
 * @throws {Refusal} `invalid_json`, `invalid_request`
 */
export async function jsonBody<Schema extends z.ZodType>(request: Request, schema: Schema): Promise<z.infer<Schema>> {
  let body: unknown
  try {
    body = await request.json()
  } catch (cause) {
    throw new Refusal('invalid_json', 'The body is not JSON. Send an object.', { cause })
  }
  if (containsNul(body)) throw new Refusal('invalid_request', 'The character NUL is not allowed.')
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const { path = [], message = '' } = parsed.error.issues[0] ?? {}
  throw new Refusal(
    'invalid_request',
    `The body is not what is expected here${path.length > 0 ? `, at ${path.join('.')}` : ''}: ${message}.`,
  )
}

/** For answers about people and spaces: nobody in between keeps them. */
export const noStore = { headers: { 'cache-control': 'no-store' } }
