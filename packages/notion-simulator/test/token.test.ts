import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { MINUTE } from '../src/clock.ts'
import {
  codeFor,
  connect,
  type Json,
  pkce,
  postToken,
  REDIRECT_URI,
  refresh,
  errorOf,
  register,
  simulator,
} from './client.ts'

type Fields = Record<string, string | string[] | null>

/** A valid code, and the form that exchanges it. */
async function pending(
  notion: Simulator,
  changes: Record<string, string | null> = {},
): Promise<{ fields: Fields; clientId: string }> {
  const { client_id } = await register(notion)
  const { verifier, challenge } = pkce()
  const code = await codeFor(notion, client_id, challenge, changes)
  return {
    clientId: client_id,
    fields: {
      grant_type: 'authorization_code',
      client_id,
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
      resource: notion.mcpUrl,
    },
  }
}

const exchange = async (notion: Simulator, fields: Fields) => errorOf(await postToken(notion, fields))

describe('a code', () => {
  it('is exchanged for a pair of tokens in the captured format', async () => {
    const notion = await simulator()
    const { fields } = await pending(notion)
    const response = await postToken(notion, fields)
    const tokens = (await response.json()) as Json
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('pragma')).toBe('no-cache')
    expect(Object.keys(tokens)).toEqual([
      'access_token',
      'token_type',
      'expires_in',
      'refresh_token',
      'scope',
      'resource',
      'user_id',
      'workspace_id',
      'email_domain',
    ])
    expect(tokens).toMatchObject({
      token_type: 'bearer',
      expires_in: 28_800,
      scope: '',
      resource: notion.mcpUrl,
      email_domain: 'acme.test',
    })
    for (const name of ['access_token', 'refresh_token']) {
      expect(tokens[name]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[\w-]{16}:[\w-]{32}$/)
    }
  })

  it('was exchanged without identity, for one hour, in January 2026', async () => {
    const notion = await simulator({ profile: 'notion-2026-01' })
    const { fields } = await pending(notion, { resource: null })
    const tokens = (await (await postToken(notion, { ...fields, resource: null })).json()) as Json
    expect(Object.keys(tokens)).toEqual(['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'])
    expect(tokens['expires_in']).toBe(3600)
  })

  it('has the requested scope, if it exists', async () => {
    const notion = await simulator()
    const { fields } = await pending(notion, { scope: 'default admin' })
    expect(await (await postToken(notion, fields)).json()).toMatchObject({ scope: 'default' })
  })

  it('can be used once; the second use revokes the grant with its tokens', async () => {
    const notion = await simulator()
    const { fields, clientId } = await pending(notion)
    const tokens = (await (await postToken(notion, fields)).json()) as Json
    expect(await exchange(notion, fields)).toEqual({
      status: 400,
      error: 'invalid_grant',
      description: 'Authorization code already used',
    })
    expect(await errorOf(await refresh(notion, clientId, String(tokens['refresh_token'])))).toMatchObject({
      description: 'OAuth grant revoked',
    })
    expect(notion.admin.grants()).toMatchObject([
      { status: 'revoked', revokedBecause: 'authorization code used twice' },
    ])
  })

  it('is valid for ten minutes', async () => {
    const notion = await simulator()
    const first = await pending(notion)
    const second = await pending(notion)
    notion.advance(10 * MINUTE - 1)
    expect((await postToken(notion, first.fields)).status).toBe(200)
    notion.advance(1)
    expect(await exchange(notion, second.fields)).toEqual({
      status: 400,
      error: 'invalid_grant',
      description: 'Grant not found or authorization code expired',
    })
  })

  it.each<[string, Fields, number, string, string]>([
    ['that is missing', { code: null }, 400, 'invalid_request', 'Authorization code is required'],
    ['that is not three parts', { code: 'abc' }, 400, 'invalid_grant', 'Invalid authorization code format'],
    ['that is unknown', { code: 'a:b:c' }, 400, 'invalid_grant', 'Grant not found or authorization code expired'],
    [
      'with a foreign redirect URI',
      { redirect_uri: 'http://localhost:4000/other' },
      400,
      'invalid_grant',
      'Invalid redirect URI',
    ],
    ['without the verifier', { code_verifier: null }, 400, 'invalid_request', 'code_verifier is required for PKCE'],
    ['with another verifier', { code_verifier: 'x'.repeat(43) }, 400, 'invalid_grant', 'Invalid PKCE code_verifier'],
    ['with an empty verifier', { code_verifier: '' }, 400, 'invalid_request', 'code_verifier is required for PKCE'],
    [
      'for another resource',
      { resource: 'https://other.test/mcp' },
      400,
      'invalid_target',
      'The resource parameter must name exactly one configured protected resource',
    ],
    ['without a client', { client_id: null }, 401, 'invalid_client', 'Client ID is required'],
    ['of an unknown client', { client_id: 'nobody' }, 401, 'invalid_client', 'Client not found'],
    [
      'of a repeated client',
      { client_id: ['a', 'b'] },
      400,
      'invalid_request',
      'Parameter client_id must not be repeated',
    ],
    ['with another grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type', 'Grant type not supported'],
    ['with no grant type', { grant_type: null }, 400, 'unsupported_grant_type', 'Grant type not supported'],
  ])('%s is refused, and the code stays valid', async (_, changes, status, error, description) => {
    const notion = await simulator()
    const { fields } = await pending(notion)
    expect(await exchange(notion, { ...fields, ...changes })).toEqual({ status, error, description })
    expect((await postToken(notion, fields)).status).toBe(200)
  })

  it('with a wrong secret is refused', async () => {
    const notion = await simulator()
    const { fields } = await pending(notion)
    const code = String(fields['code']).replace(/:[^:]*$/, `:${'x'.repeat(32)}`)
    expect(await exchange(notion, { ...fields, code })).toEqual({
      status: 400,
      error: 'invalid_grant',
      description: 'Invalid authorization code',
    })
  })

  it('of another client is refused', async () => {
    const notion = await simulator()
    const { fields } = await pending(notion)
    const { client_id } = await register(notion)
    expect(await exchange(notion, { ...fields, client_id })).toEqual({
      status: 400,
      error: 'invalid_grant',
      description: 'Client ID mismatch',
    })
  })

  it('can be exchanged without the redirect URI with PKCE', async () => {
    const notion = await simulator()
    const { fields } = await pending(notion)
    expect((await postToken(notion, { ...fields, redirect_uri: null })).status).toBe(200)
  })

  it('issued without PKCE requires the redirect URI and accepts no verifier', async () => {
    const notion = await simulator({ options: { requirePkce: 'none' } })
    const { fields } = await pending(notion, { code_challenge: null, code_challenge_method: null })
    const without = { ...fields, code_verifier: null }
    expect(await exchange(notion, { ...without, redirect_uri: null })).toEqual({
      status: 400,
      error: 'invalid_request',
      description: 'redirect_uri is required when not using PKCE',
    })
    expect(await exchange(notion, fields)).toMatchObject({ status: 400, error: 'invalid_request' })
    expect((await postToken(notion, without)).status).toBe(200)
  })

  it('issued with a plain challenge is checked against it', async () => {
    const notion = await simulator({ options: { plainPkce: true } })
    const { fields } = await pending(notion, { code_challenge: 'plain-text-challenge', code_challenge_method: 'plain' })
    expect(await exchange(notion, fields)).toMatchObject({ description: 'Invalid PKCE code_verifier' })
    expect((await postToken(notion, { ...fields, code_verifier: 'plain-text-challenge' })).status).toBe(200)
  })
})

