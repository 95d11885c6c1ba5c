import { describe, expect, it } from 'vitest'
import { Failure } from '../../src/platform/failure.ts'
import { Secret } from '../../src/platform/secret.ts'
import { betweenTwo } from './between-two.ts'
import { head, post, type RawAnswer } from './raw-caller.ts'
import { answer, json, type RawRequest } from './raw-upstream.ts'

const between = betweenTwo()

async function call(bytes: string | Buffer = post('{}')): Promise<RawAnswer> {
  between.caller.send(bytes)
  return between.caller.answer()
}

function problem({ body }: RawAnswer): { code: string; detail: string; status: number } {
  return JSON.parse(body.toString()) as never
}

const challenge = 'WWW-Authenticate: Bearer error="invalid_token", resource_metadata="https://mcp.test/meta"'
const refusal = answer('401 Unauthorized', [challenge, 'Set-Cookie: a=b'], '{"error":"invalid_token"}')

/** Takes this token and no other. */
function takes(token: string) {
  return ({ socket, header }: RawRequest): void => {
    socket.write(header('authorization')[0] === `Bearer ${token}` ? json('{"ok":true}') : refusal)
  }
}

describe('an access token that upstream refuses', () => {
  it.each([
    ['POST', post('{"id":1,"meta":{"space_id":"north"},"a":1.0}', 'Mcp-Name: n')],
    ['GET', head('GET', 'Last-Event-ID: 7')],
    ['DELETE', head('DELETE')],
  ])('is replaced, and the same %s sent once more', async (_, bytes) => {
    between.upstream.answers(takes('token-2'))
    const { status, body } = await call(bytes)
    expect(status).toBe(200)
    expect(body.toString()).toBe('{"ok":true}')
    const [first, second] = between.upstream.requests
    expect(between.upstream.requests).toHaveLength(2)
    expect(second?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true)
    const but = (request?: RawRequest) => request?.lines.filter((line) => !line.startsWith('authorization'))
    expect(but(second)).toEqual(but(first))
    expect(between.proxy.tokens.refused).toEqual(['token-1'])
  })

  it('and its successor too, is reported as a fault of upstream, with the time of the next attempt', async () => {
    between.upstream.answers(takes('token-9'))
    const answered = await call()
    expect(answered.status).toBe(502)
    expect(answered.header('retry-after')).toEqual(['60'])
    expect(problem(answered)).toMatchObject({ code: 'upstream_refuses_token' })
    expect(between.upstream.requests).toHaveLength(2)
  })

  it("never shows upstream's challenge or cookies", async () => {
    between.upstream.answers(takes('token-9'))
    const { lines, body } = await call()
    expect(lines.join('\n')).not.toMatch(/www-authenticate|set-cookie|mcp\.test/i)
    expect(body.toString()).not.toMatch(/mcp\.test|invalid_token|token-/)
  })

  it.each([
    [new Failure('refresh_unavailable', 'Try again soon.', { retryAfterSeconds: 7 }), 503, '7'],
    [new Failure('reconnect_required', 'Reconnect Notion.'), 401, undefined],
    [new Error('token-1 broke something'), 500, undefined],
  ])('and cannot be replaced (%s) is answered with what is the matter', async (failure, status, retryAfter) => {
    between.upstream.answers(takes('token-9'))
    between.proxy.tokens.givesAfterwards(() => Promise.reject(failure))
    const answered = await call()
    expect(answered.status).toBe(status)
    expect(answered.header('retry-after')[0]).toBe(retryAfter)
    expect(answered.body.toString()).not.toContain('token-')
    expect(between.upstream.requests).toHaveLength(1)
  })

  it('with an answer that never ends is replaced without waiting for that end', async () => {
    between.upstream.answers(({ socket, header }) => {
      if (header('authorization')[0] === 'Bearer token-2') socket.write(json('{"ok":true}'))
      else socket.write('HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc')
    })
    expect((await call()).body.toString()).toBe('{"ok":true}')
  })

  it('with an answer of great length has that connection closed', async () => {
    between.upstream.answers(({ socket, header }) => {
      socket.write(
        header('authorization')[0] === 'Bearer token-2'
          ? json('{"ok":true}')
          : answer('401 Unauthorized', [], Buffer.alloc(1_000_000)),
      )
    })
    expect((await call()).status).toBe(200)
    await between.upstream.requests[0]?.closed
  })
})

