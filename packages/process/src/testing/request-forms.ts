import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** An endpoint that the table is run against. */
export interface FormTarget {
  readonly port: number
  /** The value of `Host`, as `localhost:3000`. */
  readonly host: string
  /** Answers GET; what a plain request gets, the other forms of the same request get. */
  readonly get: { readonly path: string; readonly headers?: readonly string[]; readonly status: number }
  /** Takes a JSON body of up to `most` bytes. */
  readonly post: {
    readonly path: string
    readonly headers?: readonly string[]
    readonly body: string
    readonly status: number
    readonly most: number
  }
}

/** One way to send a request. */
export interface RequestForm {
  readonly name: string
  /** What goes over the wire. Every request ends its connection, so that the response's end is seen. */
  readonly bytes: (target: FormTarget) => string
  /** The statuses that are right; `get` or `post` is that of the plain request. */
  readonly status: 'get' | 'post' | readonly number[]
  /** A header that the response has. */
  readonly header?: string
  /** Whether the response has no body. */
  readonly isEmpty?: boolean
}

export interface FormResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Statuses of informational responses that came before. */
  readonly informational: readonly number[]
}

const END = 'Connection: close'

const message = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`

const getWith =
  (...headers: string[]) =>
  ({ get, host }: FormTarget) =>
    message(`GET ${get.path} HTTP/1.1`, `Host: ${host}`, ...(get.headers ?? []), END, ...headers)

const requestWith =
  (
    requestLine: (target: FormTarget) => string,
    hosts: (host: string) => readonly string[] = (host) => [`Host: ${host}`],
  ) =>
  (target: FormTarget) =>
    message(requestLine(target), ...hosts(target.host), ...(target.get.headers ?? []), END)

const chunked = (body: string, size = body.length, extension = '') =>
  (body.match(new RegExp(`[^]{1,${Math.max(1, size)}}`, 'g')) ?? [])
    .map((chunk) => `${Buffer.byteLength(chunk).toString(16)}${extension}\r\n${chunk}\r\n`)
    .join('')

const postWith =
  (headers: readonly string[], content: (target: FormTarget) => string, type = 'application/json') =>
  (target: FormTarget) => {
    const types = type === '' ? [] : [`Content-Type: ${type}`]
    const { path, headers: own = [] } = target.post
    return message(`POST ${path} HTTP/1.1`, `Host: ${target.host}`, ...own, ...types, ...headers, END) + content(target)
  }

const withLength =
  (body: string, headers: readonly string[] = [], type?: string) =>
  (target: FormTarget) =>
    postWith([`Content-Length: ${Buffer.byteLength(body)}`, ...headers], () => body, type)(target)

const CHUNKED = 'Transfer-Encoding: chunked'
const plain = ({ post }: FormTarget) => chunked(post.body) + '0\r\n\r\n'

/** Request forms that clients and proxies send, or that attackers try, with the response that RFC 9110 and RFC 9112 ask for. */
export const requestForms: readonly RequestForm[] = [
  { name: 'a plain GET', bytes: getWith(), status: 'get' },
  {
    name: 'a GET in absolute form',
    bytes: requestWith(({ get, host }) => `GET http://${host}${get.path} HTTP/1.1`),
    status: 'get',
  },
  {
    name: 'a GET of HTTP/1.0 without Host',
    bytes: requestWith(
      ({ get }) => `GET ${get.path} HTTP/1.0`,
      () => [],
    ),
    status: 'get',
  },
  {
    name: 'a GET with odd Connection options',
    bytes: getWith('Connection: x-trace, TE', 'X-Trace: 1', 'TE: trailers'),
    status: 'get',
  },
  {
    name: 'a GET that offers h2c',
    bytes: getWith('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
    status: 'get',
  },
  { name: 'a GET that offers TLS', bytes: getWith('Connection: Upgrade', 'Upgrade: TLS/1.2'), status: 'get' },
  {
    name: 'a GET that offers a WebSocket',
    bytes: getWith(
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
    status: 'get',
  },
  { name: 'a GET with an empty body', bytes: getWith('Content-Length: 0'), status: 'get' },
  { name: 'a GET that expects 100-continue', bytes: getWith('Expect: 100-continue'), status: 'get' },
  { name: 'HEAD', bytes: requestWith(({ get }) => `HEAD ${get.path} HTTP/1.1`), status: 'get', isEmpty: true },
  { name: 'OPTIONS', bytes: requestWith(({ get }) => `OPTIONS ${get.path} HTTP/1.1`), status: [200, 204, 400, 405] },
  { name: 'OPTIONS *', bytes: requestWith(() => 'OPTIONS * HTTP/1.1'), status: [200, 204] },
  { name: 'GET *', bytes: requestWith(() => 'GET * HTTP/1.1'), status: [400] },
  { name: 'TRACE', bytes: requestWith(({ get }) => `TRACE ${get.path} HTTP/1.1`), status: [400, 405, 501] },
  { name: 'CONNECT', bytes: requestWith(({ host }) => `CONNECT ${host} HTTP/1.1`), status: [400, 405, 501] },
  {
    name: 'a method that nobody knows',
    bytes: requestWith(({ get }) => `BREW ${get.path} HTTP/1.1`),
    status: [400, 405, 501],
  },
  {
    name: 'two Hosts',
    bytes: requestWith(
      ({ get }) => `GET ${get.path} HTTP/1.1`,
      (host) => [`Host: ${host}`, 'Host: evil.example'],
    ),
    status: [400],
  },
  {
    name: 'the same Host twice',
    bytes: requestWith(
      ({ get }) => `GET ${get.path} HTTP/1.1`,
      (host) => [`Host: ${host}`, `Host: ${host}`],
    ),
    status: [400],
  },
  {
    name: 'no Host',
    bytes: requestWith(
      ({ get }) => `GET ${get.path} HTTP/1.1`,
      () => [],
    ),
    status: [400],
  },
  {
    name: 'a Host that is none',
    bytes: requestWith(
      ({ get }) => `GET ${get.path} HTTP/1.1`,
      () => ['Host: a b'],
    ),
    status: [400],
  },
  { name: 'an address that is none', bytes: requestWith(() => 'GET http://[ HTTP/1.1'), status: [400] },
  { name: 'an expectation that nobody knows', bytes: getWith('Expect: a-miracle'), status: [417] },

  { name: 'a body with its length', bytes: (target) => withLength(target.post.body)(target), status: 'post' },
  { name: 'a chunked body', bytes: postWith([CHUNKED], plain), status: 'post' },
  {
    name: 'a body in chunks of one byte',
    bytes: postWith([CHUNKED], ({ post }) => chunked(post.body, 1) + '0\r\n\r\n'),
    status: 'post',
  },
  {
    name: 'chunks with extensions',
    bytes: postWith([CHUNKED], ({ post }) => chunked(post.body, 5, ';a=b') + '0\r\n\r\n'),
    status: 'post',
  },
  {
    name: 'chunks with trailers',
    bytes: postWith([CHUNKED, 'Trailer: X-Sum'], ({ post }) => `${chunked(post.body)}0\r\nX-Sum: 1\r\n\r\n`),
    status: 'post',
  },
  {
    name: 'a body that expects 100-continue',
    bytes: (target) => withLength(target.post.body, ['Expect: 100-continue'])(target),
    status: 'post',
  },
  {
    name: 'a chunked body that expects 100-continue',
    bytes: postWith([CHUNKED, 'Expect: 100-continue'], plain),
    status: 'post',
  },
  {
    name: 'a body that offers h2c',
    bytes: (target) => withLength(target.post.body, ['Connection: Upgrade', 'Upgrade: h2c'])(target),
    status: 'post',
  },
  ...[
    'application/json;charset=utf8',
    'application/json; charset="UTF-8"',
    'Application/JSON ; charset=utf-8',
    'application/json;',
  ].map((type): RequestForm => ({
    name: `a body of the type ${type}`,
    bytes: (target) => withLength(target.post.body, [], type)(target),
    status: 'post',
  })),
  {
    name: 'a body that is encoded as itself',
    bytes: (target) => withLength(target.post.body, ['Content-Encoding: identity'])(target),
    status: 'post',
  },
  ...['gzip', 'br', 'zstd', 'x-odd'].map((encoding): RequestForm => ({
    name: `a body that is encoded with ${encoding}`,
    bytes: (target) => withLength(target.post.body, [`Content-Encoding: ${encoding}`])(target),
    status: [415],
  })),
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json', ''].map(
    (type): RequestForm => ({
      name: `a body of ${type === '' ? 'no type' : `the type ${type}`}`,
      bytes: (target) => withLength(target.post.body, [], type)(target),
      status: [415],
    }),
  ),
  {
    name: 'a body that is too large',
    bytes: (target) => withLength(' '.repeat(target.post.most + 1))(target),
    status: [413],
  },
  {
    name: 'a chunked body that is too large',
    bytes: postWith([CHUNKED], ({ post }) => `${chunked(' '.repeat(post.most + 1), 16_384)}0\r\n\r\n`),
    status: [413],
  },
  {
    name: 'a body that would be too large, for which the client waits',
    bytes: postWith(['Expect: 100-continue', 'Content-Length: 1000000000'], () => ''),
    status: [413],
  },
  {
    name: 'two lengths',
    bytes: postWith(['Content-Length: 5', 'Content-Length: 6'], ({ post }) => post.body),
    status: [400],
  },
  { name: 'a length and chunks', bytes: postWith(['Content-Length: 5', CHUNKED], plain), status: [400] },
  {
    name: 'an encoding of the transfer that nobody knows',
    bytes: postWith(['Transfer-Encoding: gzip'], ({ post }) => post.body),
    status: [400, 501],
  },
  ...['localhost/path', 'user@localhost', 'localhost?a', 'localhost#a'].map((host): RequestForm => ({
    name: `${host} as its Host`,
    bytes: requestWith(
      ({ get }) => `GET ${get.path} HTTP/1.1`,
      () => [`Host: ${host}`],
    ),
    status: [400],
  })),
  { name: 'an absolute form without a host', bytes: requestWith(() => 'GET http:///path HTTP/1.1'), status: [400] },
  { name: 'two codings of the transfer', bytes: postWith(['Transfer-Encoding: x-odd, chunked'], plain), status: [501] },
]

const DEADLINE_MS = 20_000

/** Sends a request of this form, and reads the response to its end. */
export async function sendForm(target: FormTarget, form: RequestForm): Promise<FormResponse> {
  const socket = connect(target.port, 'localhost')
  socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`no response to ${form.name}`)))
  await once(socket, 'connect')
  socket.write(form.bytes(target))
  return parsed(await text(socket))
}

/** Which status the form should have got. */
export const expectedStatus = ({ status }: RequestForm, target: FormTarget): readonly number[] =>
  status === 'get' ? [target.get.status] : status === 'post' ? [target.post.status] : status

function parsed(received: string): FormResponse {
  const informational: number[] = []
  let rest = received
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    const [statusLine = '', ...lines] = rest.slice(0, end === -1 ? undefined : end).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0)
    rest = end === -1 ? '' : rest.slice(end + 4)
    if (status >= 100 && status < 200) {
      informational.push(status)
      continue
    }
    const headers = new Map(
      lines.map((line): [string, string] => {
        const [name = '', ...value] = line.split(':')
        return [name.toLowerCase(), value.join(':').trim()]
      }),
    )
    return { status, headers, body: rest, informational }
  }
}
