/**
 * Requests to servers that strangers named: what they send is untrusted. Every one has a deadline and a size limit, follows no redirect,
 * stays within a {@link Reach}, and travels on a connection of its own.
 */
import { once } from 'node:events'
import { connect, type LookupFunction, type Socket } from 'node:net'
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { buildConnector, Client, request, type Dispatcher } from 'undici'
import { noProxies, type Proxies } from './proxies.ts'
import type { SsrfGuard } from './ssrf-guard.ts'
import { PROXY_TIMEOUT_MS, throughProxy } from './tunnel.ts'

/** How long one request may take, from connecting to the last byte of the answer. */
export const REQUEST_TIMEOUT_MS = 15_000
const CONNECT_TIMEOUT_MS = 5_000
/** How long an answer may be. */
export const MAX_BODY_BYTES = 256 * 1024
/** How long its headers may be. Node's 16 KiB are too few for some a network in front adds to. */
const MAX_HEADER_BYTES = 64 * 1024

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

export class RequestWithheld extends Error {
  override readonly name = 'RequestWithheld'
}

export interface SendHooks {
  /** Asked in the moment before the first byte of the request leaves; a tunnel through a proxy is open by then. */
  readonly beforeSend: () => boolean
  /** Called right after that: from here on the peer may have got the request. */
  readonly onSend: () => void
  /** Called when the system has taken the bytes. */
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

/** A `fetch` within the limits above. Other than `fetch`'s, its answer has been read whole. */
export type GuardedFetch = (url: string, init?: GuardedRequest) => Promise<Response>

/**
 * Makes fetches within this reach. A request that is given up is also cut off: what of it has not left this machine yet never will.
 *
 * The fetches reject with {@link ForbiddenUrl}, {@link BodyTooLarge}, {@link RequestWithheld}, {@link ProxyFailed}, a `TimeoutError`, and
 * whatever undici does.
 *
 * @param proxies which proxy requests go through. It resolves their names then, so that only literal addresses are still checked here.
 */
export function guardedFetches(guard: SsrfGuard, proxies: Proxies = noProxies): (limits?: Limits) => GuardedFetch {
  return ({ timeoutMs = REQUEST_TIMEOUT_MS, maxBodyBytes = MAX_BODY_BYTES, hooks } = {}) =>
    async (url, init = {}) => {
      const target = new URL(url)
      guard.assertAllowed(target)
      const signal = AbortSignal.timeout(timeoutMs)
      // One for each request, so that a kept-alive connection that the peer has just closed never makes an outcome doubtful.
      const client = cuttable(target, signal, guard, proxies)
      const beforeSend = () => !signal.aborted && (hooks?.beforeSend() ?? true)
      const ask = async (): Promise<Response> => {
        const { statusCode, headers, body } = await request(target, {
          method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
          headers: { ...Object.fromEntries(new Headers(init.headers)), 'accept-encoding': 'identity' },
          body: init.body?.toString() ?? null,
          dispatcher: hooks ? client.compose(gated({ ...hooks, beforeSend })) : client,
          signal,
        })
        const { 'content-encoding': encoding, ...plain } = headers
        const text = textOf(decoded(await readLimited(body, maxBodyBytes), String(encoding ?? ''), maxBodyBytes))
        const isBodyless = [204, 205, 304].includes(statusCode)
        // Some servers make up numbers that a Response does not take.
        const status = Math.min(statusCode, 599)
        return new Response(isBodyless ? null : text, { status, headers: plainHeaders(plain) })
      }
      const answer = ask()
      try {
        // Undici does not look at the signal while it connects; and whoever waits must hear of the end in time, whatever state this is in.
        return await Promise.race([answer, givenUp(signal)])
      } finally {
        answer.catch(() => undefined)
        void client.destroy()
      }
    }
}

async function givenUp(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}

/**
 * A client whose connection is reset when `signal` fires. A connection that is merely closed goes on delivering what was written to it, for
 * minutes when the network is down: the refresh token would arrive after it was given up, and after it was used again.
 */
function cuttable(target: URL, signal: AbortSignal, guard: SsrfGuard, proxies: Proxies): Client {
  let tcp: Socket | undefined
  const cut = () => (tcp?.connecting === false ? tcp.resetAndDestroy() : tcp?.destroy(new Error('given up')))
  signal.addEventListener('abort', cut, { once: true })
  const onSocket = (socket: Socket) => (tcp = socket)
  // No TLS session is resumed: a ticket is text of a stranger's choice, and the name may lead elsewhere by now.
  const secure = buildConnector({ timeout: CONNECT_TIMEOUT_MS, maxCachedSessions: 0 })
  const proxy = proxies(target)
  return new Client(target.origin, {
    pipelining: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: proxy
      ? throughProxy(proxy, { toProxy: dialer({ timeoutMs: PROXY_TIMEOUT_MS, secure, onSocket }), secure })
      : dialer({ timeoutMs: CONNECT_TIMEOUT_MS, secure, onSocket, lookup: guard.lookupFor(target) }),
  })
}

interface DialerOptions {
  readonly timeoutMs: number
  readonly secure: buildConnector.connector
  /** Gets the TCP socket, below any TLS. */
  readonly onSocket: (socket: Socket) => void
  readonly lookup?: LookupFunction
}

function dialer({ timeoutMs, secure, onSocket, lookup }: DialerOptions): buildConnector.connector {
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

const gated =
  ({ beforeSend, onSend, onFlushed }: SendHooks): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context)
        if (beforeSend()) {
          onSend()
          // The request is written right after this, in the same turn.
          if (onFlushed) process.nextTick(onFlushed)
        } else {
          controller.abort(new RequestWithheld('the claim on this refresh is no longer proven'))
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
      throw new BodyTooLarge(`the answer is longer than ${maxBytes} bytes`)
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

/** Many servers leave the zlib format out that `deflate` means. */
function inflate(bytes: Buffer, options: { maxOutputLength: number }): Buffer {
  const isZlib = bytes.length > 1 && ((bytes[0] as number) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
  return isZlib ? inflateSync(bytes, options) : inflateRawSync(bytes, options)
}

/**
 * Some servers and proxies compress without being asked ([RFC 9110 §8.4](https://www.rfc-editor.org/rfc/rfc9110#section-8.4)). A body
 * that cannot be decoded stays as it is, for its reader to judge. Not undici's interceptor, which is experimental and leaves errors encoded.
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
      throw new BodyTooLarge(`the answer is longer than ${maxBytes} bytes`, { cause })
    }
    return body
  }
}

/**
 * UTF-8, or UTF-16 as its first two bytes tell: everything read here begins with an ASCII character or a byte order mark. What the content type
 * says is often wrong.
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
