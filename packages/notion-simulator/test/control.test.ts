import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { connect, INITIALIZE, type Json, postMcp, refresh, errorOf, register, simulator, use } from './client.ts'

async function call(
  notion: Simulator,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${notion.url}/__control/${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json().catch(() => ({}))) as Json }
}

describe('the control endpoint', () => {
  it('does not exist unless it is enabled', async () => {
    const notion = await simulator()
    expect((await call(notion, 'GET', 'state')).status).toBe(404)
  })

  it('returns the state and the recorded requests', async () => {
    const notion = await simulator({ control: true })
    const { clientId } = await connect(notion)
    const state = await call(notion, 'GET', 'state')
    expect(state.body).toMatchObject({
      profile: 'notion-2026-09',
      url: notion.url,
      now: '2026-10-01T12:00:00.000Z',
      knobs: { accessTtlSeconds: 28_800 },
      counts: { registrations: 1, authorizations: 1, tokenRequests: 1, codeExchanges: 1, refreshes: 0 },
      grants: [{ clientId, status: 'active', generation: 0 }],
      clients: [{ clientId, name: 'Test client' }],
    })
    const seen = await call(notion, 'GET', 'seen')
    expect(seen.body).toMatchObject({ tokenRequests: [{ clientId }], mcpRequests: [] })
    await call(notion, 'DELETE', 'seen')
    expect(notion.recorded.tokenRequests).toEqual([])
  })

  it('lists all issued secrets, and returns them nowhere else', async () => {
    const notion = await simulator({ control: true })
    await connect(notion)
    const { secrets } = (await call(notion, 'GET', 'secrets')).body as { secrets: { kind: string; value: string }[] }
    expect(secrets.map(({ kind }) => kind).toSorted()).toEqual([
      'access_token',
      'code',
      'code_verifier',
      'refresh_token',
    ])
    for (const path of ['state', 'seen', 'workspaces']) {
      const text = JSON.stringify((await call(notion, 'GET', path)).body)
      for (const { value } of secrets) expect(text.includes(value)).toBe(false)
    }
  })

  it('changes options at their older URL, and rejects invalid ones', async () => {
    const notion = await simulator({ control: true })
    const changed = await call(notion, 'PATCH', 'knobs', {
      accessTtlSeconds: 5,
      metadata: { issuer: 'https://x.test' },
    })
    expect(changed.body).toMatchObject({
      accessTtlSeconds: 5,
      metadata: { issuer: 'https://x.test', revocationEndpoint: true },
    })
    expect((await connect(notion)).tokens.expires_in).toBe(5)
    for (const wrong of [{ accessTtl: 5 }, { accessTtlSeconds: 'long' }, { metadata: { unknown: 1 } }]) {
      const refused = await call(notion, 'PATCH', 'knobs', wrong)
      expect(refused).toMatchObject({ status: 400, body: { error: expect.stringContaining('does not understand') } })
    }
    expect(notion.options.accessTtlSeconds).toBe(5)
  })

  it('changes responses with the options', async () => {
    const notion = await simulator({ control: true })
    const { clientId, tokens } = await connect(notion)
    const tokenResponse = { status: 201, without: ['token_type'], times: 1 }
    const changed = await call(notion, 'PATCH', 'options', { tokenResponse })
    expect(changed.body).toMatchObject({ tokenResponse })
    const response = await refresh(notion, clientId, tokens.refresh_token)
    expect(response.status).toBe(201)
    expect(await response.json()).not.toHaveProperty('token_type')
    expect((await call(notion, 'GET', 'options')).body['tokenResponse']).toBeNull()
    const refused = await call(notion, 'PATCH', 'options', { tokenResponse: { status: 99 } })
    expect(refused).toMatchObject({ status: 400, body: { error: expect.stringContaining('tokenResponse.status') } })
  })

  it('advances the time', async () => {
    const notion = await simulator({ control: true })
    expect((await call(notion, 'POST', 'advance', { ms: 1_000 })).body).toEqual({ now: '2026-10-01T12:00:01.000Z' })
    expect(notion.now().toISOString()).toBe('2026-10-01T12:00:01.000Z')
    expect((await call(notion, 'POST', 'advance', { ms: -1 })).status).toBe(400)
  })

  it('offers the actions of an administrator', async () => {
    const notion = await simulator({ control: true })
    const { clientId, tokens } = await connect(notion)
    expect((await call(notion, 'POST', 'admin/expire-access-tokens')).body).toEqual({ expired: 1 })
    expect((await postMcp(notion, tokens.access_token, INITIALIZE)).status).toBe(401)
    expect((await call(notion, 'POST', 'admin/revoke-grants', { clientId })).body).toEqual({ revoked: 1 })
    expect(await errorOf(await refresh(notion, clientId, tokens.refresh_token))).toMatchObject({
      description: 'OAuth grant revoked',
    })
    expect((await call(notion, 'POST', 'admin/forget-clients', { clientId })).body).toEqual({ forgotten: 1 })
    expect(await errorOf(await refresh(notion, clientId, tokens.refresh_token))).toMatchObject({
      error: 'invalid_client',
    })
    expect((await call(notion, 'POST', 'admin/forget-sessions')).body).toEqual({ forgotten: 0 })
    expect((await call(notion, 'POST', 'admin/notify-tools-changed')).status).toBe(200)
    const { body } = await call(notion, 'POST', 'admin/personal-access-token', { user: 'ada', workspace: 'Acme' })
    expect(await use(notion, String(body['token']), 'fetch', { id: 'self' })).toMatchObject({
      self: { user: { name: 'Ada Sandberg' } },
    })
    expect((await call(notion, 'POST', 'admin/revoke-grants', { client: 'x' })).status).toBe(400)
  })

  it('restores the initial state', async () => {
    const notion = await simulator({ control: true, options: { identityFields: false } })
    const { clientId, tokens } = await connect(notion)
    await use(notion, tokens.access_token, 'create-pages', { pages: [{ properties: { title: 'Gone soon' } }] })
    notion.setOptions({ accessTtlSeconds: 1, identityFields: true, tokenFaults: [{ kind: 'html', times: 'always' }] })
    notion.advance(1_000)
    await call(notion, 'POST', 'reset')
    expect(notion.now().toISOString()).toBe('2026-10-01T12:00:00.000Z')
    expect(notion.options).toMatchObject({ accessTtlSeconds: 28_800, identityFields: false, tokenFaults: [] })
    expect(notion.recorded.tokenRequests).toEqual([])
    expect(notion.issuedSecrets()).toEqual([])
    expect(notion.admin.grants()).toEqual([])
    expect(await errorOf(await refresh(notion, clientId, tokens.refresh_token))).toMatchObject({
      error: 'invalid_client',
    })
    expect((await connect(notion)).tokens).not.toHaveProperty('user_id')
    const pages = [...(notion.workspaces[0]?.pages.values() ?? [])]
    expect(pages.some(({ title }) => title === 'Gone soon')).toBe(false)
  })

  it('requires its token, and rejects web pages', async () => {
    const notion = await simulator({ control: 'sesame' })
    expect((await call(notion, 'GET', 'secrets')).status).toBe(401)
    expect((await call(notion, 'GET', 'secrets', undefined, { authorization: 'Bearer wrong' })).status).toBe(401)
    const authorization = 'Bearer sesame'
    expect((await call(notion, 'GET', 'secrets', undefined, { authorization })).status).toBe(200)
    const origin = 'http://localhost:3000'
    expect((await call(notion, 'POST', 'advance', { ms: 1 }, { authorization, origin })).status).toBe(403)
  })
})

describe('two simulators', () => {
  it('are independent of each other', async () => {
    const [one, other] = [await simulator(), await simulator()]
    const { client_id } = await register(one)
    const { tokens } = await connect(one)
    expect(other.admin.clients()).toEqual([])
    expect((await postMcp(other, tokens.access_token, INITIALIZE)).status).toBe(401)
    expect(await errorOf(await refresh(other, client_id, tokens.refresh_token))).toMatchObject({
      error: 'invalid_client',
    })
  })
})
