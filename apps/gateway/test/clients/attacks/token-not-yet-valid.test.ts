/** A token from the future: its issuer's clock is wrong, or somebody prepared it for later. */
import { expect, it } from 'vitest'
import { call, scene } from '../clients.ts'

const on = scene()
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

it.each([
  ['whose time begins later', { nbf: inSeconds(60) }],
  ['that will be issued later', { iat: inSeconds(60) }],
  ['whose beginning is no number', { nbf: 'now' }],
  ['whose issue is no number', { iat: '0' }],
])('a token %s is refused', async (_, claims) => {
  const answer = await call(await on.token('north', claims), on.endpoint())
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
})

it('a token is accepted from the second on in which its time begins', async () => {
  const token = await on.token('north', { nbf: inSeconds(0), iat: inSeconds(0) })
  expect((await call(token, on.endpoint())).status).toBe(200)
})
