import { gunzipSync } from 'node:zlib'
import { get } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Simulator, TokenResponseOptions } from '../src/index.ts'
import {
  submitConsent,
  authorizationParameters,
  connect,
  INITIALIZE,
  type Json,
  location,
  postMcp,
  postToken,
  refresh,
  refreshed,
  register,
  simulator,
} from './client.ts'

/** A connection, and its refresh with the current options. */
async function connected(): Promise<{
  notion: Simulator
  clientId: string
  refreshToken: string
  again: (extra?: Json) => Promise<Response>
  generation: () => number | null | undefined
}> {
  const notion = await simulator()
  const { clientId, tokens } = await connect(notion)
  const refreshToken = tokens.refresh_token
  const again = (extra?: Json) => refresh(notion, clientId, refreshToken, extra)
  return { notion, clientId, refreshToken, again, generation: () => notion.admin.grants()[0]?.generation }
}

/** A refresh at another URL, without following redirects. */
function refreshAt(url: string, clientId: string, refreshToken: string): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken })
  return fetch(url, { method: 'POST', body, redirect: 'manual' })
}

const MEMBERS = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'resource', 'user_id']

describe('tokenResponse', () => {
  it.each(MEMBERS)('omits %s', async (name) => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: { without: [name] } })
    const members = (await (await again()).json()) as Json
    expect(Object.keys(members).toSorted()).toEqual(
      [...MEMBERS, 'workspace_id', 'email_domain'].filter((other) => other !== name).toSorted(),
    )
  })

  it.each(MEMBERS.flatMap((name) => [null, '', 7, ['list'], { an: 'object' }].map((value) => [name, value] as const)))(
    'gives %s the value %j',
    async (name, value) => {
      const { notion, again } = await connected()
      notion.setOptions({ tokenResponse: { with: { [name]: value } } })
      expect(await (await again()).json()).toMatchObject({ [name]: value })
    },
  )

  it('enlarges a member, and repeats one in the JSON text', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: { large: { scope: 100_000 }, repeated: ['token_type'] } })
    const text = await (await again()).text()
    expect(text.match(/"token_type":"bearer"/g)).toHaveLength(2)
    expect(JSON.parse(text)).toMatchObject({ scope: 'x'.repeat(100_000) })
  })

  it('enlarges the body', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: { paddingBytes: 300_000 } })
    expect((await (await again()).text()).length).toBeGreaterThan(300_000)
  })

  it.each([
    [{ status: 201, contentType: 'text/plain' }, 201, 'text/plain'],
    [{ contentType: 'text/html' }, 200, 'text/html'],
    [{ contentType: '' }, 200, ''],
    [{ status: 202 }, 202, 'application/json'],
  ] as const)('has the status and the content type of %j', async (options, status, contentType) => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: options })
    const response = await again()
    expect([response.status, response.headers.get('content-type')]).toEqual([status, contentType])
    expect(await response.json()).toMatchObject({ token_type: 'bearer' })
  })

  it('is form-encoded, or a page', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: { format: 'form' } })
    const form = await again()
    expect(form.headers.get('content-type')).toBe('application/x-www-form-urlencoded')
    const { access_token, expires_in } = Object.fromEntries(new URLSearchParams(await form.text()))
    expect(expires_in).toBe('28800')
    expect((await postMcp(notion, access_token, INITIALIZE)).status).toBe(200)
    notion.setOptions({ tokenResponse: { format: 'html' } })
    expect(await (await again()).text()).toContain('<!doctype html>')
  })

  it('nests its members, and can be any text', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: { wrapIn: 'data.tokens' } })
    expect(await (await again()).json()).toMatchObject({ data: { tokens: { token_type: 'bearer' } } })
    notion.setOptions({ tokenResponse: { body: '{"access_token":' } })
    expect(await (await again()).text()).toBe('{"access_token":')
  })

  it('is compressed although the client did not request it', async () => {
    const notion = await simulator({ options: { documents: { '/doc': { contentEncoding: 'gzip', with: { a: 1 } } } } })
    // fetch would request it and decode it transparently.
    const bytes = await new Promise<Buffer>((resolve) => {
      get(`${notion.url}/doc`, (response) => {
        expect(response.headers['content-encoding']).toBe('gzip')
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks)))
      })
    })
    expect(JSON.parse(gunzipSync(bytes).toString())).toEqual({ a: 1 })
  })

  it('redirects', async () => {
    const { notion, clientId, refreshToken, generation } = await connected()
    notion.setOptions({ tokenResponse: { status: 307, location: 'https://elsewhere.test/token' } })
    const response = await refreshAt(`${notion.url}/token`, clientId, refreshToken)
    expect([response.status, response.headers.get('location')]).toEqual([307, 'https://elsewhere.test/token'])
    expect(generation()).toBe(0)
  })

  it.each([
    [{ status: 201 }, 1],
    [{ status: 201, applied: false }, 0],
    [{ status: 503 }, 0],
    [{ status: 503, applied: true }, 1],
    [{ error: 'invalid_grant' }, 0],
    [{ error: 'invalid_grant', applied: true }, 1],
  ] as const)('with %j leaves the grant at generation %i', async (options, expected) => {
    const { notion, again, generation } = await connected()
    notion.setOptions({ tokenResponse: options })
    await again()
    expect(generation()).toBe(expected)
    expect(notion.recorded.tokenRequests.at(-1)?.outcome?.generation).toBe(expected || undefined)
  })

  it('has invalid tokens when it is not applied', async () => {
    const { notion, clientId, again } = await connected()
    notion.setOptions({ tokenResponse: { applied: false } })
    const { access_token, refresh_token } = (await (await again()).json()) as Record<string, string>
    expect((await postMcp(notion, access_token, INITIALIZE)).status).toBe(401)
    notion.setOptions({ tokenResponse: null })
    expect((await refresh(notion, clientId, String(refresh_token))).status).toBe(400)
    expect((await again()).status).toBe(200)
  })

  it.each<[TokenResponseOptions, number, unknown]>([
    [{ status: 403, error: 'invalid_grant' }, 403, { error: 'invalid_grant' }],
    [{ error: 'invalid_request', description: 'no' }, 400, { error: 'invalid_request', error_description: 'no' }],
    [{ status: 500, error: 'server_error' }, 500, { error: 'server_error' }],
    [{ status: 400, with: { error: { code: 'invalid_grant' } } }, 400, { error: { code: 'invalid_grant' } }],
    [{ error: 'invalid_grant', wrapIn: 'detail' }, 400, { detail: { error: 'invalid_grant' } }],
    [{ error: 'invalid_grant', contentType: 'text/html' }, 400, { error: 'invalid_grant' }],
    [{ status: 429, headers: { 'retry-after': '90' } }, 429, { error: 'temporarily_unavailable' }],
  ])('refuses as %j', async (options, status, body) => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: options })
    const response = await again()
    expect([response.status, await response.json()]).toEqual([status, body])
  })

  it('applies to the given kind and number of responses', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenResponse: { status: 201, times: 2, on: 'refresh_token' } })
    await connect(notion)
    const statuses = []
    for (const _ of [1, 2, 3]) statuses.push((await again()).status)
    expect(statuses).toEqual([201, 201, 200])
    expect(notion.options.tokenResponse).toBeNull()
  })
})

