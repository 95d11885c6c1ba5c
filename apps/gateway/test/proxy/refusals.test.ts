import { describe, expect, it } from 'vitest'
import { betweenTwo } from './between-two.ts'
import { head, post, type RawAnswer } from './raw-caller.ts'

const between = betweenTwo({ maxBodyBytes: 1000 })

async function call(bytes: string | Buffer): Promise<RawAnswer> {
  between.caller.send(bytes)
  return between.caller.answer()
}

const north = '{"meta":{"space_id":"north"}}'
const ada = '{"meta":{"space_id":"north","user_id":"ada"}}'

describe('a call that the gateway refuses', () => {
  it.each([
    ['without a service token', 401, 'unauthenticated', post('{}', 'Authorization:')],
    ['with a wrong service token', 401, 'unauthenticated', post('{}', 'Authorization: Bearer wrong')],
    ['without a space', 400, 'missing_space', post('{}', 'X-Space-ID:')],
    ['without a space, as GET', 400, 'missing_space', head('GET', 'X-Space-ID:')],
    ['without a space, as DELETE', 400, 'missing_space', head('DELETE', 'X-Space-ID:')],
    ['with an empty space', 400, 'missing_space', post('{"meta":{"space_id":""}}', 'X-Space-ID:')],
    ['with a space that is no text', 400, 'invalid_request', post('{"meta":{"space_id":7}}')],
    [
      'with a space of half a character',
      400,
      'invalid_request',
      post('{"meta":{"space_id":"\\ud800"}}', 'X-Space-ID:'),
    ],
    ['with a space with a NUL', 400, 'invalid_request', post('{"meta":{"space_id":"a\\u0000"}}', 'X-Space-ID:')],
    [
      'with a space that never ends',
      400,
      'invalid_request',
      post(`{"meta":{"space_id":"${'a'.repeat(201)}"}}`, 'X-Space-ID:'),
    ],
    ['with two spaces', 400, 'invalid_request', post('{}', 'X-Space-ID: north', 'X-Space-ID: south')],
    ['with two persons', 400, 'invalid_request', post('{}', 'X-User-ID: ada', 'x-user-id: ben')],
    ['with two sessions', 400, 'invalid_request', post('{}', 'Mcp-Session-Id: a', 'mcp-session-id: b')],
    [
      'with meta twice',
      400,
      'invalid_request',
      post('{"meta":{"space_id":"north"},"meta":{"space_id":"south"}}', 'X-Space-ID:'),
    ],
    ['whose spaces disagree', 403, 'forbidden_space', post(north, 'X-Space-ID: south')],
    ['whose persons disagree', 403, 'forbidden_space', post(ada, 'X-User-ID: ben')],
    [
      'whose messages disagree',
      403,
      'forbidden_space',
      post(`[${north},{"meta":{"space_id":"south"}}]`, 'X-Space-ID:'),
    ],
    ['that is empty', 400, 'invalid_json', post('')],
    ['that is no JSON', 400, 'invalid_json', post('{"id":1,}')],
    ['that begins with a byte order mark', 400, 'invalid_json', post('\ufeff{}')],
    ['that is no UTF-8', 400, 'invalid_json', post(Buffer.from('{"a":"\xff"}', 'latin1'))],
    ['that is compressed', 415, 'unsupported_encoding', post('{}', 'Content-Encoding: gzip')],
    [
      'that is compressed twice',
      415,
      'unsupported_encoding',
      post('{}', 'Content-Encoding: br', 'Content-Encoding: identity'),
    ],
    [
      'with a charset that hides in another parameter',
      400,
      'invalid_json',
      post('{}', 'Content-Type: a/b; x="charset=utf-7"'),
    ],
    ['with a charset that is no parameter', 400, 'invalid_json', post('{}', 'Content-Type: a/b charset=utf-8')],
    ['with two equal charsets', 400, 'invalid_json', post('{}', 'Content-Type: a/b; charset=utf-8; charset=utf-8')],
    ['in another alphabet', 400, 'invalid_json', post('{}', 'Content-Type: application/json; charset=utf-7')],
    ['in two alphabets', 400, 'invalid_json', post('{}', 'Content-Type: text/json; charset=utf-8; charset=utf-7')],
    [
      'in a hidden alphabet',
      400,
      'invalid_json',
      post('{}', 'Content-Type: text/json; a=";charset=utf-8"; CHARSET="utf-16"'),
    ],
    [
      'of two types',
      400,
      'invalid_request',
      post('{}', 'Content-Type: text/json', 'Content-Type: text/json; charset=utf-7'),
    ],
    ['that is too large', 413, 'too_large', post(`"${'x'.repeat(999)}"`)],
    [
      'that grows too large',
      413,
      'too_large',
      `${head('POST', 'Transfer-Encoding: chunked')}3e9\r\n"${'x'.repeat(1000)}`,
    ],
    ['as PUT', 405, 'method_not_allowed', head('PUT', 'Content-Length: 0')],
    ['as OPTIONS', 405, 'method_not_allowed', head('OPTIONS')],
    ['as PATCH', 405, 'method_not_allowed', head('PATCH', 'Content-Length: 0')],
  ])('%s is a problem %i %s, and nothing goes upstream', async (_, status, code, bytes) => {
    const { status: given, header, body } = await call(bytes)
    expect(given).toBe(status)
    expect(header('content-type')).toEqual(['application/problem+json'])
    const problem: unknown = JSON.parse(body.toString())
    expect(problem).toEqual({
      type: `urn:notion-mcp-gateway:problem:${code}`,
      title: expect.any(String),
      status,
      detail: expect.stringMatching(/^[A-Z].*\.$/),
      code,
      requestId: expect.stringMatching(/.{8}/),
    })
    expect(between.upstream.connections()).toBe(0)
    expect(await between.proxy.done(1)).toMatchObject([{ status, failure: { code }, isAborted: false }])
  })

  it('for want of a space begins as the seed does', async () => {
    const { body } = await call(post('{}', 'X-Space-ID:'))
    expect(JSON.parse(body.toString())).toMatchObject({ detail: expect.stringMatching(/^Missing space_id/) })
  })

  it('for its method says which there are', async () => {
    expect((await call(head('PUT', 'Content-Length: 0'))).header('allow')).toEqual(['GET, POST, DELETE'])
  })

  it('for its credentials is answered before its body is there', async () => {
    between.caller.send(head('POST', 'Authorization: Bearer wrong', 'Content-Length: 900'))
    expect((await between.caller.answer()).status).toBe(401)
  })

  it('for its announced size is answered before its body is there, and the connection ends', async () => {
    between.caller.send(head('POST', 'Content-Length: 1001'))
    expect((await between.caller.answer()).status).toBe(413)
    await between.caller.closed
  })

  it('for its size is answered though the caller goes on to send', async () => {
    between.caller.send(head('POST', 'Content-Length: 50000000'))
    const piece = Buffer.alloc(1_000_000, 'x')
    for (let i = 0; i < 50; i++) between.caller.send(piece)
    const { status, body } = await between.caller.answer()
    expect(status).toBe(413)
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'too_large' })
  })

  it('keeps its connection, when its body is through', async () => {
    expect((await call(post('{"id":1,}'))).status).toBe(400)
    expect((await call(post('{}'))).status).toBe(200)
  })
})

