import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { type Json, postToken, refresh, errorOf, register, simulator, START, use } from './client.ts'

const ISSUER = 'https://idp.acme.test'
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KEYS = [
  { ...RSA.publicKey.export({ format: 'jwk' }), kid: 'rsa' },
  { ...EC.publicKey.export({ format: 'jwk' }), kid: 'ec' },
]

function assertion(header: Json, claims: Json, key: KeyObject): string {
  const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** Registers a client of Acme, with the data for its token requests. */
async function enterprise() {
  const notion = await simulator({
    options: { identityProvider: { issuer: ISSUER, jwks: { keys: KEYS }, workspace: 'Acme' } },
  })
  const client = await register(notion, { token_endpoint_auth_method: 'client_secret_post' })
  const now = START.getTime() / 1000
  const claims = {
    iss: ISSUER,
    sub: 'subject-1',
    email: 'ada@acme.test',
    aud: notion.url,
    client_id: client.client_id,
    resource: notion.mcpUrl,
    jti: randomUUID(),
    iat: now,
    exp: now + 300,
  }
  const ask = (text: string, fields: Record<string, string | null> = {}) =>
    postToken(notion, {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      client_id: client.client_id,
      client_secret: String(client['client_secret']),
      assertion: text,
      ...fields,
    })
  return { notion, client, claims, ask }
}

const HEADER = { typ: 'oauth-id-jag+jwt', alg: 'RS256', kid: 'rsa' }

/** The user of a token. */
async function personOf(notion: Simulator, accessToken: string): Promise<unknown> {
  const { self } = await use(notion, accessToken, 'fetch', { id: 'self' })
  return self
}

describe('an identity assertion', () => {
  it.each([
    [HEADER, RSA.privateKey],
    [{ ...HEADER, alg: 'ES256', kid: 'ec' }, EC.privateKey],
  ])('with %j is exchanged for an access token without a refresh token', async (header, key) => {
    const { notion, client, claims, ask } = await enterprise()
    const response = await ask(assertion(header, claims, key))
    const tokens = (await response.json()) as Json
    expect(response.status).toBe(200)
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 28_800, resource: notion.mcpUrl })
    expect(tokens).not.toHaveProperty('refresh_token')
    expect(await personOf(notion, String(tokens['access_token']))).toMatchObject({
      user: { email: 'ada@acme.test' },
      workspace: { name: 'Acme' },
    })
    expect(await errorOf(await refresh(notion, client.client_id, String(tokens['access_token'])))).toMatchObject({
      error: 'invalid_client',
    })
  })

  it('can be used once', async () => {
    const { claims, ask } = await enterprise()
    const text = assertion(HEADER, claims, RSA.privateKey)
    expect((await ask(text)).status).toBe(200)
    expect(await errorOf(await ask(text))).toMatchObject({ status: 400, error: 'invalid_grant' })
  })

  it.each<[header: Json, claims: Json]>([
    [{ typ: 'JWT' }, {}],
    [{ alg: 'none' }, {}],
    [{ alg: 'HS256' }, {}],
    [{ alg: 'ES256' }, {}],
    [{ kid: 'ec' }, {}],
    [{ kid: 'unknown' }, {}],
    [{}, { iss: 'https://another.test' }],
    [{}, { aud: 'https://another.test' }],
    [{}, { client_id: 'another' }],
    [{}, { resource: 'https://another.test/mcp' }],
    [{}, { jti: undefined }],
    [{}, { sub: undefined }],
    [{}, { email: 'nobody@acme.test' }],
    [{}, { exp: START.getTime() / 1000 - 61, iat: START.getTime() / 1000 - 300 }],
    [{}, { iat: START.getTime() / 1000 + 120 }],
    [{}, { exp: START.getTime() / 1000 + 361 }],
  ])('with %j and %j is refused', async (header, changes) => {
    const { claims, ask } = await enterprise()
    const response = await ask(assertion({ ...HEADER, ...header }, { ...claims, ...changes }, RSA.privateKey))
    expect(await errorOf(response)).toMatchObject({ status: 400, error: 'invalid_grant' })
  })

  it('of a public client is refused', async () => {
    const { notion, claims, ask } = await enterprise()
    const { client_id } = await register(notion)
    const text = assertion(HEADER, { ...claims, client_id }, RSA.privateKey)
    expect(await errorOf(await ask(text, { client_id, client_secret: null }))).toMatchObject({
      status: 401,
      error: 'invalid_client',
    })
  })
})
