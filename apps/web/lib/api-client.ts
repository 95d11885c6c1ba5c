import './zod-without-eval.ts'
import * as z from 'zod/mini'

/** No response arrived: the browser is offline, or nothing listens at the app's address. */
export const UNREACHABLE = 'unreachable'

interface ApiErrorOptions extends ErrorOptions {
  readonly status?: number
  readonly title?: string | undefined
  readonly retryAfter?: number | undefined
}

/** A call that has no result. The message is for the user: what happened, and what to do next. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** Of the problem document (RFC 9457) or of better-auth; {@link UNREACHABLE} without a response, `internal` for an unreadable one. */
  readonly code: string
  /** The HTTP status; 0 without a response. */
  readonly status: number
  readonly title: string | undefined
  /** Seconds after which the same call may succeed. */
  readonly retryAfter: number | undefined

  constructor(code: string, message: string, { status = 0, title, retryAfter, ...options }: ApiErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.status = status
    this.title = title
    this.retryAfter = retryAfter
  }
}

export interface ApiCall {
  /** Default: `GET`. */
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** Continues the request after the page is left. */
  readonly keepalive?: boolean
  /** The message for an error response; undefined where its own `detail` will do. */
  readonly explain?: (error: ErrorBody) => string | undefined
}

/** A problem document, or an error of better-auth (`code`, `message`). */
const ErrorBody = z.object({
  code: z.optional(z.string()),
  title: z.optional(z.string()),
  detail: z.optional(z.string()),
  message: z.optional(z.string()),
})
export type ErrorBody = z.infer<typeof ErrorBody>

const UNKNOWN = 'Something went wrong on our end. Try again in a moment.'

/**
 * The successful response of this app, its body unread.
 *
 * @throws {ApiError} or the reason of the signal, once that is aborted.
 */
export async function requestApi(path: string, call: ApiCall = {}): Promise<Response> {
  const { method = 'GET', body, signal, keepalive = false, explain } = call
  let response: Response
  try {
    response = await fetch(path, {
      method,
      keepalive,
      ...(signal && { signal }),
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  } catch (cause) {
    signal?.throwIfAborted()
    throw new ApiError(UNREACHABLE, 'Can’t reach the app. Check your connection and try again.', { cause })
  }
  if (response.ok) return response
  throw await apiErrorOf(response, explain)
}

/**
 * Calls where only success matters.
 *
 * @throws {ApiError}
 */
export async function callApi(path: string, call?: ApiCall): Promise<void> {
  const response = await requestApi(path, call)
  await response.body?.cancel()
}

/**
 * Calls with a JSON result, as the schema describes it; a response without a body is read as undefined.
 *
 * @throws {ApiError} also when the response does not fit the schema, as after an upgrade of the app under an open page.
 */
export async function readApi<Schema extends z.core.$ZodType>(
  path: string,
  schema: Schema,
  call?: ApiCall,
): Promise<z.output<Schema>> {
  const response = await requestApi(path, call)
  const body: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined)
  call?.signal?.throwIfAborted()
  const parsed = z.safeParse(schema, body)
  if (parsed.success) return parsed.data
  throw new ApiError('internal', 'Couldn’t read the app’s response. Reload the page.', {
    status: response.status,
    cause: parsed.error,
  })
}

/** The parsed error response. */
export async function apiErrorOf(response: Response, explain?: ApiCall['explain']): Promise<ApiError> {
  const body = ErrorBody.safeParse(await response.json().catch(() => undefined)).data ?? {}
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ApiError(body.code ?? 'internal', explain?.(body) ?? body.detail ?? fallback(response.status), {
    status: response.status,
    title: body.title,
    retryAfter: Number.isFinite(seconds) ? seconds : undefined,
  })
}

const fallback = (status: number) => (status === 429 ? 'Too many attempts. Wait a minute and try again.' : UNKNOWN)

/** What to show of an error. */
export const messageOf = (error: unknown): string =>
  error instanceof ApiError ? error.message : 'Something went wrong on this page. Reload it.'

/** True if the user is signed out or not a member of the space: reload, and let the server redirect. */
export const isOutside = (error: unknown): boolean =>
  error instanceof ApiError && ['unauthenticated', 'forbidden_space'].includes(error.code)
