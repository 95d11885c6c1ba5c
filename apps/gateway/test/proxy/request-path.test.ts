import { describe, expect, it } from 'vitest'
import { betweenTwo } from './between-two.ts'
import { head, post } from './raw-caller.ts'
import { json } from './raw-upstream.ts'

const between = betweenTwo()

/** Sends it, and what upstream saw of it. */
async function seen(bytes: string | Buffer) {
  between.caller.send(bytes)
  await between.caller.answer()
  const request = between.upstream.requests.at(-1)
  if (!request) throw new Error('nothing went upstream')
  return request
}

describe("a request's body", () => {
  it.each([
    ['numbers that no double holds', '{"id":12345678901234567890,"a":1.0,"b":1E400}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['escapes that need not be', '{"a":"\\u0041\\/"}'],
    ['a name twice', '{"a":1,"a":2}'],
    ['an order of its own', '{"method":"ping","id":1,"jsonrpc":"2.0"}'],
    ['white space', ' {\r\n\t"id" : 1 }\n'],
    ['what is no ASCII', '{"a":"Grüße, 日本語, \u{1f600}"}'],
    [
      '_meta, requestState, a cursor, a progress token',
      '{"params":{"_meta":{"progressToken":"p","meta":1},"requestState":"s","cursor":"c"}}',
    ],
    ['a response to a server', '{"jsonrpc":"2.0","id":"srv-1","result":{}}'],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"n"}]'],
  ])('goes upstream byte for byte: %s', async (_, body) => {
    expect((await seen(post(body))).body.toString()).toBe(body)
  })

  it('loses meta and nothing else', async () => {
    const request = await seen(
      post('{"id":12345678901234567890, "meta":{"space_id":"north","user_id":"ada"} ,"a":1.0}'),
    )
    expect(request.body.toString()).toBe('{"id":12345678901234567890, "a":1.0}')
  })

  it('is the same however it was cut on its way', async () => {
    const body = '{"a":"日本語","meta":{"space_id":"north"}}'
    for (const byte of post(body)) {
      between.caller.send(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    await between.caller.answer()
    expect(between.upstream.requests[0]?.body.toString()).toBe('{"a":"日本語"}')
  })

  it('is the same when it came in chunks, and has a length then', async () => {
    between.caller.send(head('POST', 'Transfer-Encoding: chunked'))
    between.caller.send('5;ext=1\r\n{"a":\r\n3\r\n1.0\r\n1\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n')
    await between.caller.answer()
    expect(between.upstream.requests[0]?.body.toString()).toBe('{"a":1.0}')
    expect(between.upstream.requests[0]?.header('content-length')).toEqual(['9'])
  })
})

describe("a request's header", () => {
  it.each([
    'Accept: application/json, text/event-stream',
    'Accept-Encoding: br;q=1.0, gzip',
    'Content-Type: application/json; charset="utf-8"',
    'Last-Event-ID: 0000-Ünï',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    'Mcp-Name: =?base64?R3LDvMOfZQ==?=',
    'Mcp-Param-Region: =?base64?8J+YgA==?=',
    'mcp-param-WhoKnows:   left as it is',
    'Mcp-Of-The-Future: 1',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'tracestate: a=1,b=2',
    'baggage: k=v',
  ])('goes upstream as it came: %s', async (line) => {
    const [name = '', ...value] = line.split(':')
    const { lines } = await seen(post('{}', line))
    expect(lines).toContain(Buffer.from(`${name}: ${value.join(':').trim()}`).toString('latin1'))
  })

  it('goes upstream with its session', async () => {
    between.proxy.sessions.owners.set('session-1', { spaceId: 'north', userId: 'ada' })
    expect((await seen(post('{}', 'Mcp-Session-Id: session-1'))).header('mcp-session-id')).toEqual(['session-1'])
  })

  it.each([
    'Cookie: session=1',
    'Proxy-Authorization: Basic eDp5',
    'Origin: https://app.test',
    'Referer: http://app.test/secret',
    'Forwarded: for=10.0.0.1',
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Host: gateway.test',
    'X-Real-IP: 10.0.0.1',
    'Via: 1.1 somebody',
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Trailer: X-Trailer',
    'Upgrade: websocket',
    'Expect: 100-continue',
    'Priority: u=1',
    'X-Unknown: 1',
    'X-API-Key: secret',
  ])('stays here: %s', async (line) => {
    between.caller.send(post('{}', line))
    await between.caller.until('{}')
    const name = line.slice(0, line.indexOf(':'))
    expect(between.upstream.requests).toHaveLength(1)
    expect(between.upstream.requests[0]?.header(name)).toEqual([])
  })

  it('stays here when Connection names it', async () => {
    const { lines } = await seen(
      post('{}', 'Connection: keep-alive, Mcp-Hop , traceparent', 'Mcp-Hop: 1', 'traceparent: 00', 'Mcp-Name: n'),
    )
    expect(lines.join('\n')).not.toMatch(/mcp-hop|traceparent/i)
    expect(lines).toContain('Mcp-Name: n')
  })

  it('stays here when it tells who calls, and for which space', async () => {
    const { lines } = await seen(post('{"meta":{"space_id":"north"}}', 'X-User-ID: ada'))
    expect(lines.join('\n')).not.toMatch(/x-user-id|x-space-id|ada|north/i)
  })
})

describe('what upstream sees besides', () => {
  it("is the space's access token in place of the caller's", async () => {
    const request = await seen(post('{}'))
    expect(request.header('authorization')).toEqual(['Bearer token-1'])
    expect(request.lines.join('\n')).not.toContain('service-token')
  })

  it('is nothing of the query of the URL', async () => {
    const { target } = await seen(
      post('{}').toString().replace('/proxy HTTP', '/proxy?access_token=service-token HTTP'),
    )
    expect(target).toBe('/mcp')
  })

  it('is its own host, and the name of the gateway', async () => {
    const request = await seen(post('{}', 'User-Agent: curl/8'))
    expect(request.header('host')).toEqual([between.upstream.url.host])
    expect(request.header('user-agent')).toEqual(['notion-mcp-gateway/test'])
  })

  it('is no header that nobody sent', async () => {
    const { lines } = await seen(post('{}'))
    const names = lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
    expect(names.sort()).toEqual(['authorization', 'connection', 'content-length', 'host', 'user-agent'])
  })
})

describe.each(['GET', 'DELETE'])('%s', (method) => {
  it('goes upstream as it came, without a body', async () => {
    const request = await seen(
      head(method, 'Accept: text/event-stream', 'Last-Event-ID: 7', 'MCP-Protocol-Version: 2025-11-25'),
    )
    expect(request.method).toBe(method)
    expect(request.body).toHaveLength(0)
    expect(request.header('last-event-id')).toEqual(['7'])
    expect(request.header('accept')).toEqual(['text/event-stream'])
    expect(request.header('mcp-protocol-version')).toEqual(['2025-11-25'])
  })
})

describe('two callers who ask the same', () => {
  it('are two requests upstream, and none is answered from memory', async () => {
    between.upstream.answers(({ socket, connection }) => socket.write(json(`{"connection":${connection}}`)))
    const other = await between.another()
    between.caller.send(head('GET'))
    other.send(head('GET'))
    await Promise.all([between.caller.answer(), other.answer()])
    between.caller.send(head('GET'))
    await between.caller.answer()
    expect(between.upstream.requests).toHaveLength(3)
  })

  it('use a connection each while both are under way, and the same one when one follows the other', async () => {
    between.caller.send(post('{}'))
    await between.caller.answer()
    between.caller.send(post('{}'))
    await between.caller.answer()
    expect(between.upstream.connections()).toBe(1)

    between.upstream.answers(() => {})
    const other = await between.another()
    between.caller.send(post('{}'))
    other.send(post('{}'))
    const [third, fourth] = await Promise.all([between.upstream.request(2), between.upstream.request(3)])
    expect(new Set([third.connection, fourth.connection])).toEqual(new Set([0, 1]))
  })
})
