/**
 * The forms in which clients, proxies and attackers send one request, with the response that HTTP requires
 * ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110), [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)). All servers of the product are tested with
 * this table.
 */
import type { RawRequest } from './raw-http.ts'

/** An endpoint under test. */
export interface FormTarget {
  readonly port: number
  /** The value of `Host`, e.g. `localhost:3000`. */
  readonly host: string
  readonly post: FormRequest & {
    readonly body: string
    /** The size of the largest body that is accepted; for the forms that have {@link RequestForm.needsLimit}. */
    readonly maxBodyBytes?: number
  }
  /** For the forms of GET requests. */
  readonly get?: FormRequest
}

export interface FormRequest {
  /** Path and query. */
  readonly path: string
  /** Header lines besides `Host`, `Connection`, `Content-Type` and the framing. */
  readonly headers?: readonly string[]
}

export interface RequestForm {
  readonly name: string
  readonly on: 'get' | 'post'
  readonly needsLimit?: true
  /** Only for endpoints that accept no other `Content-Type` than `application/json`. */
  readonly needsTypeCheck?: true
  /** The request as it is sent. */
  readonly request: (target: FormTarget) => RawRequest
  /** `served`: this number of responses like that to the plain form. Otherwise one response with one of these statuses. */
  readonly expected: { readonly served: number } | { readonly statuses: readonly number[] }
  /** Header fields of the response, with patterns of their values. */
  readonly headers?: Readonly<Record<string, RegExp>>
}

interface Parts {
  method?: string
  requestTarget?: string
  version?: string
  hosts?: readonly string[]
  lines?: readonly string[]
  /** Default: `application/json` for POST. */
  contentType?: string | undefined
  body?: string
  /** Header lines of the framing. Default: the length of the body, if it is not empty. */
  framing?: readonly string[]
}

type PartsOf = Parts | ((target: FormTarget) => Parts)

