/** The web app as the authorization server of the gateway's MCP endpoints. */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { decide, logIn, metadataOf, open, REDIRECT, registerClient } from './client-user.ts'
import { authorizationServerScene } from './clients.ts'

const on = authorizationServerScene()
const issuer = () => `${on().webUrl}/api/auth`

describe('the metadata', () => {
  it.each([
    '/.well-known/oauth-authorization-server/api/auth',
    '/api/auth/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server',
  ])('is found at %s', async (path) => {
    const answer = await fetch(on().webUrl + path)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.json()).toMatchObject({
      issuer: issuer(),
      authorization_endpoint: `${issuer()}/oauth2/authorize`,
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['notion:read', 'notion:write', 'offline_access'],
      authorization_response_iss_parameter_supported: true,
    })
  })

  it('is not found for another issuer or at the OpenID provider path', async () => {
    for (const path of [
      '/.well-known/oauth-authorization-server/other',
      '/.well-known/openid-configuration/api/auth',
      '/api/auth/.well-known/openid-configuration',
    ]) {
      expect((await fetch(on().webUrl + path)).status, path).toBe(404)
    }
  })
})

describe('a client that registers', () => {
  const register = (metadata: unknown) =>
    fetch(`${issuer()}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'http://localhost:6274' },
      body: JSON.stringify(metadata),
    })

  it.each([
    ['a program on this machine that does not say what it is', ['http://localhost:3118/callback']],
    ['an application with a scheme of its own', ['cursor://anysphere.cursor-mcp/oauth/callback']],
    [
      'one that is reached in several ways',
      ['https://vscode.dev/redirect', 'http://127.0.0.1:33418/', 'http://localhost/'],
    ],
  ])('is accepted: %s', async (_, redirectUris) => {
    const answer = await register({
      client_name: 'A client',
      redirect_uris: redirectUris,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid email profile',
    })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    const registered = (await answer.json()) as object
    expect(registered).toMatchObject({ redirect_uris: redirectUris, token_endpoint_auth_method: 'none' })
    expect(registered).not.toHaveProperty('client_secret')
  })

  it.each([
    'javascript:alert(1)',
    'data:text/html,hello',
    'http://client.test/callback',
    'http://127.1:3000/callback',
    'http://localhost.client.test/callback',
    'https://user@client.test/callback',
    'https://client.test/callback#fragment',
    'https://client.test\\@other.test/',
    '/callback',
  ])('is rejected with the redirect URI %s', async (uri) => {
    const answer = await register({ redirect_uris: [uri], token_endpoint_auth_method: 'none' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: 'invalid_redirect_uri' })
  })

  it('gets a secret if confidential, and must authenticate with it', async () => {
    const answer = await register({ redirect_uris: ['https://client.test/callback'] })
    const { client_id: id, client_secret: secret } = (await answer.json()) as {
      client_id: string
      client_secret: string
    }
    expect(secret).toMatch(/^[\w-]{43}$/)
    const asked = (headers: Record<string, string>) =>
      fetch(`${issuer()}/oauth2/token`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'none', client_id: id }),
      })
    expect((await asked({})).status).toBe(400)
    const { rows } = await on().database.query('select * from web.oauth_client where client_id = $1', [id])
    expect(JSON.stringify(rows)).not.toContain(secret)
  })
})

describe('an authorization', () => {
  it('issues a token for exactly this user, space and client', async () => {
    const { ada, resource } = on()
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(ada, client, resource())
    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'EdDSA' })
    const claims = decodeJwt(tokens.access_token)
    expect(claims).toMatchObject({
      iss: issuer(),
      aud: resource(),
      sub: ada.id,
      client_id: client.clientId,
      space_id: ada.spaceId,
      scope: 'notion:read notion:write offline_access',
    })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900)
    expect(tokens.expires_in).toBe(900)
  })

  it('keeps the request while the user signs in', async () => {
    const client = await registerClient(on().webUrl)
    const url = client.authorizeUrl(on().resource())
    const page = await fetch(url, { redirect: 'manual' })
    const consentPage = page.headers.get('location') ?? ''
    const sentOn = await fetch(new URL(consentPage, on().webUrl), { redirect: 'manual' })
    const signIn = new URL(sentOn.headers.get('location') ?? '', on().webUrl)
    expect(signIn.pathname).toBe('/sign-in')
    const next = new URL(signIn.searchParams.get('next') ?? '', on().webUrl)
    const back = await decide(on().ada, next, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:write' })
    expect((await client.redeem(back.searchParams.get('code') ?? '')).status).toBe(200)
  })

  it('returns the issuer and the state, also when the user denies', async () => {
    const client = await registerClient(on().webUrl)
    const page = await open(on().ada, client.authorizeUrl(on().resource()))
    const denied = await decide(on().ada, page, { allow: false })
    expect(denied.href.startsWith(REDIRECT)).toBe(true)
    expect(Object.fromEntries(denied.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'state-of-the-client',
      iss: issuer(),
    })
    const allowed = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:read' })
    expect(allowed.searchParams.get('iss')).toBe(issuer())
    expect(allowed.searchParams.get('state')).toBe('state-of-the-client')
  })

  it('asks the user each time and rejects prompt=none', async () => {
    const client = await registerClient(on().webUrl)
    await logIn(on().ada, client, on().resource())
    const again = await open(on().ada, client.authorizeUrl(on().resource()))
    expect(again.pathname).toBe('/oauth/consent')
    const silent = await open(on().ada, client.authorizeUrl(on().resource(), { prompt: 'none' }))
    expect(silent.searchParams.get('error')).toBe('consent_required')
  })

  it.each([
    ['none', null],
    ['one of somebody else', 'https://other.test/mcp'],
    ['a space that does not exist', 'space'],
    ['an address beside the endpoint', '/'],
  ])('is rejected without a resource of the gateway: %s', async (_, kind) => {
    const { resource, gatewayUrl } = on()
    const value =
      kind === 'space' ? resource('5f0a4b0e-9c1b-4f5e-8a57-2d1c6a0c9f11') : kind === '/' ? `${resource()}/` : kind
    const client = await registerClient(on().webUrl)
    const answer = await open(on().ada, client.authorizeUrl(resource(), { resource: value }))
    expect(answer.searchParams.get('error')).toBe('invalid_target')
    expect(answer.searchParams.get('iss')).toBe(issuer())
    const two = `${client.authorizeUrl(resource())}&resource=${encodeURIComponent(`${gatewayUrl}/mcp/notion/proxy`)}`
    expect((await open(on().ada, two)).searchParams.get('error')).toBe('invalid_target')
  })

  it('lets the user choose the space if the resource names none', async () => {
    const client = await registerClient(on().webUrl)
    const anySpace = `${on().gatewayUrl}/mcp/notion/proxy`
    const tokens = await logIn(on().ada, client, anySpace)
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: anySpace, space_id: on().ada.spaceId })
  })

  it('grants only what the user allows, and a refresh does not widen it', async () => {
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource(), { scope: 'notion:read' })
    expect(tokens.scope).toBe('notion:read offline_access')
    const widened = await client.refresh(tokens.refresh_token, { scope: 'notion:read notion:write' })
    expect(await widened.json()).toMatchObject({ error: 'invalid_scope' })
    const renewed = await client.refresh(tokens.refresh_token)
    expect(await renewed.json()).toMatchObject({ scope: 'notion:read offline_access' })
  })

  it('ignores unknown scopes of other servers', async () => {
    const client = await registerClient(on().webUrl)
    const page = await open(on().ada, client.authorizeUrl(on().resource(), { scope: 'openid email profile' }))
    expect(page.searchParams.get('scope')).toBe('notion:read notion:write offline_access')
  })
})

describe('a refresh', () => {
  it('returns the same tokens to two windows of one client', async () => {
    const client = await registerClient(on().webUrl)
    const { refresh_token } = await logIn(on().ada, client, on().resource())
    const answers = await Promise.all([0, 1, 2, 3].map(() => client.refresh(refresh_token)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const renewed = (await Promise.all(answers.map((answer) => answer.json()))) as { refresh_token: string }[]
    expect(new Set(renewed.map((one) => one.refresh_token)).size).toBe(1)
    expect(renewed[0]?.refresh_token).not.toBe(refresh_token)
  })

  it('revokes all tokens of the client when an old one is replayed', async () => {
    const client = await registerClient(on().webUrl)
    const { refresh_token: first } = await logIn(on().ada, client, on().resource())
    const { refresh_token: second } = (await (await client.refresh(first)).json()) as { refresh_token: string }
    await on().database.query(
      `update web.oauth_refresh_token set used_at = used_at - interval '31 minutes'
       where grant_id in (select id from web.oauth_grant where client_id = $1)`,
      [client.clientId],
    )
    expect((await client.refresh(first)).status).toBe(400)
    expect((await client.refresh(second)).status).toBe(400)
  })

  it('is not stored in clear text', async () => {
    const client = await registerClient(on().webUrl)
    const { refresh_token, access_token } = await logIn(on().ada, client, on().resource())
    await client.refresh(refresh_token)
    const { rows } = await on().database.query(
      `select * from web.oauth_refresh_token where grant_id in (select id from web.oauth_grant where client_id = $1)`,
      [client.clientId],
    )
    expect(rows).toHaveLength(2)
    expect(JSON.stringify(rows)).not.toContain(refresh_token)
    expect(JSON.stringify(rows)).not.toContain(access_token.split('.')[2])
  })
})

describe('a client in a web page', () => {
  it('may request tokens from any origin, without cookies', async () => {
    const { token_endpoint } = await metadataOf(on().webUrl)
    const before = await fetch(token_endpoint, { method: 'OPTIONS' })
    expect(before.status).toBe(204)
    expect(before.headers.get('access-control-allow-origin')).toBe('*')
    expect(before.headers.get('access-control-allow-credentials')).toBeNull()
    const answer = await on().ada.fetch(new URL(token_endpoint).pathname, {
      method: 'POST',
      origin: 'https://page.test',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'none', client_id: 'none' }),
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('of better-auth', () => {
  it.each(['/token', '/oauth2/introspect', '/oauth2/userinfo', '/oauth2/get-clients', '/oauth2/create-client'])(
    '%s is not offered',
    async (path) => {
      expect((await on().ada.fetch(`/api/auth${path}`)).status).toBe(404)
      expect((await on().ada.post(`/api/auth${path}`, {})).status).toBe(404)
    },
  )
})
