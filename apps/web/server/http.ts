import { createServer, STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { prepareDrain, listenError } from '@nmg/process'
import { causeOf, log } from '../lib/log.ts'
import { ASKED_PATH } from '../lib/return-path.ts'
import { withPresentNames } from '../lib/session-cookies.ts'
import { isApi, isNavigation, letOnlyDataOut } from './api-guard.ts'
import { setClientAddress } from './client-address.ts'
import type { Readiness } from './readiness.ts'
import { declaresMoreThan, endAfterBody, hasBody, readBody, withBody } from './request-body.ts'
import { normalizeTarget } from './request-target.ts'
import { setSecurityHeaders, type HeaderOptions } from './security-headers.ts'

/** Longer than the idle time-out of common load balancers, so that they close first. */
const KEEP_ALIVE_MS = 75_000

/** How long is waited for the methods of a route. */
const ALLOW_DEADLINE_MS = 2_000

/** Time limit at shutdown for responses that are still being sent. */
const DRAIN_MS = 5_000

export interface HttpOptions extends Omit<HeaderOptions, 'isApi'> {
  readonly webUrl: string
  /** Addresses and networks of the proxies in front. Without any, what a client claims about its address is dropped. */
  readonly trustedProxies: readonly string[]
  readonly readiness: () => Promise<Readiness>
  /** @returns true if the request was a probe of `npm run doctor` and has been handled. */
  readonly probe?: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

export interface HttpServer {
  readonly port: number
  stop(): Promise<void>
}

/** Handles health checks, security headers and the canonical host, and passes everything else on. */
export async function serveHttp(host: string, port: number, options: HttpOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => breakOff(response, error))
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  // A client that waits for it is not asked for a body that is refused anyway.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (isPassedOn(request) || !declaresMoreThan(request, maxBodyBytes(pathOf(request)))) response.writeContinue()
    server.emit('request', request, response)
  })
  server.on('connect', (_request, socket) => {
    socket.end(
      `HTTP/1.1 405 Method Not Allowed\r\nAllow: ${METHODS.join(', ')}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    )
  })
  const drain = prepareDrain(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, stop: () => drain(DRAIN_MS) }
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpOptions): Promise<void> {
  const wrong = normalizeTarget(request, new URL(options.webUrl).host)
  if (wrong !== undefined) return refuse(request, response, 400, 'invalid_request', wrong)
  if (request.url === '*') {
    response.writeHead(204, { allow: METHODS.join(', ') }).end()
    return
  }
  if (!METHODS.includes(request.method ?? '')) {
    response.setHeader('allow', METHODS.join(', '))
    return refuse(request, response, 405, 'method_not_allowed', `Supported methods: ${METHODS.join(', ')}.`)
  }
  // Node itself rejects a Transfer-Encoding that does not end with chunked.
  if (/,\s*chunked$/i.test(request.headers['transfer-encoding'] ?? ''))
    return refuse(request, response, 501, 'invalid_request', 'The only supported Transfer-Encoding is chunked.')
  setClientAddress(request, options.trustedProxies)
  if (options.isHttps && request.headers.cookie) request.headers.cookie = withPresentNames(request.headers.cookie)
  request.headers[ASKED_PATH] = request.url
  const path = pathOf(request)
  // PostgreSQL does not accept NUL in text.
  if (/%00/.test(request.url ?? ''))
    return refuse(request, response, 400, 'invalid_request', 'The address is not valid.')
  setSecurityHeaders(request, response, { ...options, isApi: isApi(path) })
  if (path === '/healthz') return sendJson(response, 200, { status: 'alive' })
  if (path === '/readyz') {
    const readiness = await options.readiness()
    return sendJson(response, readiness.status === 'ready' ? 200 : 503, readiness)
  }
  if (isApi(path)) {
    if (isNavigation(request, path))
      return refuse(
        request,
        response,
        403,
        'forbidden_origin',
        'This address serves data, not a page. Open the app and try again there.',
      )
    letOnlyDataOut(response, () => allowedMethods(request))
    if (options.probe?.(request, response)) return
  }
  const elsewhere = otherLoopbackName(request, options.webUrl)
  if (elsewhere) {
    response.writeHead(307, { location: elsewhere }).end()
    return
  }
  if (isPassedOn(request) || !hasBody(request)) return options.handle(request, response)
  const { 'content-encoding': encoding = 'identity' } = request.headers
  if (encoding.toLowerCase() !== 'identity') {
    response.setHeader('accept-encoding', 'identity')
    return refuse(request, response, 415, 'unsupported_media_type', 'Send the body without Content-Encoding.')
  }
  const most = maxBodyBytes(path)
  const body = declaresMoreThan(request, most) ? undefined : await readBody(request, most)
  if (!body) return refuse(request, response, 413, 'too_large', `Send at most ${most} bytes.`)
  await options.handle(withBody(request, body), response)
}

/** Methods of any route; each route limits them further. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Body limit of this app's own routes, which buffer bodies, some before authentication. */
const MAX_BODY_BYTES = 64 * 1024

/** Larger limits: a long chat message, escaped. */
const LARGER_BODIES: readonly { readonly path: RegExp; readonly bytes: number }[] = [
  { path: /^\/api\/spaces\/[^/]+\/chat$/, bytes: 1024 * 1024 },
]

const maxBodyBytes = (path: string): number =>
  LARGER_BODIES.find((larger) => larger.path.test(path))?.bytes ?? MAX_BODY_BYTES

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?')[0] ?? ''

/** Streamed to the gateway, which enforces its own limit. */
const isPassedOn = (request: IncomingMessage): boolean => pathOf(request) === '/api/mcp'

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * The same page under the app's own name, when the browser came to another name of this machine: cookies of 127.0.0.1 are not sent to
 * localhost, so neither signing in nor coming back from Notion would work there.
 */
function otherLoopbackName(request: IncomingMessage, webUrl: string): string | undefined {
  const own = new URL(webUrl)
  if (request.method !== 'GET' || !request.url?.startsWith('/') || !LOOPBACK.includes(own.hostname)) return undefined
  if (!URL.canParse(`http://${request.headers.host}`)) return undefined
  const asked = new URL(`http://${request.headers.host}`)
  if (asked.hostname === own.hostname || asked.port !== own.port || !LOOPBACK.includes(asked.hostname)) return undefined
  return own.origin + request.url
}

/** Handles unexpected errors. Once the response has begun, it can only destroy the connection. */
function breakOff(response: ServerResponse, error: unknown): void {
  log.error('request.broke', causeOf(error))
  if (response.headersSent) response.destroy()
  else sendJson(response, 500, problem(500, 'internal', 'Something went wrong on our end. Try again in a moment.'))
}

/** Methods of the route at this path. Next lists them for OPTIONS, but not in a 405 response. */
async function allowedMethods({ method, socket, url = '' }: IncomingMessage): Promise<string> {
  if (method === 'OPTIONS') return METHODS.join(', ')
  const host = socket.localAddress?.includes(':') ? `[${socket.localAddress}]` : socket.localAddress
  const answer = await fetch(`http://${host}:${socket.localPort}${url.split('?')[0]}`, {
    method: 'OPTIONS',
    signal: AbortSignal.timeout(ALLOW_DEADLINE_MS),
  }).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.headers.get('allow') ?? METHODS.join(', ')
}

/** Rejects a request before it is handled. An unread body forces the connection to close. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  detail: string,
): void {
  const body = JSON.stringify(problem(status, code, detail))
  const isUnread = hasBody(request) && !request.readableEnded
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(isUnread && { connection: 'close' }),
  })
  if (!isUnread) {
    response.end(body)
    return
  }
  response.write(request.method === 'HEAD' ? '' : body)
  endAfterBody(request, response)
}

const problem = (status: number, code: string, detail: string) => ({
  type: 'about:blank',
  title: STATUS_CODES[status] ?? 'Error',
  status,
  detail,
  code,
  requestId: `req_${crypto.randomUUID()}`,
})

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))
}
