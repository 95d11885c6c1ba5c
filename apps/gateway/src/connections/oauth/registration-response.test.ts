import { describe, expect, it } from 'vitest'
import { methodToRequest, readRegistrationResponse, type AuthMethod } from './registration-response.ts'

const ALL = ['none', 'client_secret_basic', 'client_secret_post']

function read(
  body: unknown,
  { status = 201, requested = 'none' as AuthMethod, supported = null as string[] | null } = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = readRegistrationResponse({ status, body: text }, requested, supported)
  if (response.kind !== 'granted') return response
  const { clientId, clientSecret, authMethod } = response.client
  return { clientId, secret: clientSecret?.reveal(), authMethod }
}

describe('a registration response', () => {
  it.each([200, 201, 202])('registers with status %i', (status) => {
    expect(read({ client_id: 'c' }, { status })).toEqual({ clientId: 'c', secret: undefined, authMethod: 'none' })
  })

  it.each([undefined, null, '', '0', 0, -5, {}, 'never'])(
    'registers whatever client_secret_expires_at is: %j',
    (value) => {
      const body = { client_id: 'c', client_secret: 's', client_secret_expires_at: value }
      expect(read(body)).toMatchObject({ clientId: 'c', secret: 's' })
    },
  )

  it.each([undefined, null, '', 5, {}])('registers a public client when the secret is %j', (secret) => {
    const body = { client_id: 'c', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' }
    expect(read(body)).toEqual({ clientId: 'c', secret: undefined, authMethod: 'none' })
  })

  it.each([
    // Without a method, a secret is used with RFC 7591's default or a method that the server lists.
    [undefined, 'none', null, 'client_secret_basic'],
    [null, 'none', ALL, 'client_secret_basic'],
    ['', 'none', ['client_secret_post'], 'client_secret_post'],
    [7, 'client_secret_post', null, 'client_secret_post'],
    ['client_secret_post', 'none', null, 'client_secret_post'],
    ['none', 'client_secret_basic', null, 'none'],
  ] as const)(
    'with a secret and the method %j, where %s was asked for, authenticates by %3$s',
    (method, requested, supported, expected) => {
      const body = { client_id: 'c', client_secret: 's', token_endpoint_auth_method: method }
      expect(read(body, { requested, supported: supported && [...supported] })).toMatchObject({ authMethod: expected })
    },
  )

  it('with an unsupported method is unusable', () => {
    const body = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt' }
    expect(read(body)).toEqual({ kind: 'unusable_method' })
  })

  it.each([undefined, null, '', 5, {}, 'a\nb'])('is unreadable when the client id is %j', (id) => {
    expect(read({ client_id: id })).toEqual({ kind: 'unreadable' })
  })

  it.each([
    [400, { error: 'invalid_redirect_uri' }, { kind: 'refused', error: 'invalid_redirect_uri' }],
    [403, { message: 'no' }, { kind: 'refused', error: 'http_403' }],
    [403, '<html>', { kind: 'unreadable' }],
    [500, { error: 'x' }, { kind: 'unreadable' }],
    [302, { client_id: 'c' }, { kind: 'unreadable' }],
    [201, '', { kind: 'unreadable' }],
  ])('with status %i and %j is %j', (status, body, expected) => {
    expect(read(body, { status })).toEqual(expected)
  })
})

describe('the requested method', () => {
  it.each([
    [null, 'none'],
    [[], 'none'],
    [ALL, 'none'],
    [['client_secret_post'], 'client_secret_post'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
    [['private_key_jwt'], 'none'],
  ])('for a server that lists %j is %s', (supported, expected) => {
    expect(methodToRequest('none', supported)).toBe(expected)
  })
})