describe('the token endpoint', () => {
  it('accepts only POST, and only forms', async () => {
    const { url } = await simulator()
    expect(await errorOf(await fetch(`${url}/token`))).toEqual({
      status: 405,
      error: 'invalid_request',
      description: 'Method not allowed',
    })
    const json = await fetch(`${url}/token`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await errorOf(json)).toEqual({
      status: 400,
      error: 'invalid_request',
      description: 'Content-Type must be application/x-www-form-urlencoded',
    })
  })

  describe('for a confidential client', () => {
    const basic = (id: string, secret: string) => ({
      authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
    })
    const FIELDS = { grant_type: 'refresh_token', refresh_token: 'a:b:c' }

    it.each([
      ['client_secret_basic', 'invalid_grant', 'invalid_client'],
      ['client_secret_post', 'invalid_client', 'invalid_grant'],
      [undefined, 'invalid_grant', 'invalid_grant'],
    ])('registered with %s responds with %s to a secret in the header and %s to one in the form', async (...row) => {
      const [method, inHeader, inForm] = row
      const notion = await simulator()
      const client = await register(notion, { token_endpoint_auth_method: method })
      const client_secret = String(client['client_secret'])
      const { client_id } = client
      const basicResponse = await postToken(notion, FIELDS, basic(client_id, client_secret))
      expect(await errorOf(basicResponse)).toMatchObject({ error: inHeader })
      const formResponse = await postToken(notion, { ...FIELDS, client_id, client_secret })
      expect(await errorOf(formResponse)).toMatchObject({ error: inForm })
    })

    it('refuses a wrong and a missing secret', async () => {
      const notion = await simulator()
      const { client_id } = await register(notion, { token_endpoint_auth_method: 'client_secret_basic' })
      const wrong = await postToken(notion, FIELDS, basic(client_id, 'wrong'))
      expect(wrong.headers.has('www-authenticate')).toBe(false)
      expect(await errorOf(wrong)).toEqual({
        status: 401,
        error: 'invalid_client',
        description: 'Client authentication failed: invalid client_secret',
      })
      expect(await errorOf(await postToken(notion, { ...FIELDS, client_id }))).toEqual({
        status: 401,
        error: 'invalid_client',
        description: 'Client authentication failed: missing client_secret',
      })
    })

    it('challenges a wrong Basic secret in the newer upstream library', async () => {
      const notion = await simulator({ profile: 'wop-0.10' })
      const { client_id } = await register(notion, { token_endpoint_auth_method: 'client_secret_basic' })
      const wrong = await postToken(notion, FIELDS, basic(client_id, 'wrong'))
      expect(wrong.status).toBe(401)
      expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /)
    })
  })
})

