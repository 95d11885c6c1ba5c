/** Unusual responses: one object describes how a response differs from the normal one. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { z } from 'zod'

const ENCODERS = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync }
const memberNames = z.array(z.string())

/** How a response differs from the normal one. Members are optional and can be combined. */
export const ResponseOptions = z.strictObject({
  /** The number of responses that these options apply to. Default `always`. */
  times: z.number().int().min(1).or(z.literal('always')).optional(),
  /**
   * Whether the server processes the request (rotates, issues, registers, revokes). Default: only with a 2xx status and without `error`. With
   * `false` and a 2xx status, the credentials in the response are invalid.
   */
  applied: z.boolean().optional(),
  status: z.number().int().min(200).max(599).optional(),
  /** Additional headers. They replace headers of the same name. */
  headers: z.record(z.string(), z.string()).optional(),
  /** `Location`. Default with a 3xx status: `/moved`, which does not exist. */
  location: z.string().optional(),
  /** `Content-Type`; may be empty. Default: that of `format`. */
  contentType: z.string().optional(),
  /** The format of the body; `html` is a page without the members. Default `json`. */
  format: z.enum(['json', 'form', 'html']).optional(),
  /** An OAuth error instead of the normal members. `status` defaults to 400. */
  error: z.string().optional(),
  /** The `error_description` for `error`. */
  description: z.string().optional(),
  /** Members to remove. */
  without: memberNames.optional(),
  /** Members to set, e.g. to `null`, `""` or a value of a wrong type. */
  with: z.record(z.string(), z.unknown()).optional(),
  /** Members to set to strings of this length. */
  large: z.record(z.string(), z.number().int().min(0)).optional(),
  /** Members to write twice. */
  repeated: memberNames.optional(),
  /** Puts all members into an object under this name; `a.b` nests twice. */
  wrapIn: z.string().optional(),
  /** Adds a member `x_padding` of this length. */
  paddingBytes: z.number().int().min(0).optional(),
  /** The complete body. */
  body: z.string().optional(),
  /** Compresses the body, regardless of `Accept-Encoding`. */
  contentEncoding: z.enum(['gzip', 'br', 'deflate']).optional(),
})
export type ResponseOptions = z.infer<typeof ResponseOptions>

/** {@link ResponseOptions} of the token endpoint. */
export const TokenResponseOptions = ResponseOptions.extend({
  /** The requests that it applies to. Default `any`, which does not include revocations. */
  on: z.enum(['refresh_token', 'authorization_code', 'any']).optional(),
})
export type TokenResponseOptions = z.infer<typeof TokenResponseOptions>

/** {@link ResponseOptions} of a discovery document. */
export const DocumentOptions = ResponseOptions.extend({
  /** The document at this path. Default: the normal one, or an empty object if there is none. */
  document: z.enum(['authorization-server', 'protected-resource']).optional(),
})
export type DocumentOptions = z.infer<typeof DocumentOptions>

const isSuccess = (status: number) => status >= 200 && status < 300
const isRedirect = (status: number) => status >= 300 && status < 400

/** True if the server processes the request despite the unusual response. */
export function isApplied(options: ResponseOptions | undefined): boolean {
  return options?.applied ?? (options?.error === undefined && isSuccess(options?.status ?? 200))
}

/** Counts a use of `holder[name]`, and removes it after the last one. */
export function useUp<Name extends string>(
  holder: { [Key in Name]?: { times?: number | 'always' | undefined } | null },
  name: Name,
): void {
  const options = holder[name]
  if (options?.times === undefined || options.times === 'always') return
  if (options.times > 1) options.times--
  else holder[name] = null
}

/** Applies `options` to the normal response. */
export async function applyResponseOptions(normal: Response, options: ResponseOptions | undefined): Promise<Response> {
  if (!options) return normal
  const status = options.status ?? (options.error !== undefined && normal.ok ? 400 : normal.status)
  const members = changedMembers(await normalMembers(normal, status, options), options)
  const body = bytesOf(options.body ?? formatBody(members, options), options)

  const headers = new Headers(normal.headers)
  headers.set('content-type', options.contentType ?? CONTENT_TYPES[options.format ?? 'json'])
  if (options.contentEncoding) headers.set('content-encoding', options.contentEncoding)
  const location = options.location ?? (isRedirect(status) ? '/moved' : undefined)
  if (location !== undefined) headers.set('location', location)
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value)
  // Response does not allow a body with these.
  const isBodyless = [204, 205, 304].includes(status) || body.length === 0
  return new Response(isBodyless ? null : body, { status, headers })
}

const CONTENT_TYPES = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  html: 'text/html; charset=UTF-8',
}

async function normalMembers(
  normal: Response,
  status: number,
  options: ResponseOptions,
): Promise<Record<string, unknown> | undefined> {
  const { error, description } = options
  if (error !== undefined) return { error, ...(description !== undefined && { error_description: description }) }
  const text = await normal.text()
  const isRefusedNow = normal.ok && !isSuccess(status) && !isApplied(options)
  if (isRefusedNow) return isRedirect(status) ? undefined : { error: errorOf(status) }
  try {
    return JSON.parse(text) as Record<string, unknown> // The simulator's own JSON responses are objects.
  } catch {
    return undefined
  }
}

function errorOf(status: number): string {
  if (status === 429) return 'temporarily_unavailable'
  return status < 500 ? 'invalid_request' : 'server_error'
}

/** Names and values in their order, possibly with repeated names. `undefined`: no body. */
function changedMembers(
  normal: Record<string, unknown> | undefined,
  options: ResponseOptions,
): [name: string, value: unknown][] | undefined {
  const added = {
    ...options.with,
    ...Object.fromEntries(Object.entries(options.large ?? {}).map(([name, length]) => [name, 'x'.repeat(length)])),
    ...(options.paddingBytes !== undefined && { x_padding: 'x'.repeat(options.paddingBytes) }),
  }
  if (!normal && Object.keys(added).length === 0) return undefined
  return Object.entries({ ...normal, ...added })
    .filter(([name, value]) => value !== undefined && !options.without?.includes(name))
    .flatMap((member) => (options.repeated?.includes(member[0]) ? [member, member] : [member]))
}

function formatBody(
  members: [name: string, value: unknown][] | undefined,
  { format, wrapIn }: ResponseOptions,
): string {
  if (format === 'html') return '<!doctype html><title>Just a moment</title><h1>Something went wrong</h1>\n'
  if (!members) return ''
  const inText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  if (format === 'form') {
    const form = new URLSearchParams()
    for (const [name, value] of members) form.append(name, inText(value))
    return form.toString()
  }
  const json = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
  return (wrapIn?.split('.') ?? []).reduceRight((inner, name) => `{${JSON.stringify(name)}:${inner}}`, json)
}

function bytesOf(text: string, { contentEncoding }: ResponseOptions): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(text)
  return contentEncoding ? Buffer.from(ENCODERS[contentEncoding](bytes)) : bytes
}
