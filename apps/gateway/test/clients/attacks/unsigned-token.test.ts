/** Tokens without a valid signature of the issuer are rejected (RFC 8725 §3.2). */
import { expect, it } from 'vitest'
import { call, clientFixture } from '../clients.ts'

const on = clientFixture()
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

it.each([
  ['none', ''],
  ['None', ''],
  ['NONE', ''],
  ['', ''],
  [undefined, ''],
  ['none', 'c2lnbmVk'],
])('a token with the algorithm %j and the signature %j is rejected', async (alg, signature) => {
  const [, payload] = (await on.token()).split('.')
  const token = `${encoded({ alg, typ: 'at+jwt', kid: 'key-1' })}.${payload}.${signature}`
  expect((await call(token, on.endpoint())).status).toBe(401)
})

it('a token with a missing or changed signature is rejected', async () => {
  const [header, payload, signature] = (await on.token()).split('.')
  for (const token of [`${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.${signature}x`]) {
    expect((await call(token, on.endpoint())).status).toBe(401)
  }
})

it("a token with another token's signature is rejected", async () => {
  const [header, payload] = (await on.token('north', { scope: 'notion:write' })).split('.')
  const [, , signature] = (await on.token('north', { scope: 'notion:read' })).split('.')
  expect((await call(`${header}.${payload}.${signature}`, on.endpoint())).status).toBe(401)
})

it('a token with a changed payload is rejected, although the original was accepted', async () => {
  const token = await on.token('north', { scope: 'notion:read' })
  expect((await call(token, on.endpoint())).status).toBe(200)
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const changed = `${header}.${encoded({ ...claims, scope: 'notion:write' })}.${signature}`
  expect((await call(changed, on.endpoint())).status).toBe(401)
})
