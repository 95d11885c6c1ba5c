import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { betweenTwo } from './between-two.ts'
import { head, post, type RawAnswer } from './raw-caller.ts'
import { answer, chunk, streamHead } from './raw-upstream.ts'

const between = betweenTwo()

/** What the caller gets when upstream answers with these bytes. */
async function got(bytes: string | Buffer, request: string | Buffer = post('{}')): Promise<RawAnswer> {
  between.upstream.answers(({ socket }) => socket.write(bytes))
  between.caller.send(request)
  return between.caller.answer()
}

/** Writes the pieces so that they arrive one by one. */
async function sendApart(socket: Socket, pieces: readonly (string | Buffer)[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise(setImmediate)
  }
}

describe("upstream's status", () => {
  it.each([
    '200 OK',
    '201 Created',
    '400 Bad Request',
    '403 Forbidden',
    '404 Not Found',
    '405 Method Not Allowed',
    '406 Not Acceptable',
    '409 Conflict',
    '410 Gone',
    '413 Content Too Large',
    '415 Unsupported Media Type',
    '422 Unprocessable Content',
    '429 Too Many Requests',
    '500 Internal Server Error',
    '501 Not Implemented',
    '502 Bad Gateway',
    '503 Service Unavailable',
    '504 Gateway Timeout',
  ])('passes with its body: %s', async (status) => {
    const body = '{"jsonrpc":"2.0","error":{"code":-32022,"message":"x","data":{"supported":["2025-11-25"]}}}'
    const { status: code, body: bytes, lines } = await got(answer(status, ['Content-Type: application/json'], body))
    expect(code).toBe(Number(status.slice(0, 3)))
    expect(bytes.toString()).toBe(body)
    expect(lines).toContain('Content-Type: application/json')
    expect(between.upstream.requests).toHaveLength(1)
  })

  it.each([
    ['Retry-After', answer('429 Too Many Requests', ['Retry-After: 17'])],
    ['Allow', answer('405 Method Not Allowed', ['Allow: POST'])],
  ])('passes with %s', async (name, bytes) => {
    expect((await got(bytes)).header(name)).toHaveLength(1)
  })

  it.each([
    ['with a length', answer('202 Accepted', [])],
    ['in no chunks', Buffer.from('HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')],
  ])('202 stays empty, sent %s', async (_, bytes) => {
    const { status, body, header } = await got(bytes)
    expect(status).toBe(202)
    expect(body).toHaveLength(0)
    expect(header('content-type')).toEqual([])
    expect(header('content-length')).toEqual(['0'])
  })

  it('204 has neither body nor length', async () => {
    const { status, body, header } = await got('HTTP/1.1 204 No Content\r\n\r\n', head('DELETE'))
    expect(status).toBe(204)
    expect(body).toHaveLength(0)
    expect(header('content-length')).toEqual([])
    expect(header('transfer-encoding')).toEqual([])
  })

  it('that is only a hint is left out', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n'
    between.upstream.answers(({ socket }) => void sendApart(socket, [hint, answer('200 OK', [], 'x')]))
    between.caller.send(post('{}'))
    const { status, body } = await between.caller.answer()
    expect([status, body.toString()]).toEqual([200, 'x'])
  })

  it.each([600, 666, 999])('%i, which is no status, is answered with 502', async (status) => {
    const { status: code, body } = await got(answer(`${status} Odd`, [], 'text'))
    expect(code).toBe(502)
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'outcome_unknown' })
  })

  it.each([301, 302, 303, 307, 308])('%i, a redirect, is not followed but answered with 502', async (status) => {
    const location = new URL('/elsewhere', between.upstream.url)
    const { status: code, body, header } = await got(answer(`${status} Moved`, [`Location: ${location.href}`]))
    expect(code).toBe(502)
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'outcome_unknown', status: 502 })
    expect(header('location')).toEqual([])
    expect(between.upstream.requests).toHaveLength(1)
  })
})