function rawRequest(on: RequestForm['on'], target: FormTarget, partsOf: PartsOf): RawRequest {
  const request = target[on] ?? target.post
  const defaults: Parts =
    on === 'post' ? { method: 'POST', body: target.post.body, contentType: 'application/json' } : { method: 'GET' }
  const parts = { ...defaults, ...(typeof partsOf === 'function' ? partsOf(target) : partsOf) }
  const { method = '', body = '', contentType } = parts
  const length = Buffer.byteLength(body)
  const head = [
    `${method} ${parts.requestTarget ?? request.path} HTTP/${parts.version ?? '1.1'}`,
    ...(parts.hosts ?? [target.host]).map((host) => `Host: ${host}`),
    ...(request.headers ?? []),
    ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`]),
    ...(parts.lines ?? []),
    ...(parts.framing ?? (length > 0 ? [`Content-Length: ${length}`] : [])),
  ]
  return { method, bytes: `${head.join('\r\n')}\r\n\r\n${body}` }
}

const form =
  (on: RequestForm['on']) =>
  (name: string, expected: RequestForm['expected'], parts: PartsOf, more: Partial<RequestForm> = {}): RequestForm => ({
    name,
    on,
    expected,
    request: (target) => rawRequest(on, target, parts),
    ...more,
  })
const post = form('post')
const get = form('get')

const served = { served: 1 }
const refused = (...statuses: number[]) => ({ statuses })

const CHUNKED = ['Transfer-Encoding: chunked']
const chunk = (text: string, extension = '') => `${Buffer.byteLength(text).toString(16)}${extension}\r\n${text}\r\n`
const chunked = (body: string, extension = '') => `${chunk(body, extension)}0\r\n`
const inChunks = (body: string, size: number) =>
  `${(body.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []).map((text) => chunk(text)).join('')}0\r\n\r\n`

/** The response to a method that the resource does not have lists its methods. */
const listsMethods = { headers: { allow: /\b(GET|POST)\b/ } }
const needsLimit = { needsLimit: true } as const
const tooLarge = ({ post: { maxBodyBytes = 0 } }: FormTarget) => ' '.repeat(maxBodyBytes + 1)

const UPGRADES: readonly [string, readonly string[]][] = [
  ['HTTP/2 with settings', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']],
  ['HTTP/2', ['Connection: Upgrade', 'Upgrade: h2c']],
  ['TLS', ['Connection: Upgrade', 'Upgrade: TLS/1.2, HTTP/1.1']],
  [
    'a WebSocket',
    [
      'Connection: keep-alive, Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ],
  ],
]

const validForms: readonly RequestForm[] = [
  post('a plain POST', served, {}),
  post('a body in one chunk', served, ({ post: { body } }) => ({ framing: CHUNKED, body: `${chunked(body)}\r\n` })),
  post('a body in chunks of one byte', served, ({ post: { body } }) => ({ framing: CHUNKED, body: inChunks(body, 1) })),
  post('a chunk with an extension', served, ({ post: { body } }) => ({
    framing: CHUNKED,
    body: `${chunked(body, ';a=b')}\r\n`,
  })),
  post('a chunked body with trailers', served, ({ post: { body } }) => ({
    framing: [...CHUNKED, 'Trailer: X-Checksum'],
    body: `${chunked(body)}X-Checksum: 1\r\n\r\n`,
  })),
  post('trailers that look like credentials', served, ({ post: { body } }) => ({
    framing: CHUNKED,
    body: `${chunked(body)}Authorization: Bearer other\r\nHost: evil.example\r\n\r\n`,
  })),
  post('framing in other letter case', served, ({ post: { body } }) => ({
    framing: ['TRANSFER-ENCODING: Chunked'],
    body: `${chunked(body)}\r\n`,
  })),
  post('Expect: 100-continue', served, { lines: ['Expect: 100-continue'] }),
  post('Expect: 100-Continue and a chunked body', served, ({ post: { body } }) => ({
    lines: ['Expect: 100-Continue'],
    framing: CHUNKED,
    body: `${chunked(body)}\r\n`,
  })),
  ...UPGRADES.map(([name, lines]) => post(`an offer to upgrade to ${name}`, served, { lines })),
  post('absolute form', served, ({ host, post: { path } }) => ({ requestTarget: `http://${host}${path}` })),
  post('absolute form in capitals', served, ({ host, post: { path } }) => ({
    requestTarget: `HTTP://${host.toUpperCase()}${path}`,
  })),
  post('absolute form with https', served, ({ host, post: { path } }) => ({ requestTarget: `https://${host}${path}` })),
  post('absolute form that overrides Host', served, ({ host, post: { path } }) => ({
    requestTarget: `http://${host}${path}`,
    hosts: ['elsewhere.example'],
  })),
  post('unknown Connection options', served, { lines: ['Connection: keep-alive, x-unknown, , TE', 'TE: trailers'] }),
  post('Connection in two lines', served, { lines: ['Connection: close', 'Connection: x-hop', 'X-Hop: 1'] }),
  post('an empty Connection', served, { lines: ['Connection: '] }),
  post('Connection that names itself', served, { lines: ['Connection: connection, keep-alive, transfer-encoding'] }),
  post('Proxy-Connection and Keep-Alive', served, { lines: ['Proxy-Connection: keep-alive', 'Keep-Alive: timeout=5'] }),
  post(
    'an empty line before the request',
    served,
    {},
    { request: (target) => repeat(target, (bytes) => `\r\n${bytes}`) },
  ),
  post('two requests at once', { served: 2 }, {}, { request: (target) => repeat(target, (bytes) => bytes + bytes) }),
  post('HTTP/1.0', served, { version: '1.0' }),
  post('HTTP/1.0 with keep-alive', served, { version: '1.0', lines: ['Connection: keep-alive'] }),
  post('HTTP/1.0 without Host', served, { version: '1.0', hosts: [] }),
  post('a Host in capitals', served, ({ host }) => ({ hosts: [host.toUpperCase()] })),
  ...[
    'application/json; charset=utf-8',
    'application/json;charset=utf8',
    'application/json;charset="UTF-8"',
    'Application/JSON ; charset=utf-8',
    'application/json;odata=verbose; charset=UTF8 ; x="a;b"',
    'application/json;',
  ].map((contentType) => post(`Content-Type: ${contentType}`, served, { contentType })),
  post('Content-Encoding: identity', served, { lines: ['Content-Encoding: Identity'] }),

  get('a plain GET', served, {}),
  get('a GET in absolute form', served, ({ host, get: { path } = noGet() }) => ({
    requestTarget: `http://${host}${path}`,
  })),
  get('a GET of HTTP/1.0 without Host', served, { version: '1.0', hosts: [] }),
  get('a GET with odd Connection options', served, {
    lines: ['Connection: x-trace, TE', 'X-Trace: 1', 'TE: trailers'],
  }),
  ...UPGRADES.map(([name, lines]) => get(`a GET that offers to upgrade to ${name}`, served, { lines })),
  get('a GET with an empty body', served, { framing: ['Content-Length: 0'] }),
  get('a GET that expects 100-continue', served, { lines: ['Expect: 100-continue'] }),
  get('HEAD', served, { method: 'HEAD' }),
]

const noBody: Parts = { framing: [], body: '', contentType: undefined }

const BAD_HOSTS = ['localhost/path', 'user@localhost', 'localhost?a', 'localhost#a', 'a b', 'localhost:http'] as const

const invalidForms: readonly RequestForm[] = [
  ...[post, get].flatMap((request, isGet) => [
    request(isGet ? 'a GET without Host' : 'no Host', refused(400), { hosts: [] }),
    request(isGet ? 'a GET with two Hosts' : 'two Hosts', refused(400), ({ host }) => ({
      hosts: [host, 'evil.example'],
    })),
    request(isGet ? 'a GET with the same Host twice' : 'the same Host twice', refused(400), ({ host }) => ({
      hosts: [host, host],
    })),
    ...BAD_HOSTS.map((host) => request(`${isGet ? 'a GET with ' : ''}Host: ${host}`, refused(400), { hosts: [host] })),
    request(isGet ? 'a GET with an unknown expectation' : 'an unknown expectation', refused(417), {
      lines: ['Expect: miracles'],
    }),
  ]),
  post('absolute form without a host', refused(400), ({ post: { path } }) => ({ requestTarget: `http://${path}` })),
  get('a GET in absolute form without a host', refused(400), { requestTarget: 'http:///path' }),
  get('a GET with an invalid URL', refused(400), { requestTarget: 'http://[' }),
  post('two lengths', refused(400), ({ post: { body } }) => ({
    framing: [`Content-Length: ${body.length}`, 'Content-Length: 1'],
  })),
  post('an invalid length', refused(400), { framing: ['Content-Length: +5'] }),
  post('a length and chunks', refused(400), ({ post: { body } }) => ({
    framing: [`Content-Length: ${body.length}`, ...CHUNKED],
    body: `${chunked(body)}\r\n`,
  })),
  ...['gzip, chunked', 'x-odd, chunked'].map((coding) =>
    post(`Transfer-Encoding: ${coding}`, refused(501), ({ post: { body } }) => ({
      framing: [`Transfer-Encoding: ${coding}`],
      body: `${chunked(body)}\r\n`,
    })),
  ),
  post('Transfer-Encoding: gzip', refused(400, 501), { framing: ['Transfer-Encoding: gzip'] }),
  post('an invalid chunk', refused(400), { framing: CHUNKED, body: 'zz\r\n' }),
  post('a folded header line', refused(400), { lines: ['X-Folded: a\r\n b'] }),
  post('a space before the colon', refused(400), { lines: ['X-Space : a'] }),
  post('a header larger than 16 KB', refused(431), { lines: [`X-Large: ${'x'.repeat(20_000)}`] }),
  ...['gzip', 'br', 'zstd', 'x-unknown', 'identity, gzip'].map((coding) =>
    post(
      `Content-Encoding: ${coding}`,
      refused(415),
      { lines: [`Content-Encoding: ${coding}`] },
      { headers: { 'accept-encoding': /^identity$/ } },
    ),
  ),
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json', undefined].map(
    (contentType) =>
      post(`Content-Type: ${contentType ?? '(none)'}`, refused(415), { contentType }, { needsTypeCheck: true }),
  ),
  post('a body that is too large', refused(413), (target) => ({ body: tooLarge(target) }), needsLimit),
  post(
    'a chunked body that is too large',
    refused(413),
    (target) => ({ framing: CHUNKED, body: inChunks(tooLarge(target), 16_384) }),
    needsLimit,
  ),
  post('a body that is too large, which is not sent before 100 Continue', refused(413), {
    lines: ['Expect: 100-continue'],
    framing: ['Content-Length: 999999999'],
    body: '',
  }),
  post('HEAD of a resource with POST', refused(405), { method: 'HEAD', ...noBody }, listsMethods),
  post('OPTIONS of a resource with POST', refused(204, 405), { method: 'OPTIONS', ...noBody }),
  post('PUT', refused(405), { method: 'PUT' }, listsMethods),
  post('PATCH', refused(405), { method: 'PATCH' }, listsMethods),
  post('TRACE', refused(405, 501), { method: 'TRACE', ...noBody }),
  post('CONNECT', refused(405, 501), ({ host }) => ({ method: 'CONNECT', requestTarget: host, ...noBody })),
  post('an unknown method', refused(400, 405, 501), { method: 'BREW' }),
  get('OPTIONS of a resource with GET', refused(200, 204, 400, 405), { method: 'OPTIONS' }),
  get('TRACE of a resource with GET', refused(400, 405, 501), { method: 'TRACE' }),
  get('an unknown method of a resource with GET', refused(400, 405, 501), { method: 'BREW' }),
  post('OPTIONS *', refused(200, 204), { method: 'OPTIONS', requestTarget: '*', ...noBody }),
  post('GET *', refused(400), { method: 'GET', requestTarget: '*', ...noBody }),
]

export const requestForms: readonly RequestForm[] = [...validForms, ...invalidForms]

/** The plain form of the same method. */
export const plainForm = (on: RequestForm['on']): RequestForm => validForms.find((one) => one.on === on) as RequestForm

function repeat(target: FormTarget, change: (bytes: string) => string): RawRequest {
  const { method, bytes } = rawRequest('post', target, {})
  return { method, bytes: change(bytes) }
}

function noGet(): never {
  throw new Error('the target has no GET request')
}