describe('a call that is taken', () => {
  it.each([
    ['with the space in the header', post('{}', 'X-Space-ID: south'), 'south', 'ada'],
    ['with the space in meta', post(north, 'X-Space-ID:'), 'north', 'ada'],
    ['with the same space in both', post(ada), 'north', 'ada'],
    ['with the person in meta', post(ada, 'X-User-ID:'), 'north', 'ada'],
    ['with nobody', post('{}', 'X-User-ID:'), 'north', undefined],
    ['as large as may be', post(`"${'x'.repeat(998)}"`), 'north', 'ada'],
    ['with ids as long as may be', post('{}', `X-Space-ID: ${'a'.repeat(200)}`), 'a'.repeat(200), 'ada'],
    ['as GET', head('GET'), 'north', 'ada'],
  ])('%s is on record with its space and person', async (_, bytes, spaceId, userId) => {
    expect((await call(bytes)).status).toBe(200)
    expect(await between.proxy.done(1)).toMatchObject([{ spaceId, userId, status: 200, failure: undefined }])
  })

  it('is on record with its method, and with how long it took', async () => {
    await call(post('{"method":"tools/call"}'))
    const [record] = await between.proxy.done(1)
    expect(record).toMatchObject({ httpMethod: 'POST', rpcMethod: 'tools/call', upstreamHeadMs: expect.any(Number) })
    expect(record?.tookMs).toBeGreaterThanOrEqual(record?.upstreamHeadMs ?? Infinity)
  })

  it('leaves no secret on record', async () => {
    await call(post('{}'))
    expect(JSON.stringify(await between.proxy.done(1))).not.toMatch(/token/)
  })
})
