/**
 * Forms in which real clients and proxies send one and the same request, and what HTTP asks of a server for each
 * ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110), [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)). The same table for every server of the
 * product.
 */
import { connect } from 'node:net'

/** The request in its plain form: a POST over HTTP/1.1 with a `Content-Length`. */
export interface PlainRequest {
  /** Path and query. */
  readonly target: string
  readonly host: string
  /** Header lines without those for `Host`, `Connection` and the framing, with the `Content-Type`. */
  readonly lines: readonly string[]
  readonly body: string
}

export interface RequestForm {
  readonly name: string
  readonly method?: string
  bytes(plain: PlainRequest): Buffer
  /** `served`: answered as the plain form is, so many times. Otherwise one of these statuses. */
  readonly expected: { readonly served: number } | { readonly statuses: readonly number[] }
  /** Header fields that the response must have, and what they match. */
  readonly headers?: Readonly<Record<string, RegExp>>
  /** Only for a server that reads `Content-Encoding` and `charset` of this request. */
  readonly isAboutContent?: true
}

interface Parts {
  method?: string
  target?: string
  version?: string
  host?: readonly string[]
  lines?: readonly string[]
  withoutType?: boolean
  body?: string | Buffer
  /** Header lines of the framing; the length of the body when left out. */
  framing?: readonly string[]
}

function written(plain: PlainRequest, parts: Parts): Buffer {
  const body = Buffer.from(parts.body ?? plain.body)
  const lines = plain.lines.filter((line) => !parts.withoutType || !/^content-type:/i.test(line))
  const head = [
    `${parts.method ?? 'POST'} ${parts.target ?? plain.target} HTTP/${parts.version ?? '1.1'}`,
    ...(parts.host ?? [plain.host]).map((host) => `Host: ${host}`),
    ...lines,
    ...(parts.lines ?? []),
    ...(parts.framing ?? [`Content-Length: ${body.length}`]),
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body])
}

const served = { served: 1 }
const refused = (...statuses: number[]) => ({ statuses })
const form = (
  name: string,
  expected: RequestForm['expected'],
  parts: Parts | ((plain: PlainRequest) => Parts),
  more: Partial<RequestForm> = {},
): RequestForm => ({
  name,
  expected,
  bytes: (plain) => written(plain, typeof parts === 'function' ? parts(plain) : parts),
  ...more,
})
const chunked = (body: string, extension = '') =>
  `${Buffer.byteLength(body).toString(16)}${extension}\r\n${body}\r\n0\r\n`
const CHUNKED = ['Transfer-Encoding: chunked']
const type = (value: string) => ({ withoutType: true, lines: [`Content-Type: ${value}`] })
/** Without a method for it, a resource names those that it has. */
const notAllowed = { headers: { allow: /\b(GET|POST)\b/ } }

