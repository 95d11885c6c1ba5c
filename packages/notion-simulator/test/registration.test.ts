import { describe, expect, it } from 'vitest'
import { DAY } from '../src/clock.ts'
import { postToken, REDIRECT_URI, errorOf, register, simulator, START } from './client.ts'

const seconds = (date: Date) => Math.floor(date.getTime() / 1000)

describe('a client that registers', () => {
  it('as a public client gets an id of 16 characters and no secret', async () => {
    const notion = await simulator()
    const client = await register(notion, { client_uri: 'https://client.test', redirect_uris: [REDIRECT_URI] })
    expect(client.client_id).toMatch(/^[A-Za-z0-9_-]{16}$/)
    expect(client).toEqual({
      client_id: client.client_id,
      redirect_uris: [REDIRECT_URI],
      client_name: 'Test client',
      client_uri: 'https://client.test',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      registration_client_uri: `/register/${client.client_id}`,
      client_id_issued_at: seconds(START),
    })
  })

  it('without a method is confidential, with a secret that expires with the registration', async () => {
    const notion = await simulator()
    const client = await register(notion, { token_endpoint_auth_method: undefined })
    expect(client['token_endpoint_auth_method']).toBe('client_secret_basic')
    expect(client['client_secret']).toMatch(/^[A-Za-z0-9_-]{32}$/)
    expect(client['client_secret_expires_at']).toBe(seconds(START) + 90 * 24 * 3600)
    expect(client['client_secret_issued_at']).toBe(seconds(START))
    expect(notion.issuedSecrets()).toContainEqual({
      kind: 'client_secret',
      value: client['client_secret'],
      clientId: client.client_id,
    })
  })

  it('without expiry gets a secret without expiry', async () => {
    const notion = await simulator({ options: { clientTtlSeconds: null } })
    const client = await register(notion, { token_endpoint_auth_method: 'client_secret_post' })
    expect(client['client_secret_expires_at']).toBe(0)
    notion.advance(400 * DAY)
    expect(notion.admin.clients()).toHaveLength(1)
  })

  it('gets no registration_client_uri from the newer upstream library', async () => {
    expect(await register(await simulator({ profile: 'wop-0.10' }))).not.toHaveProperty('registration_client_uri')
  })

  it('is unknown after 90 days', async () => {
    const notion = await simulator()
    const { client_id } = await register(notion)
    const fields = { grant_type: 'refresh_token', client_id, refresh_token: 'a:b:c' }
    notion.advance(90 * DAY - 1)
    expect(await errorOf(await postToken(notion, fields))).toMatchObject({ error: 'invalid_grant' })
    notion.advance(1)
    expect(await errorOf(await postToken(notion, fields))).toEqual({
      status: 401,
      error: 'invalid_client',
      description: 'Client not found',
    })
  })

  it.each([
    [
      'without redirect URIs',
      { redirect_uris: [] },
      'invalid_client_metadata',
      'At least one redirect URI is required',
    ],
    [
      'with a script as redirect URI',
      { redirect_uris: ['javascript:alert(1)'] },
      'invalid_client_metadata',
      'Invalid redirect URI',
    ],
    [
      'with a relative redirect URI',
      { redirect_uris: ['/callback'] },
      'invalid_client_metadata',
      'Invalid redirect URI',
    ],
    [
      'with a control character in it',
      { redirect_uris: ['https://a.test/\u0000'] },
      'invalid_client_metadata',
      'Invalid redirect URI',
    ],
    [
      'with a number as redirect URI',
      { redirect_uris: [1] },
      'invalid_client_metadata',
      'All array elements must be strings',
    ],
    [
      'with one redirect URI outside a list',
      { redirect_uris: REDIRECT_URI },
      'invalid_client_metadata',
      'Field must be an array',
    ],
    ['with a number as name', { client_name: 1 }, 'invalid_client_metadata', 'Field must be a string'],
  ])('%s is refused', async (_, metadata, error, description) => {
    const notion = await simulator()
    const response = await fetch(`${notion.url}/register`, {
      method: 'POST',
      body: JSON.stringify({ redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none', ...metadata }),
    })
    expect(await errorOf(response)).toEqual({ status: 400, error, description })
    expect(notion.admin.clients()).toEqual([])
  })

  it('with another format, too much data, or another method is refused', async () => {
    const { url } = await simulator()
    const post = (body: string) => fetch(`${url}/register`, { method: 'POST', body })
    expect(await errorOf(await post('{'))).toEqual({
      status: 400,
      error: 'invalid_request',
      description: 'Invalid JSON payload',
    })
    expect(await errorOf(await post(' '.repeat(1024 * 1024 + 1)))).toEqual({
      status: 413,
      error: 'invalid_request',
      description: 'Request payload too large, must be under 1 MiB',
    })
    expect(await errorOf(await fetch(`${url}/register`))).toEqual({
      status: 405,
      error: 'invalid_request',
      description: 'Method not allowed',
    })
  })

  it('is refused when registration is disabled', async () => {
    const notion = await simulator({ options: { metadata: { registrationEndpoint: false } } })
    expect(await errorOf(await fetch(`${notion.url}/register`, { method: 'POST', body: '{}' }))).toEqual({
      status: 501,
      error: 'not_implemented',
      description: 'Client registration is not enabled',
    })
  })

  it('may have loopback, https and chromiumapp redirect URIs', async () => {
    const notion = await simulator()
    const redirect_uris = ['http://127.0.0.1/cb', 'https://client.test/cb', 'https://abc.chromiumapp.org/cb']
    expect((await register(notion, { redirect_uris }))['redirect_uris']).toEqual(redirect_uris)
  })
})
