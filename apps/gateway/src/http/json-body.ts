import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { Failure } from '../failure.ts'
import type { App } from './app.ts'

const MAX_BODY_BYTES = 16 * 1024
/** For the routes whose body is read whole. */
export const limited = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError() {
    throw new Failure('too_large', `The body is larger than the ${MAX_BODY_BYTES} bytes that are taken here.`)
  },
})

/** @throws {Failure} `invalid_json`, `invalid_request` */
export async function bodyOf<T>(c: Context<App>, schema: z.ZodType<T>): Promise<T> {
  let body: unknown
  try {
    body = JSON.parse(await c.req.text())
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
