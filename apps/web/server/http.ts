import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { drainOf, listenError } from '@nmg/process'
import { log } from '../lib/log.ts'
import { ASKED_PATH } from '../lib/return-path.ts'
import { withPresentNames } from '../lib/session-cookies.ts'
import { setSecurityHeaders, type HeaderOptions } from './security-headers.ts'

/** Longer than the idle time-out of common load balancers, so that they close first. */
const KEEP_ALIVE_MS = 75_000

/** How long answers that are still being sent may take when the process is told to stop. */
const DRAIN_MS = 5_000

export interface HttpOptions extends HeaderOptions {
  readonly webUrl: string
  /** Without proxies in front, what a client claims about its address is dropped. */
  readonly hasTrustedProxies: boolean
  readonly isReady: () => Promise<boolean>
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

export interface HttpServer {
  readonly port: number
  stop(): Promise<void>
}

/** Serves what is not a page by itself (health, security headers, the one true address) and hands the rest on. */
export async function serveHttp(host: string, port: number, options: HttpOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => breakOff(response, error))
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  const drain = drainOf(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, stop: () => drain(DRAIN_MS) }
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpOptions): Promise<void> {
  sayWhereItCameFrom(request, options)
  request.headers[ASKED_PATH] = request.url
  setSecurityHeaders(request, response, options)
  if (options.isHttps && request.headers.cookie) request.headers.cookie = withPresentNames(request.headers.cookie)
  const [path] = (request.url ?? '').split('?')
  // No name, text or cursor has the character NUL, and the database takes none.
  if (/%00/.test(request.url ?? '')) return sendJson(response, 400, { detail: 'The address is not valid.' })
  if (path === '/healthz') return sendJson(response, 200, { status: 'alive' })
  if (path === '/readyz') {
    const isReady = await options.isReady()
    return isReady
      ? sendJson(response, 200, { status: 'ready' })
      : sendJson(response, 503, { status: 'not_ready', detail: 'The app is stopping, or cannot reach its database.' })
  }
  const refusal = tooMuchBody(request, path ?? '')
  if (refusal) {
    response.setHeader('connection', 'close')
    return sendJson(response, refusal, { detail: `Send at most ${maxBodyBytes(path ?? '')} bytes, and say how many.` })
  }
  const elsewhere = otherLoopbackName(request, options.webUrl)
  if (elsewhere) {
    response.writeHead(307, { location: elsewhere }).end()
    return
  }
  await options.handle(request, response)
}

/** What a form or a call of this app's own routes needs at most. They read bodies whole, and some before they know who asks. */
const MAX_BODY_BYTES = 64 * 1024

/** Routes that read a body only once they know who asks, and what they need at most: a long message of the chat, escaped. */
const LARGER_BODIES: readonly { readonly path: RegExp; readonly bytes: number }[] = [
  { path: /^\/api\/spaces\/[^/]+\/chat$/, bytes: 1024 * 1024 },
]

/** The gateway bounds these itself, and the authorization server reads its own: they are passed on as they come. */
const PASSED_ON = /^\/api\/(mcp|auth\/oauth2\/(token|revoke|register))$/

const maxBodyBytes = (path: string): number =>
  LARGER_BODIES.find((larger) => larger.path.test(path))?.bytes ?? MAX_BODY_BYTES

/** The status to refuse a body with that is too large, or that does not say how large it is. */
function tooMuchBody({ headers }: IncomingMessage, path: string): 411 | 413 | undefined {
  if (PASSED_ON.test(path)) return undefined
  if (headers['transfer-encoding'] !== undefined) return 411
  return Number(headers['content-length'] ?? 0) > maxBodyBytes(path) ? 413 : undefined
}

/**
 * better-auth limits attempts by address and reads it from X-Forwarded-For. The other forwarding headers are not needed: where this app
 * is reached is a setting.
 */
function sayWhereItCameFrom(request: IncomingMessage, { hasTrustedProxies }: HttpOptions): void {
  const claimed = hasTrustedProxies ? [request.headers['x-forwarded-for'] ?? []].flat() : []
  request.headers['x-forwarded-for'] = [...claimed, request.socket.remoteAddress ?? ''].join(', ')
  for (const name of ['x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port', 'forwarded'])
    delete request.headers[name]
}

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

/** For what neither we nor Next expected. Once an answer has begun, breaking the connection is the only honest end. */
function breakOff(response: ServerResponse, error: unknown): void {
  log.error('request.broke', { cause: error instanceof Error ? error.stack : String(error) })
  if (response.headersSent) response.destroy()
  else sendJson(response, 500, { detail: 'Something went wrong here. Try again in a moment.' })
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))
}
