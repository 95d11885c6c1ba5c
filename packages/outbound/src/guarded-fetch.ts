/**
 * Requests to servers named by untrusted parties, whose responses are untrusted too. Each request has a deadline and a size limit, follows no
 * redirect, passes an {@link SsrfGuard}, and uses a connection of its own.
 */
import { once } from 'node:events'
import { connect, type LookupFunction, type Socket } from 'node:net'
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { buildConnector, Client, request, type Dispatcher } from 'undici'
import { noProxies, type Proxies } from './proxies.ts'
import type { SsrfGuard } from './ssrf-guard.ts'
import { PROXY_TIMEOUT_MS, throughProxy } from './tunnel.ts'

/** Time limit of one request, from connecting to the last byte of the response. */
export const REQUEST_TIMEOUT_MS = 15_000
const CONNECT_TIMEOUT_MS = 5_000
/** Size limit of a decoded response body. */
export const MAX_BODY_BYTES = 256 * 1024
/** Size limit of the response headers. Node's default of 16 KiB is too small for responses of some content delivery networks. */
const MAX_HEADER_BYTES = 64 * 1024

/** The response body is larger than allowed. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

/** `beforeSend` returned false, so nothing was sent. */
export class RequestWithheld extends Error {
  override readonly name = 'RequestWithheld'
}

export interface SendHooks {
  /** Called right before the first byte is sent, when the connection (with a proxy: the tunnel) is open. False withholds the request. */
  readonly beforeSend: () => boolean
  /** Called right after `beforeSend` returned true: from now on the peer may have received the request. */
  readonly onSend: () => void
  /** Called when the request has been handed over to the operating system. */
  readonly onFlushed?: () => void
}

export interface GuardedRequest {
  readonly method?: string
  readonly headers?: Record<string, string> | Headers
  readonly body?: string | URLSearchParams | null | undefined
}

export interface Limits {
  /** {@link REQUEST_TIMEOUT_MS} when left out. */
  readonly timeoutMs?: number
  /** {@link MAX_BODY_BYTES} when left out. */
  readonly maxBodyBytes?: number
  readonly hooks?: SendHooks
}

/** A `fetch` with these limits. Unlike with `fetch`, the response body has been read completely. */
export type GuardedFetch = (url: string, init?: GuardedRequest) => Promise<Response>

/**
 * Creates fetches that pass the guard. A request that times out is aborted with a reset, so that bytes still buffered on this machine are not sent.
 *
 * The fetches reject with {@link ForbiddenUrl}, {@link BodyTooLarge}, {@link RequestWithheld}, {@link ProxyFailed}, a `TimeoutError`, or an
 * error of undici.
 *
 * @param proxies selects the outbound proxy. A proxy resolves names itself, so the guard then checks literal addresses only.
 */
export function guardedFetches(guard: SsrfGuard, proxies: Proxies = noProxies): (limits?: Limits) => GuardedFetch {
  return ({ timeoutMs = REQUEST_TIMEOUT_MS, maxBodyBytes = MAX_BODY_BYTES, hooks } = {}) =>
    async (url, init = {}) => {
      const target = new URL(url)
      guard.assertAllowed(target)
      const signal = AbortSignal.timeout(timeoutMs)
      // A new connection for each request: on a kept-alive connection that the peer has just closed, the outcome would be unknown.
      const client = abortableClient(target, signal, guard, proxies)
      const beforeSend = () => !signal.aborted && (hooks?.beforeSend() ?? true)
      const send = async (): Promise<Response> => {
        const { statusCode, headers, body } = await request(target, {
          method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
          headers: { ...Object.fromEntries(new Headers(init.headers)), 'accept-encoding': 'identity' },
          body: init.body?.toString() ?? null,
          dispatcher: hooks ? client.compose(withHooks({ ...hooks, beforeSend })) : client,
          signal,
        })
        const { 'content-encoding': encoding, ...plain } = headers
        const text = textOf(decoded(await readLimited(body, maxBodyBytes), String(encoding ?? ''), maxBodyBytes))
        const isBodyless = [204, 205, 304].includes(statusCode)
        // Some servers send status codes above 599, which Response rejects.
        const status = Math.min(statusCode, 599)
        return new Response(isBodyless ? null : text, { status, headers: plainHeaders(plain) })
      }
      const response = send()
      try {
        // undici ignores the signal while it connects; the race makes the time limit hold in every state.
        return await Promise.race([response, rejectOnAbort(signal)])
      } finally {
        response.catch(() => undefined)
        void client.destroy()
      }
    }
}

async function rejectOnAbort(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}

/**
 * A client whose connection is reset when `signal` fires. After a plain close the kernel keeps delivering buffered data, for minutes when the
 * network is down: an abandoned refresh token would arrive after its retry.
 */