describe('a resource', () => {
  it('of the token request alone binds the token, unless strictResource forbids it', async () => {
    const notion = await simulator()
    const first = await pending(notion, { resource: null })
    expect(await (await postToken(notion, first.fields)).json()).toMatchObject({ resource: notion.mcpUrl })
    notion.options.strictResource = true
    const second = await pending(notion, { resource: null })
    expect(await exchange(notion, second.fields)).toMatchObject({ status: 400, error: 'invalid_target' })
  })

  it('that is not a URL is an invalid target', async () => {
    const notion = await simulator()
    const { fields } = await pending(notion, { resource: null })
    expect(await exchange(notion, { ...fields, resource: 'mcp' })).toEqual({
      status: 400,
      error: 'invalid_target',
      description: 'The resource parameter must name exactly one configured protected resource',
    })
  })

  it('that differs from the granted one is refused without a rotation', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    const response = await refresh(notion, clientId, tokens.refresh_token, { resource: notion.url })
    expect(await errorOf(response)).toMatchObject({ status: 400, error: 'invalid_target' })
    expect(notion.admin.grants()).toMatchObject([{ generation: 0 }])
  })
})

describe('a recorded token request', () => {
  it('contains no secrets', async () => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    await refresh(notion, clientId, tokens.refresh_token)
    await refresh(notion, clientId, 'not-a-token')
    const [exchanged, rotated, refused] = notion.recorded.tokenRequests
    const { grantId } = notion.admin.grants()[0] ?? {}
    expect(exchanged).toEqual({
      at: '2026-10-01T12:00:00.000Z',
      grantType: 'authorization_code',
      clientId,
      grantId,
      outcome: { generation: 0 },
      status: 200,
    })
    expect(rotated).toMatchObject({
      grantType: 'refresh_token',
      grantId,
      presented: { generation: 0, standing: 'current' },
      outcome: { generation: 1 },
      status: 200,
    })
    expect(refused).toMatchObject({
      outcome: { error: 'invalid_grant', description: 'Invalid token format' },
      status: 400,
    })
    const recorded = JSON.stringify(notion.recorded)
    for (const { value } of notion.issuedSecrets()) expect(recorded.includes(value)).toBe(false)
    const kinds = notion.issuedSecrets().map(({ kind }) => kind)
    expect(kinds.toSorted()).toEqual([
      'access_token',
      'access_token',
      'code',
      'code_verifier',
      'refresh_token',
      'refresh_token',
    ])
  })
})