describe("upstream's body", () => {
  const events = [
    ': ping\r\n\r\n',
    'id: 7\nretry: 3000\ndata:\n\n',
    'event: message\r\ndata: {"a":"日本\u{1f600}"}\r\n\r\n',
    'data: 1\ndata: 2\n\n',
    ':\n\n',
    '\ufeffdata: x\r\r',
    'data: without an end',
  ].join('')

  it('that is an event stream passes byte for byte', async () => {
    const { body, header } = await got(Buffer.concat([Buffer.from(streamHead()), chunk(events), chunk()]))
    expect(body.toString()).toBe(events)
    expect(header('content-type')).toEqual(['text/event-stream'])
  })

  it('is the same when it comes after its head', async () => {
    between.upstream.answers(({ socket }) => socket.write(streamHead()))
    between.caller.send(post('{}'))
    await between.caller.head()
    between.upstream.requests[0]?.socket.write(Buffer.concat([chunk(events), chunk()]))
    expect((await between.caller.answer()).body.toString()).toBe(events)
  })

  it('is the same when each of its bytes comes alone', async () => {
    const pieces = [streamHead(), ...Array.from(Buffer.from(events), (byte) => chunk(Buffer.from([byte]))), chunk()]
    between.upstream.answers(({ socket }) => void sendApart(socket, pieces))
    between.caller.send(post('{}'))
    expect((await between.caller.answer()).body.toString()).toBe(events)
  })

  it('is the same when its framing is cut anywhere', async () => {
    const bytes = Buffer.concat([Buffer.from(streamHead()), chunk('data: 1\n\n'), chunk('data: 2\n\n'), chunk()])
    const pieces = Array.from(bytes, (byte) => Buffer.from([byte]))
    between.upstream.answers(({ socket }) => void sendApart(socket, pieces))
    between.caller.send(post('{}'))
    expect((await between.caller.answer()).body.toString()).toBe('data: 1\n\ndata: 2\n\n')
  })

  it('passes without the trailers and the chunk extensions around it', async () => {
    const bytes = `${streamHead('Trailer: X-Sum')}3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`
    const { body, lines } = await got(bytes)
    expect(body.toString()).toBe('abc')
    expect(lines.join('\n')).not.toMatch(/x-sum/i)
    expect(between.caller.received().toString()).toBe('')
  })

  it('passes encoded, and says so, when the caller asked for it', async () => {
    const zipped = gzipSync('{"a":1}')
    const { body, header } = await got(
      answer('200 OK', ['Content-Encoding: gzip'], zipped),
      post('{}', 'Accept-Encoding: gzip'),
    )
    expect(body.equals(zipped)).toBe(true)
    expect(header('content-encoding')).toEqual(['gzip'])
    expect(between.upstream.requests[0]?.header('accept-encoding')).toEqual(['gzip'])
  })

  it('of many bytes passes whole, with the length that upstream gave', async () => {
    const content = Buffer.alloc(3_000_000, 'abcdefghi')
    const { body, header } = await got(answer('200 OK', [], content))
    expect(body.equals(content)).toBe(true)
    expect(header('content-length')).toEqual(['3000000'])
  })

  it('that ends where the connection does is complete', async () => {
    between.upstream.answers(({ socket }) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it'))
    between.caller.send(post('{}'))
    const { body, isComplete } = await between.caller.answer()
    expect(body.toString()).toBe('all of it')
    expect(isComplete).toBe(true)
  })
})

describe("upstream's header", () => {
  it.each([
    'Content-Type: text/event-stream; charset=utf-8',
    'Content-Language: de',
    'Cache-Control: no-cache, no-transform',
    'X-Accel-Buffering: no',
    'Mcp-Session-Id: a-session',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Of-The-Future: =?base64?8J+YgA==?=',
    'Retry-After: Wed, 21 Oct 2026 07:28:00 GMT',
    'Date: Wed, 21 Oct 2026 07:28:00 GMT',
    'ETag: W/"1"',
    'Age: 7',
    'Expires: 0',
    'Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT',
    'Pragma: no-cache',
    'Vary: Accept',
    'RateLimit: "default";r=50;t=30',
    'X-RateLimit-Remaining: 9',
  ])('passes as it came: %s', async (line) => {
    const { lines } = await got(answer('200 OK', [line], 'x'))
    expect(
      lines.filter((other) => other.toLowerCase().startsWith(line.slice(0, line.indexOf(':')).toLowerCase())),
    ).toEqual([line])
  })

  it.each([
    'Set-Cookie: __cf_bm=1; path=/',
    'WWW-Authenticate: Bearer resource_metadata="https://mcp.test/.well-known/oauth-protected-resource"',
    'Alt-Svc: h3=":443"',
    'Strict-Transport-Security: max-age=1',
    'Access-Control-Allow-Origin: *',
    'Access-Control-Expose-Headers: Mcp-Session-Id',
    'Proxy-Authenticate: Basic',
    'Server: cloudflare',
    'Location: /elsewhere',
    'Via: 1.1 somebody',
    'Refresh: 5; url=http://evil.test',
    'X-Unknown: 1',
    'Trailer: X-Sum',
  ])('stays away from the caller: %s', async (line) => {
    for (const status of ['200 OK', '403 Forbidden']) {
      const { header } = await got(answer(status, [line], 'x'))
      expect(header(line.slice(0, line.indexOf(':')))).toEqual([])
    }
  })

  it('stays away from the caller when Connection names it', async () => {
    const { lines } = await got(answer('200 OK', ['Connection: keep-alive, Mcp-Hop', 'Mcp-Hop: 1', 'Mcp-Name: n'], 'x'))
    expect(lines.join('\n')).not.toMatch(/mcp-hop/i)
    expect(lines).toContain('Mcp-Name: n')
  })

  it('about keeping the connection is the own one of the gateway', async () => {
    const { header } = await got(answer('200 OK', ['Keep-Alive: timeout=1, max=3'], 'x'))
    expect(header('keep-alive')).toEqual(['timeout=60'])
    expect((await got(answer('200 OK', [], 'y'))).body.toString()).toBe('y')
  })

  it('is not understood twice: of two session ids only the one on record passes', async () => {
    const { header } = await got(answer('200 OK', ['Mcp-Session-Id: one', 'Mcp-Session-Id: two'], 'x'))
    expect(header('mcp-session-id')).toEqual(['one'])
    expect([...between.proxy.sessions.owners.keys()]).toEqual(['one'])
  })
})

describe('a caller that speaks HTTP/1.0', () => {
  it('gets the bytes without chunks, and then the end of the connection', async () => {
    between.upstream.answers(({ socket }) => {
      socket.write(streamHead())
      setImmediate(() => socket.write(Buffer.concat([chunk('data: 1\n\n'), chunk()])))
    })
    between.caller.send(post('{}').toString().replace('HTTP/1.1', 'HTTP/1.0'))
    await between.caller.closed
    const { body, chunks } = await between.caller.answer()
    expect(chunks).toBeUndefined()
    expect(body.toString()).toBe('data: 1\n\n')
  })
})

describe('a caller that sends the next request before it has the answer', () => {
  it('gets the answers in order', async () => {
    between.upstream.answers(({ socket, body }) => {
      const send = (): boolean => socket.write(answer('200 OK', [], body))
      if (body.toString() === '{"id":1}') setTimeout(send, 50)
      else send()
    })
    between.caller.send(Buffer.concat([post('{"id":1}'), post('{"id":2}')]))
    expect((await between.caller.answer()).body.toString()).toBe('{"id":1}')
    expect((await between.caller.answer()).body.toString()).toBe('{"id":2}')
  })
})
