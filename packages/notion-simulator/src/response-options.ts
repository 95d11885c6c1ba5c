/** Responses that a client does not expect: one object describes how a response differs from the usual one. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { z } from 'zod'

const ENCODERS = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync }
const memberNames = z.array(z.string())

/** How a response differs from the usual one. Every member is optional, and they combine. */
export const ResponseOptions = z.strictObject({
  /** For how many responses these options count. Default `always`. */
  times: z.number().int().min(1).or(z.literal('always')).optional(),
  /**
   * Whether the server does what the request asks for (rotates, issues, registers, revokes). Default: only with a
   * 2xx status and without `error`. With `false` and a 2xx status, the credentials in the response are made up.
   */
  applied: z.boolean().optional(),
  status: z.number().int().min(200).max(599).optional(),
  /** Additional headers; they replace others of the same name. */
  headers: z.record(z.string(), z.string()).optional(),
  /** `Location`. Default with a 3xx status: `/moved`, where nothing is. */
  location: z.string().optional(),
  /** `Content-Type`; may be empty. Default: what suits `format`. */
  contentType: z.string().optional(),
  /** How the members are written; `html` is a page without any of them. Default `json`. */
  format: z.enum(['json', 'form', 'html']).optional(),
  /** An OAuth error instead of the usual members, with status 400 unless `status` says otherwise. */
  error: z.string().optional(),
  /** `error_description` beside `error`. */
  description: z.string().optional(),
  /** Members that are left out. */
  without: memberNames.optional(),
  /** Members with these values, e.g. `null`, `""` or one of a wrong type. */
  with: z.record(z.string(), z.unknown()).optional(),
  /** Members that are a string of this many characters. */
  large: z.record(z.string(), z.number().int().min(0)).optional(),
  /** Members that the JSON text has twice. */
  repeated: memberNames.optional(),
  /** Puts all members into an object under this name; `a.b` nests twice. */
  wrapIn: z.string().optional(),
  /** Adds a member `x_padding` of this many characters. */
  paddingBytes: z.number().int().min(0).optional(),
  /** The whole body, as it is. */
  body: z.string().optional(),
  /** Compresses the body, whether or not the client accepts that. */
  contentEncoding: z.enum(['gzip', 'br', 'deflate']).optional(),
})
export type ResponseOptions = z.infer<typeof ResponseOptions>

/** {@link ResponseOptions} of the token endpoint. */
export const TokenResponseOptions = ResponseOptions.extend({
  /** Responses to which requests. Default `any`, which does not include revocations. */
  on: z.enum(['refresh_token', 'authorization_code', 'any']).optional(),
})
export type TokenResponseOptions = z.infer<typeof TokenResponseOptions>

/** {@link ResponseOptions} of a discovery document. */
export const DocumentOptions = ResponseOptions.extend({
  /** Which document is served at this path. Default: the usual one, or an empty object where there is none. */
  document: z.enum(['authorization-server', 'protected-resource']).optional(),
})
export type DocumentOptions = z.infer<typeof DocumentOptions>

const isSuccess = (status: number) => status >= 200 && status < 300
const isRedirect = (status: number) => status >= 300 && status < 400

/** Whether the server does what the request asks for, although it answers with `options`. */
export function isApplied(options: ResponseOptions | undefined): boolean {
  return options?.applied ?? (options?.error === undefined && isSuccess(options?.status ?? 200))
}

/** Counts `holder[name]` as used once, and removes it when it was for no further response. */
export function useUp<Name extends string>(
  holder: { [Key in Name]?: { times?: number | 'always' | undefined } | null },
  name: Name,
): void {
  const options = holder[name]
  if (options?.times === undefined || options.times === 'always') return
  if (options.times > 1) options.times--
  else holder[name] = null
}

/** The response that `options` make of the usual one. */
export async function reshaped(usual: Response, options: ResponseOptions | undefined): Promise<Response> {
  if (!options) return usual
  const status = options.status ?? (options.error !== undefined && usual.ok ? 400 : usual.status)
  const members = changedMembers(await usualMembers(usual, status, options), options)
  const body = bytesOf(options.body ?? written(members, options), options)

  const headers = new Headers(usual.headers)
  headers.set('content-type', options.contentType ?? CONTENT_TYPES[options.format ?? 'json'])
  if (options.contentEncoding) headers.set('content-encoding', options.contentEncoding)
  const location = options.location ?? (isRedirect(status) ? '/moved' : undefined)
  if (location !== undefined) headers.set('location', location)
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value)
  // Fetch does not allow a body with these.
  const isBodyless = [204, 205, 304].includes(status) || body.length === 0
  return new Response(isBodyless ? null : body, { status, headers })
}

const CONTENT_TYPES = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  html: 'text/html; charset=UTF-8',
}

async function usualMembers(
  usual: Response,
  status: number,
  options: ResponseOptions,
): Promise<Record<string, unknown> | undefined> {
  const { error, description } = options
  if (error !== undefined) return { error, ...(description !== undefined && { error_description: description }) }
  const text = await usual.text()
  const isRefusedNow = usual.ok && !isSuccess(status) && !isApplied(options)
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

/** Names and values in the order in which they are written; a name may be there twice. `undefined`: no body. */
function changedMembers(
  usual: Record<string, unknown> | undefined,
  options: ResponseOptions,
): [name: string, value: unknown][] | undefined {
  const added = {
    ...options.with,
    ...Object.fromEntries(Object.entries(options.large ?? {}).map(([name, length]) => [name, 'x'.repeat(length)])),
    ...(options.paddingBytes !== undefined && { x_padding: 'x'.repeat(options.paddingBytes) }),
  }
  if (!usual && Object.keys(added).length === 0) return undefined
  return Object.entries({ ...usual, ...added })
    .filter(([name, value]) => value !== undefined && !options.without?.includes(name))
    .flatMap((member) => (options.repeated?.includes(member[0]) ? [member, member] : [member]))
}

function written(members: [name: string, value: unknown][] | undefined, { format, wrapIn }: ResponseOptions): string {
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
