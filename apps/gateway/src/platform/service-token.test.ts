import { describe, expect, it } from 'vitest'
import { Secret } from './secret.ts'
import { requireUserId, serviceAuthenticator } from './service-token.ts'

const authenticate = serviceAuthenticator([new Secret('current-token'), new Secret('the-previous-token')])

describe('a service principal', () => {
  it.each(['Bearer current-token', 'bearer  the-previous-token '])('is authenticated by %j', (authorization) => {
    expect(authenticate({ authorization, 'x-user-id': 'ada' })).toMatchObject({ kind: 'application', userId: 'ada' })
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Basic current-token',
    'current-token',
    'Bearer current-tokem',
    'Bearer Current-token',
    'Bearer current-toke',
    'Bearer current-token1',
    'Bearer current-token the-previous-token',
    'Bearer another-token-1234',
  ])('is not authenticated by %j, whatever user it names', (authorization) => {
    expect(() => authenticate({ authorization, 'x-user-id': 'ada' })).toThrow(
      expect.objectContaining({ code: 'unauthenticated' }),
    )
  })

  it.each([undefined, '', '  '])('acts for no user when X-User-ID is %j', (header) => {
    const principal = authenticate({ authorization: 'Bearer current-token', 'x-user-id': header })
    expect(() => requireUserId(principal)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
  })
})