describe('nothing but a 401 is sent twice', () => {
  it.each([
    ['403', answer('403 Forbidden', ['WWW-Authenticate: Bearer error="insufficient_scope"'], '{}')],
    ['429', answer('429 Too Many Requests', [])],
    ['500', answer('500 Internal Server Error', [])],
    ['503', answer('503 Service Unavailable', ['Retry-After: 1'])],
  ])('not after %s, which passes as it came', async (status, bytes) => {
    between.upstream.answers(({ socket }) => socket.write(bytes))
    const answered = await call()
    expect(answered.status).toBe(Number(status))
    expect(answered.header('www-authenticate')).toEqual([])
    expect(between.upstream.requests).toHaveLength(1)
  })

  it.each([
    ['closed', (request: RawRequest) => void request.socket.end()],
    ['reset', (request: RawRequest) => void request.socket.resetAndDestroy()],
    ['filled with what is no HTTP', (request: RawRequest) => void request.socket.write('SSH-2.0-OpenSSH\r\n')],
  ])('not after a connection that is %s: that is 502', async (_, answers) => {
    between.upstream.answers(answers)
    const answered = await call()
    expect(answered.status).toBe(502)
    expect(problem(answered).code).toBe('outcome_unknown')
    expect(between.upstream.requests).toHaveLength(1)
  })

  it('not after a reset of a connection that served before', async () => {
    await call()
    between.upstream.answers(({ socket }) => void socket.resetAndDestroy())
    expect((await call()).status).toBe(502)
    expect(between.upstream.requests).toHaveLength(2)
  })

  it('and a connection that was closed while idle costs no call', async () => {
    await call()
    const [first] = between.upstream.requests
    first?.socket.end()
    await first?.closed
    expect((await call()).status).toBe(200)
    expect(between.upstream.connections()).toBe(2)
  })

  it('and an upstream that is not there is 502', async () => {
    await between.upstream.close()
    const answered = await call()
    expect(answered.status).toBe(502)
    expect(problem(answered).code).toBe('upstream_unreachable')
  })
})

