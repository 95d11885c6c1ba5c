/** The issuer's public key must not be accepted as the secret of a symmetric algorithm, because anybody could sign with it (RFC 8725 §2.1). */
import { type CryptoKey, exportSPKI, generateKeyPair, importJWK } from 'jose'
import { expect, it } from 'vitest'
import { call, clientFixture } from '../clients.ts'

const on = clientFixture()

it.each(['HS256', 'HS384', 'HS512'])('a token signed with the public key and %s is rejected', async (alg) => {
  const [jwk] = on.issuer.keys
  if (!jwk) throw new Error('the issuer has no key')
  const pem = await exportSPKI((await importJWK(jwk, 'ES256', { extractable: true })) as CryptoKey)
  for (const secret of [pem, pem.trim(), JSON.stringify(jwk), jwk.x ?? '', JSON.stringify({ keys: on.issuer.keys })]) {
    const key = new TextEncoder().encode(secret.padEnd(64, '\0'))
    const token = await on.token('north', {}, { header: { alg }, key })
    expect((await call(token, on.endpoint())).status).toBe(401)
  }
})

it('a token with an algorithm that does not match the key is rejected', async () => {
  const { privateKey } = await generateKeyPair('RS256')
  const token = await on.token('north', {}, { header: { alg: 'RS256' }, key: privateKey })
  expect((await call(token, on.endpoint())).status).toBe(401)
})

it('a symmetric key in the JWKS of the issuer is not used', async () => {
  const secret = Buffer.alloc(64, 7)
  on.issuer.keys.push({ kty: 'oct', k: secret.toString('base64url'), alg: 'HS256', kid: 'shared' })
  const token = await on.token('north', {}, { header: { alg: 'HS256', kid: 'shared' }, key: secret })
  expect((await call(token, on.endpoint())).status).toBe(401)
})