export const requestForms: readonly RequestForm[] = [
  form('plain', served, {}),
  form('a body in one chunk', served, ({ body }) => ({ framing: CHUNKED, body: `${chunked(body)}\r\n` })),
  form('a body in chunks of one byte', served, ({ body }) => ({
    framing: CHUNKED,
    body: `${[...body].map((character) => `1\r\n${character}\r\n`).join('')}0\r\n\r\n`,
  })),
  form('a chunk with an extension', served, ({ body }) => ({ framing: CHUNKED, body: `${chunked(body, ';a=b')}\r\n` })),
  form('a chunked body with trailers', served, ({ body }) => ({
    framing: [...CHUNKED, 'Trailer: X-Checksum'],
    body: `${chunked(body)}X-Checksum: 1\r\n\r\n`,
  })),
  form('trailers that look like credentials', served, ({ body }) => ({
    framing: CHUNKED,
    body: `${chunked(body)}Authorization: Bearer other\r\nHost: evil.example\r\n\r\n`,
  })),
  form('the framing in other letters', served, ({ body }) => ({
    framing: ['TRANSFER-ENCODING: Chunked'],
    body: `${chunked(body)}\r\n`,
  })),
  form('Expect: 100-continue', served, { lines: ['Expect: 100-continue'] }),
  form('Expect: 100-Continue, chunked', served, ({ body }) => ({
    lines: ['Expect: 100-Continue'],
    framing: CHUNKED,
    body: `${chunked(body)}\r\n`,
  })),
  form('an expectation that nobody knows', refused(417), { lines: ['Expect: miracles'] }),
  form('an offer to upgrade to HTTP/2', served, {
    lines: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
  }),
  form('an offer to upgrade to WebSocket', served, {
    lines: ['Connection: keep-alive, Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  }),
  form('an offer to upgrade to TLS', served, { lines: ['Connection: Upgrade', 'Upgrade: TLS/1.2, HTTP/1.1'] }),
  form('absolute form', served, ({ host, target }) => ({ target: `http://${host}${target}` })),
  form('absolute form in capitals', served, ({ host, target }) => ({
    target: `HTTP://${host.toUpperCase()}${target}`,
  })),
  form('absolute form with https', served, ({ host, target }) => ({ target: `https://${host}${target}` })),
  form('absolute form, which beats the field Host', served, ({ host, target }) => ({
    target: `http://${host}${target}`,
    host: ['elsewhere.example'],
  })),
  form('Connection tokens that nobody knows', served, {
    lines: ['Connection: keep-alive, x-unknown, , TE', 'TE: trailers'],
  }),
  form('Connection in two lines', served, { lines: ['Connection: close', 'Connection: x-hop', 'X-Hop: 1'] }),
  form('an empty Connection', served, { lines: ['Connection: '] }),
  form('Connection that names itself', served, { lines: ['Connection: connection, keep-alive, transfer-encoding'] }),
  form('Proxy-Connection and Keep-Alive', served, { lines: ['Proxy-Connection: keep-alive', 'Keep-Alive: timeout=5'] }),
  form(
    'an empty line before the request',
    served,
    {},
    { bytes: (plain) => Buffer.concat([Buffer.from('\r\n'), written(plain, {})]) },
  ),
  form('HTTP/1.0', served, { version: '1.0' }),
  form('HTTP/1.0 with keep-alive', served, { version: '1.0', lines: ['Connection: keep-alive'] }),
  form('HTTP/1.0 without Host', served, { version: '1.0', host: [] }),
  form('a Host in capitals', served, ({ host }) => ({ host: [host.toUpperCase()] })),
  form(
    'two requests at once',
    { served: 2 },
    {},
    { bytes: (plain) => Buffer.concat([written(plain, {}), written(plain, {})]) },
  ),
  form('no Host', refused(400), { host: [] }),
  form('two fields Host', refused(400), ({ host }) => ({ host: [host, 'evil.example'] })),
  form('the same Host twice', refused(400), ({ host }) => ({ host: [host, host] })),
  form('a Host with a path', refused(400), ({ host }) => ({ host: [`${host}/path`] })),
  form('a Host with a user name', refused(400), ({ host }) => ({ host: [`user@${host}`] })),
  form('a Host with a space', refused(400), { host: ['a b'] }),
  form('a Host with a port that is none', refused(400), { host: ['localhost:http'] }),
  form('absolute form without a host', refused(400), ({ target }) => ({ target: `http://${target}` })),
  form('two lengths', refused(400), ({ body }) => ({
    framing: [`Content-Length: ${body.length}`, 'Content-Length: 1'],
  })),
  form('a length that is none', refused(400), { framing: ['Content-Length: +5'] }),
  form('a length and chunks', refused(400), ({ body }) => ({
    framing: [`Content-Length: ${body.length}`, ...CHUNKED],
    body: `${chunked(body)}\r\n`,
  })),
  form('a coding of the transfer that nobody knows', refused(501), ({ body }) => ({
    framing: ['Transfer-Encoding: gzip, chunked'],
    body: `${chunked(body)}\r\n`,
  })),
  form('a chunk that is none', refused(400), { framing: CHUNKED, body: 'zz\r\n' }),
  form('a folded header line', refused(400), { lines: ['X-Folded: a\r\n b'] }),
  form('a space before the colon', refused(400), { lines: ['X-Space : a'] }),
  form('a header larger than 16 KB', refused(431), { lines: [`X-Large: ${'x'.repeat(20_000)}`] }),
  form('HEAD', refused(405), { method: 'HEAD', framing: [], body: '' }, { method: 'HEAD', ...notAllowed }),
  form('OPTIONS', refused(204, 405), { method: 'OPTIONS', framing: [], body: '' }, notAllowed),
  form('OPTIONS *', refused(204), { method: 'OPTIONS', target: '*', framing: [], body: '' }),
  form('GET *', refused(400), { method: 'GET', target: '*', framing: [], body: '' }),
  form('a body that is too large, for which the client waits', refused(413), {
    lines: ['Expect: 100-continue'],
    framing: ['Content-Length: 999999999'],
    body: '',
  }),
  form('PUT', refused(405), { method: 'PUT' }, notAllowed),
  form('PATCH', refused(405), { method: 'PATCH' }, notAllowed),
  form('TRACE', refused(405, 501), { method: 'TRACE', framing: [], body: '' }),
  form('CONNECT', refused(405, 501), ({ host }) => ({ method: 'CONNECT', target: host, framing: [], body: '' })),
  form('a method that nobody knows', refused(400, 405, 501), { method: 'BREW' }),
  form('charset=utf-8', served, type('application/json; charset=utf-8'), { isAboutContent: true }),
  form('charset=utf8', served, type('application/json; charset=utf8'), { isAboutContent: true }),
  form('a quoted charset', served, type('application/json;charset="UTF-8"'), { isAboutContent: true }),
  form('a charset among other parameters', served, type('application/json;odata=verbose; charset=UTF8 ; x="a;b"'), {
    isAboutContent: true,
  }),
  form('a semicolon behind the type', served, type('application/json;'), { isAboutContent: true }),
  form('Content-Encoding: identity', served, { lines: ['Content-Encoding: Identity'] }, { isAboutContent: true }),
  ...['gzip', 'br', 'zstd', 'x-unknown', 'identity, gzip'].map((coding) =>
    form(
      `Content-Encoding: ${coding}`,
      refused(415),
      { lines: [`Content-Encoding: ${coding}`] },
      {
        isAboutContent: true,
        headers: { 'accept-encoding': /^identity$/ },
      },
    ),
  ),
]

export interface FormAnswer {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends the bytes on a connection of their own: `count` answers, or fewer when the connection ends before. Interim responses are left out. */
export async function answersTo(port: number, bytes: Buffer, count = 1, method = 'POST'): Promise<FormAnswer[]> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  const found = () => readAnswers(received, method)
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no whole answer within 5 seconds: ${received.slice(0, 200)}`)),
        5_000,
      )
      const finish = () => {
        clearTimeout(timer)
        resolve(found())
      }
      socket.on('data', (piece) => {
        received += piece.toString('latin1')
        if (found().length >= count) finish()
      })
      socket.on('error', finish)
      socket.on('close', finish)
      socket.write(bytes)
    })
  } finally {
    socket.destroy()
  }
}

function readAnswers(text: string, method: string): FormAnswer[] {
  const answers: FormAnswer[] = []
  for (let rest = text; ;) {
    if (!rest.includes('\r\n\r\n')) return answers
    const headEnd = rest.indexOf('\r\n\r\n') + 4
    const headers = Object.fromEntries(
      rest
        .slice(0, headEnd)
        .split('\r\n')
        .slice(1)
        .filter((line) => line !== '')
        .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(rest)?.[1])
    if (Number.isNaN(status)) throw new Error(`no HTTP: ${rest.slice(0, 100)}`)
    const hasBody = method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304
    const body = hasBody ? readBody(rest.slice(headEnd), headers) : { text: '', length: 0 }
    if (body === undefined) return answers
    if (status >= 200) answers.push({ status, headers, body: body.text })
    rest = rest.slice(headEnd + body.length)
  }
}

/** Undefined while it is not all there. */
function readBody(text: string, headers: Record<string, string>): { text: string; length: number } | undefined {
  if (headers['transfer-encoding'] === undefined) {
    const length = Number(headers['content-length'] ?? 0)
    return text.length < length ? undefined : { text: text.slice(0, length), length }
  }
  let body = ''
  for (let at = 0; ;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (text.length < end) return undefined
    if (size === 0) return { text: body, length: end }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = end
  }
}
