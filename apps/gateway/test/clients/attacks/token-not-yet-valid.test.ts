/** Tokens from the future: the issuer's clock is wrong, or an attacker prepared the token for later use. */
import { expect, it } from 'vitest'
import { call, clientFixture } from '../clients.ts'

const on = clientFixture()
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

it.each([
  ['with a future nbf', { nbf: inSeconds(90) }],
  ['with a future iat', { iat: inSeconds(90) }],
  ['whose nbf is not a number', { nbf: 'now' }],
  ['whose iat is not a number', { iat: '0' }],
])('a token %s is rejected', async (_, claims) => {
  const response = await call(await on.token('north', claims), on.endpoint())
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
})

it.each([{ nbf: inSeconds(90) }, { iat: inSeconds(90) }])(
  'a token from the future (%j) is rejected with a message about the clock',
  async (claims) => {
    const response = await call(await on.token('north', claims), on.endpoint())
    expect(response.text).toMatch(/clock/)
  },
)

it.each([{ nbf: inSeconds(45) }, { iat: inSeconds(45) }])(
  'a token of an issuer whose clock is slightly ahead (%j) is accepted',
  async (claims) => {
    expect((await call(await on.token('north', claims), on.endpoint())).status).toBe(200)
  },
)

it('a token is accepted from the second of its nbf', async () => {
  const token = await on.token('north', { nbf: inSeconds(0), iat: inSeconds(0) })
  expect((await call(token, on.endpoint())).status).toBe(200)
})