describe('tokenRefusal', () => {
  it('changes the error for a revoked grant, and no other responses', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenRefusal: { status: 403, error: 'invalid_request', contentType: 'text/plain' } })
    expect((await again()).status).toBe(200)
    notion.admin.revokeGrants()
    const response = await again()
    expect([response.status, await response.json()]).toEqual([403, { error: 'invalid_request' }])
    expect(notion.recorded.tokenRequests.at(-1)?.outcome).toMatchObject({ error: 'invalid_grant' })
    expect((await connect(notion)).tokens.token_type).toBe('bearer')
  })

  it('keeps the error where it only changes the status', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ tokenRefusal: { status: 403 } })
    notion.admin.revokeGrants()
    expect(await (await again()).json()).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('registrationResponse', () => {
  it.each([
    [{ status: 200 }, 1],
    [{ status: 201, applied: false }, 0],
    [{ error: 'invalid_client_metadata' }, 0],
    [{ status: 503, applied: true }, 1],
  ] as const)('with %j stores %i registrations', async (options, stored) => {
    const notion = await simulator()
    notion.setOptions({ registrationResponse: { with: { client_secret: null }, ...options } })
    const body = JSON.stringify({ redirect_uris: ['http://localhost/cb'], token_endpoint_auth_method: 'none' })
    const response = await fetch(`${notion.url}/register`, { method: 'POST', body })
    expect(response.status).toBe('status' in options ? options.status : 400)
    expect(await response.json()).toMatchObject({ client_secret: null })
    expect(notion.admin.clients()).toHaveLength(stored)
    expect(notion.recorded.registrations.at(-1)?.status).toBe(response.status)
  })
})

describe('revocationResponse', () => {
  it.each([
    [{ status: 503 }, 503, 'active'],
    [{ error: 'unsupported_token_type' }, 400, 'active'],
    [{ status: 503, applied: true }, 503, 'revoked'],
    [{ applied: false }, 200, 'active'],
  ] as const)('with %j answers %i and leaves the grant %s', async (revocationResponse, status, grant) => {
    const { notion, clientId, refreshToken } = await connected()
    notion.setOptions({ revocationResponse })
    expect((await postToken(notion, { token: refreshToken, client_id: clientId })).status).toBe(status)
    expect(notion.admin.grants()[0]?.status).toBe(grant)
  })
})