describe('an MCP session', () => {
  const minted = answer('200 OK', ['Mcp-Session-Id: session-1', 'Content-Type: application/json'], '{}')

  it('is on record before its id is told', async () => {
    const written = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    between.proxy.sessions.before(() => {
      asked.resolve()
      return written.promise
    })
    between.upstream.answers(({ socket }) => socket.write(minted))
    between.caller.send(post('{}'))
    await asked.promise
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(between.caller.received()).toHaveLength(0)
    written.resolve()
    const { header, body } = await between.caller.answer()
    expect(header('mcp-session-id')).toEqual(['session-1'])
    expect(body.toString()).toBe('{}')
    expect(between.proxy.sessions.owners.get('session-1')).toEqual({ spaceId: 'north', userId: 'ada' })
  })

  it('that cannot be put on record is not opened', async () => {
    between.proxy.sessions.before(() => Promise.reject(new Failure('store_unavailable', 'The database is away.')))
    between.upstream.answers(({ socket }) => socket.write(minted))
    const answered = await call()
    expect(answered.status).toBe(503)
    expect(answered.header('mcp-session-id')).toEqual([])
    await between.upstream.requests[0]?.closed
  })

  it('whose opening breaks off before it is on record is 502', async () => {
    const asked = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    between.proxy.sessions.before(() => {
      asked.resolve()
      return written.promise
    })
    between.upstream.answers(({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nMcp-Session-Id: s\r\nContent-Length: 9\r\n\r\n'),
    )
    between.caller.send(post('{}'))
    await asked.promise
    between.caller.socket.destroy()
    await between.upstream.requests[0]?.closed
    written.resolve()
    expect(await between.proxy.done(1)).toMatchObject([{ isAborted: true, status: 0 }])
  })

  it('that its caller uses again is not put on record again', async () => {
    between.upstream.answers(({ socket }) => socket.write(minted))
    await call()
    between.proxy.sessions.before(() => Promise.reject(new Error('not again')))
    expect((await call(post('{}', 'Mcp-Session-Id: session-1'))).status).toBe(200)
  })

  it.each([
    ['POST', 'nobody knows', post('{}', 'Mcp-Session-Id: other')],
    [
      'POST',
      'nobody knows, with another revision',
      post('{}', 'Mcp-Session-Id: other', 'Mcp-Protocol-Version: 2025-11-25'),
    ],
    [
      'POST',
      'nobody knows, with a revision that is none',
      post('{}', 'Mcp-Session-Id: other', 'Mcp-Protocol-Version: latest'),
    ],
    ['POST', 'nobody knows, in a batch', post('[{"method":"initialize","id":1}]', 'Mcp-Session-Id: other')],
    [
      'POST',
      'nobody knows, with a tool that speaks of revisions',
      post(
        '{"method":"tools/call","params":{"arguments":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}}',
        'Mcp-Session-Id: other',
      ),
    ],
    ['POST', "is another person's", post('{}', 'Mcp-Session-Id: session-1', 'X-User-ID: ben')],
    ['POST', "is nobody's", post('{}', 'Mcp-Session-Id: session-1', 'X-User-ID:')],
    ['POST', "is another space's", post('{}', 'Mcp-Session-Id: session-1', 'X-Space-ID: south')],
    ['GET', "is another person's", head('GET', 'Mcp-Session-Id: session-1', 'Last-Event-ID: 1', 'X-User-ID: ben')],
    ['DELETE', "is another person's", head('DELETE', 'Mcp-Session-Id: session-1', 'X-User-ID: ben')],
  ])('%s with one that %s is 404, and nothing goes upstream', async (_, __, bytes) => {
    between.proxy.sessions.owners.set('session-1', { spaceId: 'north', userId: 'ada' })
    const answered = await call(bytes)
    expect(answered.status).toBe(404)
    expect(problem(answered).code).toBe('unknown_session')
    expect(between.upstream.requests).toHaveLength(0)
  })

  it.each([
    ['on initialize', post('{"id":1,"method":"initialize"}', 'Mcp-Session-Id: ended')],
    ['on initialize in another spelling', post('{"id":1,"method":"initiali\\u007ae"}', 'Mcp-Session-Id: ended')],
    ['when it is empty', post('{}', 'Mcp-Session-Id:')],
    ['when it is empty, on GET', head('GET', 'Mcp-Session-Id: ')],
    ['when it is empty, on DELETE', head('DELETE', 'mcp-session-id:')],
    ['with 2026-07-28 in the header', post('{"id":1}', 'Mcp-Session-Id: ended', 'MCP-Protocol-Version: 2026-07-28')],
    ['with a later revision', post('{"id":1}', 'Mcp-Session-Id: ended', 'MCP-Protocol-Version: 2027-01-15')],
    ['with 2026-07-28 on GET', head('GET', 'Mcp-Session-Id: ended', 'MCP-Protocol-Version: 2026-07-28')],
    [
      'with 2026-07-28 in the message',
      post(
        '{"id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}',
        'Mcp-Session-Id: ended',
      ),
    ],
  ])('is dropped where it has no meaning: %s', async (_, bytes) => {
    expect((await call(bytes)).status).toBe(200)
    expect(between.upstream.requests[0]?.header('mcp-session-id')).toEqual([])
  })

  it('is looked for before it is answered, also when that takes a while', async () => {
    between.proxy.sessions.owners.set('session-1', { spaceId: 'north', userId: 'ada' })
    const { owners } = between.proxy.sessions
    between.proxy.sessions.owner = async (id) => {
      await new Promise(setImmediate)
      return owners.get(id)
    }
    expect((await call(post('{}', 'Mcp-Session-Id: session-1'))).status).toBe(200)
    expect((await call(post('{}', 'Mcp-Session-Id: session-2'))).status).toBe(404)
  })

  it.each([
    ['200 OK', false],
    ['204 No Content', false],
    ['405 Method Not Allowed', true],
    ['500 Internal Server Error', true],
  ])('that is deleted upstream with %s is on record afterwards: %s', async (status, remains) => {
    between.proxy.sessions.owners.set('session-1', { spaceId: 'north', userId: 'ada' })
    between.upstream.answers(({ socket }) =>
      socket.write(`HTTP/1.1 ${status}\r\n${status.startsWith('204') ? '' : 'Content-Length: 0\r\n'}\r\n`),
    )
    expect((await call(head('DELETE', 'Mcp-Session-Id: session-1'))).status).toBe(Number(status.slice(0, 3)))
    expect(between.proxy.sessions.owners.has('session-1')).toBe(remains)
  })
})

describe('a space', () => {
  it.each([
    ['not_connected', 404],
    ['reconnect_required', 401],
    ['refresh_unavailable', 503],
    ['store_unavailable', 503],
    ['sealed_value_unreadable', 500],
  ] as const)('without a usable access token (%s) is answered with %i, now or later', async (code, status) => {
    between.proxy.tokens.gives(() => {
      throw new Failure(code, 'So it is.')
    })
    expect((await call()).status).toBe(status)
    between.proxy.tokens.gives(() => Promise.reject(new Failure(code, 'So it is.')))
    const answered = await call()
    expect(answered.status).toBe(status)
    expect(problem(answered)).toMatchObject({ code, detail: 'So it is.', status })
    expect(between.upstream.requests).toHaveLength(0)
  })

  it('whose access token must be waited for gets its answer all the same', async () => {
    between.proxy.tokens.gives(async () => {
      await new Promise(setImmediate)
      return { token: new Secret('token-7'), version: 3 }
    })
    expect((await call()).status).toBe(200)
    expect(between.upstream.requests[0]?.header('authorization')).toEqual(['Bearer token-7'])
  })
})
