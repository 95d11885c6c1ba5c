/** Without the issuer's signature, a token is a wish (RFC 8725 §3.2). */
import { expect, it } from 'vitest'
import { call, scene } from '../clients.ts'

const on = scene()
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

it.each([
  ['none', ''],
  ['None', ''],
  ['NONE', ''],
  ['', ''],
  [undefined, ''],
  ['none', 'c2lnbmVk'],
])('a token with the algorithm %j and the signature %j is refused', async (alg, signature) => {
  const [, payload] = (await on.token()).split('.')
  const token = `${encoded({ alg, typ: 'at+jwt', kid: 'key-1' })}.${payload}.${signature}`
  expect((await call(token, on.endpoint())).status).toBe(401)
})

it('a token without its signature is refused', async () => {
  const [header, payload, signature] = (await on.token()).split('.')
  for (const token of [`${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.${signature}x`]) {
    expect((await call(token, on.endpoint())).status).toBe(401)
  }
})

it("a token with another token's signature is refused", async () => {
  const [header, payload] = (await on.token('north', { scope: 'notion:write' })).split('.')
  const [, , signature] = (await on.token('north', { scope: 'notion:read' })).split('.')
  expect((await call(`${header}.${payload}.${signature}`, on.endpoint())).status).toBe(401)
})

it('a token with a changed payload is refused, although the unchanged one was accepted', async () => {
  const token = await on.token('north', { scope: 'notion:read' })
  expect((await call(token, on.endpoint())).status).toBe(200)
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const changed = `${header}.${encoded({ ...claims, scope: 'notion:write' })}.${signature}`
  expect((await call(changed, on.endpoint())).status).toBe(401)
})
