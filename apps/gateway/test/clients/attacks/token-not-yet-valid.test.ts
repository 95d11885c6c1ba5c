/** A token from the future: its issuer's clock is wrong, or somebody prepared it for later. */
import { expect, it } from 'vitest'
import { call, scene } from '../clients.ts'

const on = scene()
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

it.each([
  ['whose time begins later', { nbf: inSeconds(90) }],
  ['that will be issued later', { iat: inSeconds(90) }],
  ['whose beginning is no number', { nbf: 'now' }],
  ['whose issue is no number', { iat: '0' }],
])('a token %s is refused', async (_, claims) => {
  const answer = await call(await on.token('north', claims), on.endpoint())
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
})

it.each([{ nbf: inSeconds(90) }, { iat: inSeconds(90) }])(
  'a token from the future (%j) is refused with a text that names the clock',
  async (claims) => {
    const answer = await call(await on.token('north', claims), on.endpoint())
    expect(answer.text).toMatch(/clock/)
  },
)

it.each([{ nbf: inSeconds(45) }, { iat: inSeconds(45) }])(
  'a token of a clock that is a little ahead (%j) is accepted',
  async (claims) => {
    expect((await call(await on.token('north', claims), on.endpoint())).status).toBe(200)
  },
)

it('a token is accepted from the second on in which its time begins', async () => {
  const token = await on.token('north', { nbf: inSeconds(0), iat: inSeconds(0) })
  expect((await call(token, on.endpoint())).status).toBe(200)
})
