import { describe, expect, it } from 'vitest'
import { readTokenResponse } from './token-response.ts'

const pair = { access_token: 'access', refresh_token: 'refresh', token_type: 'bearer', expires_in: 3600 }

/** The parsed response with its secrets revealed. */
function read(body: unknown, status = 200) {
  const response = readTokenResponse({ status, body: typeof body === 'string' ? body : JSON.stringify(body) })
  if (response.kind !== 'granted') return response
  const { accessToken, refreshToken, ...others } = response.tokens
  return { access: accessToken?.reveal(), refresh: refreshToken?.reveal(), ...others }
}
const without = (name: string) => Object.fromEntries(Object.entries(pair).filter(([key]) => key !== name))

describe('a token response', () => {
  it('is parsed with all its members', () => {
    const workspace = { workspace_id: 'w', workspace_name: 'North', bot_id: 'b' }
    expect(read({ ...pair, ...workspace, scope: 'a b' })).toEqual({
      access: 'access',
      refresh: 'refresh',
      expiresInSeconds: 3600,
      scope: 'a b',
      workspace: { id: 'w', name: 'North', botId: 'b' },
    })
  })

  const odd = [null, '', 0, -1, true, {}, [], 'x'.repeat(100_000), 1e300, 'é\u0000']
  it.each(['token_type', 'expires_in', 'scope', 'resource', 'id_token', 'workspace_id', 'workspace_name', 'error'])(
    'grants both tokens whatever its %s is',
    (name) => {
      for (const status of [200, 201, 202, 299]) {
        expect(read(without(name), status)).toMatchObject({ access: 'access', refresh: 'refresh' })
        for (const value of odd) {
          expect(read({ ...pair, [name]: value }, status)).toMatchObject({ access: 'access', refresh: 'refresh' })
        }
      }
    },
  )

  const unusable = [undefined, null, '', 7, true, {}, [], ' ', 'a\nb', 'a\r\n', ' a', 'tøken', 'a\u007f']
  it.each(unusable)('with the access token %j grants the refresh token alone', (value) => {
    expect(read({ ...pair, access_token: value })).toMatchObject({ access: undefined, refresh: 'refresh' })
  })
  it.each(unusable)('with the refresh token %j grants the access token alone', (value) => {
    expect(read({ ...pair, refresh_token: value })).toMatchObject({ access: 'access', refresh: undefined })
  })
  it.each(unusable)('with both tokens %j is unreadable', (value) => {
    expect(read({ ...pair, access_token: value, refresh_token: value })).toEqual({ kind: 'unreadable' })
  })

  it.each(['mac', 'DPoP', 'N_A', 'PoP', 'Basic'])('of the type %s grants the refresh token alone', (type) => {
    expect(read({ ...pair, token_type: type })).toMatchObject({ access: undefined, refresh: 'refresh' })
    expect(read({ ...without('refresh_token'), token_type: type })).toEqual({ kind: 'unreadable' })
  })
  it.each(['Bearer', 'BEARER', 'bearer ', 'bot', 'user', 'jwt'])('of the type %s grants the access token', (type) => {
    expect(read({ ...pair, token_type: type })).toMatchObject({ access: 'access' })
  })

  it.each<[unknown, number | null]>([
    [3600, 3600],
    ['3600', 3600],
    [1e300, 315_360_000],
    [0.5, 0.5],
    ...[0, -1, '', 'soon', null, undefined, {}, [5], true, Number.NaN].map((value): [unknown, null] => [value, null]),
  ])('with the lifetime %j expires in %j seconds', (value, seconds) => {
    expect(read({ ...pair, expires_in: value })).toMatchObject({ expiresInSeconds: seconds })
  })

  it.each([
    ['a b', 'a b'],
    ['a,b', 'a b'],
    [['a', 'b', 3], 'a b'],
    ['', null],
    [null, null],
    [7, null],
  ])('for the scope %j has the scope %j', (value, scope) => {
    expect(read({ ...pair, scope: value })).toMatchObject({ scope })
  })

  it('counts the last value of a repeated member', () => {
    expect(read('{"access_token":"old","refresh_token":"r","access_token":"new"}')).toMatchObject({ access: 'new' })
    expect(read('{"access_token":"a","refresh_token":"r","refresh_token":null}')).toMatchObject({ refresh: undefined })
    expect(read('access_token=old&access_token=new')).toMatchObject({ access: 'new' })
  })

  it('is parsed form-encoded and with a byte order mark', () => {
    expect(read('access_token=a%2Bb&refresh_token=r&expires_in=60\n')).toMatchObject({
      access: 'a+b',
      refresh: 'r',
      expiresInSeconds: 60,
    })
    expect(read(`\uFEFF${JSON.stringify(pair)}`)).toMatchObject({ access: 'access' })
  })

  it.each([
    '',
    '<html>access_token</html>',
    '[]',
    'null',
    '"access"',
    '{"access_token":"a"',
    '{}',
    '{"error":"invalid_grant"}',
  ])('is unreadable when its body is %j', (body) => expect(read(body)).toEqual({ kind: 'unreadable' }))

  it('grants tokens in 2xx only', () => {
    for (const status of [300, 302, 307, 308, 500, 502, 503, 599]) {
      expect(read(pair, status)).toEqual({ kind: 'unreadable' })
    }
    for (const status of [400, 401, 404, 429]) expect(read(pair, status)).toMatchObject({ kind: 'refused' })
  })
})

describe('a refusal of a token endpoint', () => {
  it.each([
    [{ error: 'invalid_grant' }, 'invalid_grant'],
    [{ error: 'INVALID_GRANT' }, 'invalid_grant'],
    [{ error: { code: 'invalid_grant', message: 'x' } }, 'invalid_grant'],
    [{ error: { type: 'invalid_grant' } }, 'invalid_grant'],
    [{ errors: [{ code: 'invalid_grant' }] }, 'invalid_grant'],
    [{ code: 'invalid_grant' }, 'invalid_grant'],
    [{ error_code: 'bad_refresh_token' }, 'bad_refresh_token'],
    [{ error: null, code: 'x' }, 'x'],
    [{ error: 'Your token <b>abc</b> is bad' }, 'http_403'],
    [{ error: 'x'.repeat(61) }, 'http_403'],
    [{ message: 'Forbidden' }, 'http_403'],
    [{}, 'http_403'],
  ])('%j has the code %s', (body, error) => {
    expect(read(body, 403)).toMatchObject({ kind: 'refused', error })
  })

  it('requires a 4xx with a JSON object', () => {
    for (const status of [400, 401, 403, 404, 409, 422, 499]) {
      expect(read({ error: 'invalid_grant' }, status)).toMatchObject({ kind: 'refused' })
      for (const body of ['', 'invalid_grant', '<html></html>', '["invalid_grant"]', 'error=invalid_grant']) {
        expect(read(body, status)).toEqual({ kind: 'unreadable' })
      }
    }
    for (const status of [302, 500, 503])
      expect(read({ error: 'invalid_grant' }, status)).toEqual({ kind: 'unreadable' })
  })

  it('distinguishes an expired token from a revoked one if the server does', () => {
    expect(read({ error: 'invalid_grant', error_description: 'Refresh token has expired' }, 400)).toMatchObject({
      isTokenExpired: true,
    })
    expect(read({ error: 'invalid_grant', error_description: 'OAuth grant revoked' }, 400)).toMatchObject({
      isTokenExpired: false,
    })
  })
})