function abortableClient(target: URL, signal: AbortSignal, guard: SsrfGuard, proxies: Proxies): Client {
  let tcp: Socket | undefined
  const abort = () => (tcp?.connecting === false ? tcp.resetAndDestroy() : tcp?.destroy(new Error('aborted')))
  signal.addEventListener('abort', abort, { once: true })
  const onSocket = (socket: Socket) => (tcp = socket)
  // No TLS session resumption: the ticket is untrusted data, and the name may resolve to another server by now.
  const secure = buildConnector({ timeout: CONNECT_TIMEOUT_MS, maxCachedSessions: 0 })
  const proxy = proxies(target)
  return new Client(target.origin, {
    pipelining: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: proxy
      ? throughProxy(proxy, { toProxy: connectTcp({ timeoutMs: PROXY_TIMEOUT_MS, secure, onSocket }), secure })
      : connectTcp({ timeoutMs: CONNECT_TIMEOUT_MS, secure, onSocket, lookup: guard.lookupFor(target) }),
  })
}

interface ConnectOptions {
  readonly timeoutMs: number
  readonly secure: buildConnector.connector
  /** Receives the TCP socket, beneath TLS. */
  readonly onSocket: (socket: Socket) => void
  readonly lookup?: LookupFunction
}

function connectTcp({ timeoutMs, secure, onSocket, lookup }: ConnectOptions): buildConnector.connector {
  return (options, done) => {
    const { protocol, hostname, port } = options
    const isSecure = protocol === 'https:'
    const socket = connect({
      host: hostname,
      port: Number(port || (isSecure ? 443 : 80)),
      noDelay: true,
      ...(lookup && { lookup }),
    })
    onSocket(socket)
    const connecting = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs)
    let isConnected = false
    socket.on('error', (error) => isConnected || done(error, null))
    socket.on('close', () => clearTimeout(connecting))
    socket.once('connect', () => {
      isConnected = true
      clearTimeout(connecting)
      if (isSecure) secure({ ...options, httpSocket: socket }, done)
      else done(null, socket)
    })
  }
}

const withHooks =
  ({ beforeSend, onSend, onFlushed }: SendHooks): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context)
        if (beforeSend()) {
          onSend()
          // The request is written right after this, in the same tick.
          if (onFlushed) process.nextTick(onFlushed)
        } else {
          controller.abort(new RequestWithheld('the request was withheld before it was sent'))
        }
      },
      onResponseStart: (...start) => handler.onResponseStart?.(...start),
      onResponseData: (...data) => handler.onResponseData?.(...data),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...error) => handler.onResponseError?.(...error),
    })

async function readLimited(body: AsyncIterable<Buffer> & { destroy(): void }, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) {
      body.destroy()
      throw new BodyTooLarge(`the response is longer than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const DECODERS = new Map<string, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer>([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflate],
  ['br', brotliDecompressSync],
  ['zstd', zstdDecompressSync],
])

/** `deflate` means the zlib format, but many servers send raw deflate data. */
function inflate(bytes: Buffer, options: { maxOutputLength: number }): Buffer {
  const isZlib = bytes.length > 1 && ((bytes[0] as number) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
  return isZlib ? inflateSync(bytes, options) : inflateRawSync(bytes, options)
}

/**
 * Decodes a body: some servers and proxies compress although `identity` was requested ([RFC 9110 §8.4](https://www.rfc-editor.org/rfc/rfc9110#section-8.4)).
 * A body that cannot be decoded is returned unchanged. undici's interceptor is experimental and does not decode error responses.
 */
function decoded(body: Buffer, encoding: string, maxBytes: number): Buffer {
  const decoders = encoding
    .toLowerCase()
    .split(/[\s,]+/)
    .reverse()
    .map((name) => DECODERS.get(name))
  try {
    return decoders.reduce((bytes, decode) => decode?.(bytes, { maxOutputLength: maxBytes }) ?? bytes, body)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new BodyTooLarge(`the response is longer than ${maxBytes} bytes`, { cause })
    }
    return body
  }
}

/**
 * Decodes UTF-8, or UTF-16 according to the first two bytes: all documents read here begin with an ASCII character or a byte order mark. The
 * `charset` of the content type is often wrong.
 */
function textOf(bytes: Buffer): string {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || second === 0) return new TextDecoder('utf-16le').decode(bytes)
  if ((first === 0xfe && second === 0xff) || first === 0) return new TextDecoder('utf-16be').decode(bytes)
  return bytes.toString('utf8')
}

function plainHeaders(headers: Record<string, string | string[] | undefined>): Headers {
  const plain = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) plain.append(name, one)
  }
  return plain
}