const SERVER = '/.well-known/oauth-authorization-server'

describe('documents', () => {
  it.each([400, 401, 403, 405, 429, 503])('respond with %i at one path only', async (status) => {
    const notion = await simulator({ options: { documents: { [SERVER]: { status } } } })
    expect((await fetch(notion.url + SERVER)).status).toBe(status)
    expect((await fetch(`${notion.url}/.well-known/oauth-protected-resource/mcp`)).status).toBe(200)
    expect(notion.recorded.discoveries.map(({ path }) => path)).toContain(SERVER)
  })

  it('are empty, pages, redirects, or other documents', async () => {
    const notion = await simulator()
    const get = (path: string) => fetch(notion.url + path, { redirect: 'manual' })
    notion.setOptions({ documents: { [SERVER]: { body: '{}' } } })
    expect(await (await get(SERVER)).json()).toEqual({})
    notion.setOptions({ documents: { [SERVER]: { format: 'html' } } })
    expect((await get(SERVER)).headers.get('content-type')).toContain('text/html')
    notion.setOptions({ documents: { [SERVER]: { status: 308, location: `${notion.url}/other` } } })
    expect((await get(SERVER)).headers.get('location')).toBe(`${notion.url}/other`)
    const path = '/tenant/.well-known/openid-configuration'
    notion.setOptions({
      documents: { [path]: { document: 'authorization-server', with: { revocation_endpoint: '' } } },
    })
    expect(await (await get(path)).json()).toMatchObject({ issuer: notion.url, revocation_endpoint: '' })
    expect(await (await get(SERVER)).json()).toMatchObject({ revocation_endpoint: `${notion.url}/token` })
  })
})

describe('movedTokenEndpoint', () => {
  it.each([404, 405, 410, 301, 308] as const)('answers %i at the old address', async (status) => {
    const { notion, clientId, refreshToken, again } = await connected()
    notion.setOptions({ movedTokenEndpoint: { path: '/oauth/v2/token', status } })
    const old = await fetch(`${notion.url}/token`, { method: 'POST', redirect: 'manual' })
    expect(old.status).toBe(status)
    expect(notion.recorded.tokenRequests.at(-1)).toMatchObject({ fault: 'moved', status })
    expect(old.headers.get('location')).toBe(status < 400 ? `${notion.url}/oauth/v2/token` : null)
    const metadata = (await (await fetch(notion.url + SERVER)).json()) as Json
    expect(metadata['token_endpoint']).toBe(`${notion.url}/oauth/v2/token`)
    expect((await refreshAt(`${notion.url}/oauth/v2/token`, clientId, refreshToken)).status).toBe(200)
    notion.setOptions({ movedTokenEndpoint: null })
    expect((await again()).status).toBe(200)
  })

  it('closes the connection at the old URL', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ movedTokenEndpoint: { path: '/t', status: 'closed' } })
    await expect(again()).rejects.toThrow('fetch failed')
  })
})

describe('refuseResource', () => {
  it('refuses a resource in a refresh, and accepts the same request without it', async () => {
    const { notion, again } = await connected()
    notion.setOptions({ refuseResource: ['refresh_token'] })
    const refused = await again({ resource: notion.mcpUrl })
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'invalid_target' }])
    expect((await again()).status).toBe(200)
  })

  it('refuses it in the authorization request', async () => {
    const notion = await simulator({ options: { refuseResource: ['authorization'] } })
    const { client_id } = await register(notion)
    const response = await submitConsent(notion, authorizationParameters(notion, client_id, 'x'.repeat(43)))
    expect(location(response).searchParams.get('error')).toBe('invalid_target')
  })
})

describe('singleUseRefreshTokens', () => {
  it.each([
    [true, 'revoked'],
    [false, 'active'],
  ])('are refused when reused; with reuse detection %s the grant is %s', async (reuseDetection, status) => {
    const { notion, again } = await connected()
    notion.setOptions({ singleUseRefreshTokens: true, reuseDetection })
    expect((await again()).status).toBe(200)
    const reused = await again()
    expect([reused.status, await reused.json()]).toMatchObject([400, { error: 'invalid_grant' }])
    expect(notion.admin.grants()[0]?.status).toBe(status)
  })

  it('can be used one after the other', async () => {
    const notion = await simulator({ options: { singleUseRefreshTokens: true } })
    const { clientId, tokens } = await connect(notion)
    const next = await refreshed(notion, clientId, tokens.refresh_token)
    expect((await refresh(notion, clientId, next.refresh_token)).status).toBe(200)
  })
})
