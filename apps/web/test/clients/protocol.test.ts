/** What clients get for odd requests: errors in OAuth's form, and the benefit of the doubt where RFCs give it. */
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { whyNotRedirect } from '@/authorization-server/redirect-uris.ts'
import { decide, describedClient, logIn, open, registerClient, type Tokens } from './client-user.ts'
import { authorizationServerScene } from './clients.ts'

const on = authorizationServerScene()
const endpoint = (path: string) => `${on().webUrl}/api/auth/oauth2/${path}`
const register = (body: unknown) =>
  fetch(endpoint('register'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const REDIRECT = 'http://127.0.0.1:3118/callback'

describe('a registration', () => {
  const odd = [null, '', 7, {}, [], true, 'x'.repeat(1500)]
  const optional = [
    'client_name', 'client_uri', 'logo_uri', 'scope', 'contacts', 'tos_uri', 'policy_uri', 'jwks_uri', 'jwks', 'software_id',
    'software_version', 'software_statement', 'grant_types', 'response_types', 'token_endpoint_auth_method', 'application_type',
    'default_max_age', 'require_auth_time', 'post_logout_redirect_uris', 'dpop_bound_access_tokens', 'unknown_member',
  ] // prettier-ignore

  it('ignores members of unexpected types', async () => {
    for (const value of odd) {
      const members = Object.fromEntries(optional.map((name) => [name, value]))
      const response = await register({ ...members, redirect_uris: [REDIRECT] })
      const registered = (await response.json()) as Record<string, unknown>
      expect([response.status, registered['redirect_uris']]).toEqual([201, [REDIRECT]])
      expect(registered['grant_types']).toEqual(['authorization_code', 'refresh_token'])
      expect(Object.values(registered)).not.toContain(null)
    }
  })

  it('registers the usable redirect URIs and returns them', async () => {
    const many = Array.from({ length: 21 }, (_, index) => `http://127.0.0.1:${4000 + index}/callback`)
    const usable = [
      ...many,
      'http://localhost:8080/callback',
      'http://[::1]/callback',
      'https://client.test/callback?kept=1',
      'com.example.app:/callback',
      'cursor://anysphere.cursor-mcp/oauth/callback',
    ]
    const response = await register({
      redirect_uris: [
        null,
        7,
        'javascript:alert(1)',
        'https://localhost/callback',
        ...usable,
        'http://evil.test/',
        REDIRECT.repeat(100),
        many[0],
      ],
      token_endpoint_auth_method: 'none',
    })
    const registered = (await response.json()) as { redirect_uris: string[]; client_id: string }
    expect([response.status, registered.redirect_uris]).toEqual([201, usable])
    const client = await describedClient(on().webUrl, registered.client_id)
    for (const uri of usable.slice(20)) {
      const page = await open(on().ada, client.authorizeUrl(on().resource(), { redirect_uri: uri }))
      expect(page.pathname, uri).toBe('/oauth/consent')
    }
  })

  it.each([
    ['no JSON', 'redirect_uris'],
    ['no object', '[]'],
    ['null', 'null'],
    ['nothing', ''],
    ['no redirect URIs', { client_name: 'A client' }],
    ['an empty list of redirect URIs', { redirect_uris: [] }],
    ['a redirect URI that is no list', { redirect_uris: REDIRECT }],
    ['only redirect URIs that are not usable', { redirect_uris: ['smb://server/share', null] }],
  ])('is rejected with an RFC 7591 error for %s', async (_, body) => {
    const response = await register(body)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({
      error: expect.stringMatching(/^invalid_(client_metadata|redirect_uri)$/),
      error_description: expect.any(String),
    })
  })

  it('works with https on this machine, beside other kinds of redirects', async () => {
    for (const others of [[], [REDIRECT], ['https://client.test/callback']]) {
      const redirect = 'https://localhost:8443/callback'
      const client = await registerClient(on().webUrl, { redirect_uris: [redirect, ...others] })
      const page = await open(on().ada, client.authorizeUrl(on().resource(), { redirect_uri: redirect }))
      const back = await decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:read' })
      expect(back.origin).toBe('https://localhost:8443')
    }
  })
})

describe('the scheme of a redirect URI', () => {
  it.each([
    'com.example.app:/callback',
    'io.github.user.tool://oauth',
    'cursor://x/y',
    'vscode://vscode.git/x',
    'claude://mcp',
  ])('may be one of an application: %s', (uri) => expect(whyNotRedirect(uri)).toBeUndefined())
  it.each(
    ['smb', 'ssh', 'sftp', 'ldap', 'ldaps', 'jdbc', 'dict', 'gopher', 'git', 'irc', 'nfs', 'rtsp', 'sip', 'skype', 'telnet', 'tftp',
     'vnc', 'rdp', 'webcal', 'itms-services', 'market', 'steam', 'zoommtg', 'ms-officecmd', 'x-apple.systempreferences', 'javascript',
     'data', 'file', 'blob', 'about', 'chrome', 'urn', 'mailto', 'tel', 'myapp', 'a.', '1a.b'], // prettier-ignore
  )('is not a short name that belongs to no application: %s', (scheme) =>
    expect(whyNotRedirect(`${scheme}://host/path`)).toEqual(expect.any(String)),
  )
})

describe('a token request', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' }

  it('may be chunked, also at the other endpoints', async () => {
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource())
    const send = (path: string, contentType: string, body: string) =>
      new Promise<string>((resolve, reject) => {
        const { hostname, port, host } = new URL(on().webUrl)
        const socket = connect(Number(port), hostname)
        let response = ''
        socket.on('data', (chunk: Buffer) => (response += chunk.toString()))
        socket.on('end', () => resolve(response.split('\r\n')[0] ?? ''))
        socket.on('error', reject)
        socket.write(
          `POST /api/auth/oauth2/${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Type: ${contentType}\r\n` +
            `Transfer-Encoding: chunked\r\n\r\n`,
        )
        for (const part of body.match(/.{1,7}/gs) ?? []) socket.write(`${part.length.toString(16)}\r\n${part}\r\n`)
        socket.write('0\r\n\r\n')
      })
    const refresh = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: client.clientId,
      refresh_token: tokens.refresh_token,
    })
    const urlencoded = 'application/x-www-form-urlencoded'
    expect(await send('token', urlencoded, refresh.toString())).toBe('HTTP/1.1 200 OK')
    expect(await send('register', 'application/json', JSON.stringify({ redirect_uris: [REDIRECT] }))).toBe(
      'HTTP/1.1 201 Created',
    )
    const revoke = new URLSearchParams({ client_id: client.clientId, token: tokens.refresh_token })
    expect(await send('revoke', urlencoded, revoke.toString())).toBe('HTTP/1.1 200 OK')
    expect(await send('token', urlencoded, 'x'.repeat(70_000))).toBe('HTTP/1.1 413 Payload Too Large')
  })

  it('of a public client may contain its id and an empty secret', async () => {
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource())
    const basic = Buffer.from(`${encodeURIComponent(client.clientId)}:`).toString('base64')
    const response = await fetch(client.server.token_endpoint, {
      method: 'POST',
      headers: { ...form, authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
    })
    expect(response.status).toBe(200)
    const posted = (await response.json()) as Tokens
    expect((await client.refresh(posted.refresh_token, { client_secret: '' })).status).toBe(200)
  })

  it.each(['client_secret_basic', 'client_secret_post'])('needs the secret of a client with %s', async (method) => {
    const response = await register({ redirect_uris: [REDIRECT], token_endpoint_auth_method: method })
    const { client_id: id, client_secret: secret } = (await response.json()) as Record<string, string>
    const ask = async (given: string | undefined) => {
      const basic = Buffer.from(`${id}:${given}`).toString('base64')
      const isBasic = method === 'client_secret_basic' && given !== undefined
      const answer = await fetch(endpoint('token'), {
        method: 'POST',
        headers: { ...form, ...(isBasic && { authorization: `Basic ${basic}` }) },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: 'none',
          redirect_uri: REDIRECT,
          code_verifier: 'a'.repeat(43),
          ...(!isBasic && { client_id: id ?? '', ...(given !== undefined && { client_secret: given }) }),
        }),
      })
      return ((await answer.json()) as { error: string }).error
    }
    expect(await ask(secret)).toBe('invalid_grant')
    for (const wrong of [undefined, '', 'wrong', `${secret}x`]) expect(await ask(wrong)).toBe('invalid_client')
  })

  it.each([
    ['nothing', {}],
    ['JSON', { headers: { 'content-type': 'application/json' }, body: '{}' }],
    ['no grant type', { headers: form, body: 'client_id=none' }],
    ['text', { headers: { 'content-type': 'text/plain' }, body: 'grant_type=refresh_token' }],
  ])('with %s is rejected with an OAuth error', async (_, init) => {
    const response = await fetch(endpoint('token'), { method: 'POST', ...init })
    expect([400, 401]).toContain(response.status)
    expect(response.headers.get('cache-control')).toContain('no-store')
    expect(await response.json()).toMatchObject({ error: expect.any(String), error_description: expect.any(String) })
  })

  it.each(['GET', 'PUT', 'DELETE'])('is rejected with %s', async (method) => {
    const response = await fetch(endpoint('token'), { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

describe('an authorization request', () => {
  it('hides internal placeholders from error responses', async () => {
    const client = await registerClient(on().webUrl)
    for (const changes of [{ resource: null }, { resource: '' }, { resource: 'https://other.test/' }]) {
      const back = await open(on().ada, client.authorizeUrl(on().resource(), changes))
      expect(back.searchParams.get('error')).toBe('invalid_target')
      expect(back.href).not.toContain('urn%3Anone')
      expect([...back.searchParams.keys()].toSorted()).toEqual(['error', 'error_description', 'iss', 'state'])
    }
  })

  it('may repeat its resource or add an empty one', async () => {
    const client = await registerClient(on().webUrl)
    const url = client.authorizeUrl(on().resource())
    for (const more of [`&resource=${encodeURIComponent(on().resource())}`, '&resource=']) {
      expect((await open(on().ada, url + more)).pathname).toBe('/oauth/consent')
    }
  })
})

describe('a fault of the server', () => {
  it('asks clients to retry without losing the login', async () => {
    const client = await registerClient(on().webUrl)
    const tokens = await logIn(on().ada, client, on().resource())
    const during = async (table: string, ask: () => Promise<Response>) => {
      await on().database.query(`alter table web.${table} rename to away`)
      try {
        const response = await ask()
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
        expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' })
      } finally {
        await on().database.query(`alter table web.away rename to ${table}`)
      }
    }
    for (const table of ['oauth_refresh_token', 'oauth_client', 'member']) {
      await during(table, () => client.refresh(tokens.refresh_token))
    }
    await during('oauth_client', () => register({ redirect_uris: [REDIRECT] }))
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200)

    await on().database.query('alter table web.oauth_client rename to away')
    const page = await open(on().ada, client.authorizeUrl(on().resource()))
    await on().database.query('alter table web.away rename to oauth_client')
    expect([page.pathname, page.searchParams.get('error')]).toEqual(['/oauth/error', 'server_error'])
  })
})

describe('too many requests', () => {
  it('get an OAuth error with Retry-After', async () => {
    const forwarded = Array.from({ length: 61 }, () => register({ redirect_uris: [REDIRECT] }))
    const responses = await Promise.all(forwarded)
    const refused = responses.find(({ status }) => status === 429)
    expect(refused?.headers.get('content-type')).toContain('application/json')
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused?.headers.get('access-control-expose-headers')).toContain('retry-after')
    expect(await refused?.json()).toMatchObject({ error: 'temporarily_unavailable' })
  })
})
