/** Requests and responses of the authorization server, between Node's HTTP and the library's. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

/** Body limit; the library's own limit is lower. */
const MAX_BODY_BYTES = 64 * 1024

/** The body; undefined when it is too large. It may come in chunks, without a length. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export interface PassedRequest {
  readonly method: string
  /** Below the issuer. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body?: string
}

/** A request for the library: with nothing of the client's but what is said here, and for the issuer's own address. */
export function passedRequest(
  issuer: string,
  { method, path, headers, body = '' }: PassedRequest,
  from: IncomingMessage,
) {
  const { host, protocol, pathname } = new URL(issuer)
  return Object.assign(Readable.from(body === '' ? [] : [Buffer.from(body)], { objectMode: false }), {
    method,
    url: path,
    originalUrl: pathname + path,
    headers: {
      ...headers,
      host,
      'x-forwarded-proto': protocol.slice(0, -1),
      accept: 'application/json',
      ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    socket: from.socket,
    httpVersion: from.httpVersion,
  }) as unknown as IncomingMessage
}

/** Clients that run in web pages may read the responses. They depend on no cookie, because none is read. */
export function openToAllOrigins(response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-allow-methods', 'GET, POST')
  response.setHeader('access-control-allow-headers', 'authorization, content-type, mcp-protocol-version')
  response.setHeader('access-control-expose-headers', 'retry-after, www-authenticate')
  response.setHeader('access-control-max-age', '600')
  response.setHeader('cross-origin-resource-policy', 'cross-origin')
}

/** Rejects a request with an OAuth error body. */
export interface RefusedRequest {
  readonly status: number
  readonly body?: { readonly error: string; readonly error_description: string }
  readonly headers: Record<string, string>
}

/** For server faults such as an unavailable database: clients retry without a new login. */
export const UNAVAILABLE = {
  status: 503,
  headers: { 'retry-after': '5' },
  body: {
    error: 'temporarily_unavailable',
    error_description: 'Something went wrong on our end. Try again in a moment.',
  },
} satisfies RefusedRequest

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = { 'cache-control': 'no-store' },
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export function redirect(response: ServerResponse, location: string, headers: Record<string, string> = {}): void {
  response.writeHead(302, { location, 'cache-control': 'no-store', ...headers }).end()
}
