import { createHash } from 'node:crypto'
import { get } from 'node:http'
import { AuthorizationStart, BINDING_COOKIE, Connection, History } from '@nmg/contract'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RETURN_BASE, SERVICE_TOKEN, startGateway, type InProcessGateway } from './support/gateway.ts'

let simulator: Simulator
let gateway: InProcessGateway
let spaces = 0
const newSpace = () => `space-${++spaces}`
const BINDING = 'a-random-value-of-the-browser'

beforeAll(async () => {
  simulator = await startSimulator({ options: { autoApprove: true } })
  gateway = await startGateway({ mcpUrl: simulator.mcpUrl })
})
afterEach(() => simulator.reset())
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
})

const outcome = (url: URL) => Object.fromEntries(url.searchParams)

/** Requests the consent page and stops before the callback. */
async function consent(authorizeUrl: string): Promise<URL> {
  const response = await fetch(authorizeUrl, { redirect: 'manual' })
  return new URL(response.headers.get('location') ?? '')
}

const callback = async (url: URL, headers: Record<string, string> = {}): Promise<URL> => {
  const response = await fetch(url, { redirect: 'manual', headers })
  expect(response.status).toBe(303)
  return new URL(response.headers.get('location') ?? '')
}

describe('connecting a space', () => {
  it('sends PKCE, a state and the resource as a client registered for this connection', async () => {
    const space = newSpace()
    const response = await gateway.fetch(`/integrations/notion/oauth/mcp/start?space_id=${space}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { authorizeUrl, state } = AuthorizationStart.parse(await response.json())

    const query = new URL(authorizeUrl).searchParams
    const [registration] = simulator.recorded.registrations
    expect(Object.fromEntries(query)).toEqual({
      response_type: 'code',
      client_id: registration?.clientId,
      redirect_uri: `${gateway.url}/integrations/notion/mcp/oauth/callback`,
      state,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      prompt: 'consent',
      resource: simulator.mcpUrl,
    })
    expect(registration?.metadata).toMatchObject({
      client_name: 'Notion MCP Gateway',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    })
  })

  it('redirects to the return path, names the workspace and describes the connection without secrets', async () => {
    const space = newSpace()
    const end = await gateway.authorize(space, { returnPath: '/settings?tab=notion' })
    expect(end.href.startsWith(`${RETURN_BASE}/settings?tab=notion&`)).toBe(true)
    const connection = Connection.parse(await gateway.connection(space))
    expect(outcome(end)).toEqual({
      tab: 'notion',
      status: 'success',
      spaceId: space,
      processId: connection.processId,
      workspaceId: connection.workspaceId,
      mcp: 'connected',
    })
    const [grant] = simulator.admin.grants()
    expect(connection).toMatchObject({ spaceId: space, status: 'connected', connectedBy: 'ada', hasMcpToken: true })
    expect(connection.workspaceId).toBe(grant?.workspaceId)
    expect(connection.workspaceName).toBe(simulator.workspaces.find(({ id }) => id === grant?.workspaceId)?.name)
    const life = Date.parse(connection.reconnectBy ?? '') - Date.parse(connection.connectedAt)
    expect(life).toBe(180 * 24 * 3600 * 1000)

    const history = History.parse(await gateway.history(space))
    expect(history.events).toMatchObject([{ version: 1, type: 'NotionIntegrationAuthorized', by: 'ada' }])
  })

  it('requires a reconnect for calls if it was started and never completed', async () => {
    const space = newSpace()
    await gateway.start(space)
    const response = await gateway.call(space, { id: 1, method: 'tools/list' })
    expect(response.status).toBe(401)
    const problem = await response.json()
    expect(problem).toMatchObject({
      code: 'reconnect_required',
      detail: expect.stringContaining(`${RETURN_BASE}/?space=${space}`),
    })
    expect((await gateway.fetch(`/integrations/notion/${space}`)).status).toBe(404)
  })

  it('allows calls of Notion tools through the proxy', async () => {
    const space = newSpace()
    await gateway.connect(space)
    const result = await gateway.callTool(space, 'notion-search', { query: 'launch plan' })
    expect(JSON.parse(result.content[0]?.text ?? '')).toMatchObject({ type: 'workspace_search' })
  })

  it('responds with 404 for an unknown space', async () => {
    const response = await gateway.fetch('/integrations/notion/nobody')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'not_connected' })
    const events = await gateway.fetch('/integrations/notion/nobody/events')
    expect(events.status).toBe(404)
  })

  it('redirects with the reason when the user declines', async () => {
    simulator.options.autoApprove = { decision: 'deny' }
    const space = newSpace()
    expect(outcome(await gateway.authorize(space))).toEqual({ status: 'error', error: 'access_denied', spaceId: space })
    expect((await gateway.fetch(`/integrations/notion/${space}`)).status).toBe(404)
  })

  it('requires the service token and a user', async () => {
    const path = `/integrations/notion/oauth/mcp/start?space_id=${newSpace()}`
    const attempts = [
      await fetch(gateway.url + path, { headers: { 'x-user-id': 'ada' } }),
      await gateway.fetch(path, { headers: { authorization: 'Bearer not-the-service-token' } }),
      await gateway.fetch(path, { headers: { authorization: 'Basic YTpi' } }),
      await gateway.fetch(path, { user: null }),
    ]
    for (const response of attempts) {
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ code: 'unauthenticated' })
    }
    expect((await gateway.fetch('/integrations/notion/oauth/mcp/start')).status).toBe(400)
    expect((await gateway.fetch(`${path}&space_id=another`)).status).toBe(400)
    const twice = new URL(path, gateway.url)
    const status = new Promise((resolve) =>
      get(
        twice,
        { headers: ['authorization', `Bearer ${SERVICE_TOKEN}`, 'x-user-id', 'ada', 'x-user-id', 'ben'] as never },
        (res) => resolve(res.resume().statusCode),
      ),
    )
    expect(await status).toBe(400)
  })

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    'https:evil.example',
    'http://localhost:3999.evil.example/',
    'http://localhost:3999@evil.example/',
    'javascript:alert(1)',
    'evil',
    '///evil.example',
    '\\\\evil.example',
  ])('rejects the return path %j, which would leave the application', async (returnPath) => {
    const response = await gateway.fetch(
      `/integrations/notion/oauth/mcp/start?${new URLSearchParams({ space_id: newSpace(), return_path: returnPath })}`,
    )
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_return_path' })
  })
})

describe('the callback', () => {
  it('redeems nothing for a missing, unknown or repeated state', async () => {
    const space = newSpace()
    const { authorizeUrl } = await gateway.start(space)
    const response = await consent(authorizeUrl)
    for (const change of [
      (url: URL) => url.searchParams.delete('state'),
      (url: URL) => url.searchParams.set('state', 'never-given-out'),
      (url: URL) => url.searchParams.append('state', 'another'),
    ]) {
      const changed = new URL(response)
      change(changed)
      expect(outcome(await callback(changed))).toMatchObject({ status: 'error', error: 'unknown_state' })
    }
    expect(simulator.recorded.tokenRequests).toEqual([])
    // The real state is still valid.
    expect(outcome(await callback(response))).toMatchObject({ status: 'success' })
  })

  it('redeems the code for one of ten concurrent requests with the same state', async () => {
    const space = newSpace()
    const { authorizeUrl } = await gateway.start(space)
    const response = await consent(authorizeUrl)
    const ends = await Promise.all(Array.from({ length: 10 }, () => callback(response)))
    const statuses = ends.map((end) => end.searchParams.get('status')).toSorted()
    expect(statuses).toEqual([...Array<string>(9).fill('error'), 'success'])
    expect(simulator.recorded.tokenRequests).toHaveLength(1)
    expect((await gateway.connection(space)).status).toBe('connected')
  })

  it('redeems nothing after the state has expired', async () => {
    const brief = await startGateway({ mcpUrl: simulator.mcpUrl, env: { NOTION_MCP_STATE_TTL_SECONDS: '1' } })
    try {
      const { authorizeUrl } = await brief.start(newSpace())
      const response = await consent(authorizeUrl)
      // The database measures this time, so the test cannot move the clock.
      await new Promise((resolve) => setTimeout(resolve, 1100))
      expect(outcome(await callback(response))).toMatchObject({ status: 'error', error: 'unknown_state' })
      expect(simulator.recorded.tokenRequests).toEqual([])
    } finally {
      await brief.stop()
    }
  })

  it('redeems nothing in another browser than the starting one', async () => {
    for (const cookie of [undefined, `${BINDING_COOKIE}=another-random-value-of-a-browser`]) {
      const { authorizeUrl } = await gateway.start(newSpace(), { binding: BINDING })
      const response = await consent(authorizeUrl)
      const end = await callback(response, cookie === undefined ? {} : { cookie })
      expect(outcome(end)).toMatchObject({ status: 'error', error: 'wrong_browser' })
    }
    expect(simulator.recorded.tokenRequests).toEqual([])
    expect(outcome(await gateway.authorize(newSpace(), { binding: BINDING }))).toMatchObject({ status: 'success' })
  })

  it('redeems nothing for a wrong issuer, or a missing one if the server promises it', async () => {
    for (const iss of ['https://evil.example', `${simulator.url}/`]) {
      const response = await consent((await gateway.start(newSpace())).authorizeUrl)
      response.searchParams.set('iss', iss)
      expect(outcome(await callback(response))).toMatchObject({ status: 'error', error: 'wrong_issuer' })
    }
    const promising = await startSimulator({ profile: 'wop-0.10', options: { autoApprove: true } })
    const other = await startGateway({ mcpUrl: promising.mcpUrl })
    try {
      const silent = await consent((await other.start('quiet')).authorizeUrl)
      silent.searchParams.delete('iss')
      expect(outcome(await callback(silent))).toMatchObject({ error: 'wrong_issuer' })
      const denied = await consent((await other.start('denied')).authorizeUrl)
      denied.searchParams.delete('code')
      denied.searchParams.set('error', 'access_denied')
      denied.searchParams.set('iss', 'https://evil.example')
      expect(outcome(await callback(denied))).toMatchObject({ error: 'wrong_issuer' })
      expect(promising.recorded.tokenRequests).toEqual([])
      expect(outcome(await other.authorize('kept'))).toMatchObject({ status: 'success' })
    } finally {
      await other.stop()
      await promising.close()
    }
  })

  it('is rejected by Notion without the code verifier of its own authorization request', async () => {
    const first = await gateway.start(newSpace())
    const second = await gateway.start(newSpace())
    const [one, two] = [await consent(first.authorizeUrl), await consent(second.authorizeUrl)]
    const code = one.searchParams.get('code') ?? ''
    one.searchParams.set('code', two.searchParams.get('code') ?? '')
    two.searchParams.set('code', code)
    expect(outcome(await callback(one))).toMatchObject({ error: 'exchange_refused' })
    expect(outcome(await callback(two))).toMatchObject({ error: 'exchange_refused' })
  })

  it('redeems the code with the verifier of the challenge', async () => {
    const { authorizeUrl } = await gateway.start(newSpace())
    await callback(await consent(authorizeUrl))
    const verifier = simulator.issuedSecrets().findLast(({ kind }) => kind === 'code_verifier')?.value ?? ''
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    expect(new URL(authorizeUrl).searchParams.get('code_challenge')).toBe(challenge)
  })

  it('keeps the state valid after a link scanner', async () => {
    const response = await consent((await gateway.start(newSpace())).authorizeUrl)
    expect((await fetch(response, { method: 'HEAD', redirect: 'manual' })).status).toBe(503)
    expect(outcome(await callback(response))).toMatchObject({ status: 'success' })
  })

  it('redirects with an error while the token endpoint is down and allows another attempt', async () => {
    const space = newSpace()
    simulator.options.tokenFaults = [{ kind: 'server-error', on: 'authorization_code' } as never]
    expect(outcome(await gateway.authorize(space))).toMatchObject({ error: 'authorization_unavailable' })
    expect(outcome(await gateway.authorize(space))).toMatchObject({ status: 'success' })
  })
})

describe('an authorization server', () => {
  it.each([
    ['does not say that it supports PKCE', { codeChallengeMethods: null }, 502, 'authorization_refused'],
    ['supports plain PKCE only', { codeChallengeMethods: ['plain'] }, 502, 'authorization_refused'],
    ['names another issuer', { issuer: 'https://evil.example' }, 502, 'authorization_refused'],
    ['protects another resource', { resource: 'https://evil.example/mcp' }, 502, 'authorization_refused'],
    ['sends too much metadata', { paddingBytes: 1_000_000 }, 503, 'authorization_unavailable'],
    ['takes longer than the deadline', { delayMs: 30_000 }, 503, 'authorization_unavailable'],
    ['has no registration endpoint', { registrationEndpoint: false }, 502, 'authorization_refused'],
  ] as const)('that %s is not used', async (_what, metadata, status, code) => {
    simulator.options.metadata = { ...simulator.options.metadata, ...metadata } as typeof simulator.options.metadata
    const response = await gateway.fetch(`/integrations/notion/oauth/mcp/start?space_id=${newSpace()}`)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ code })
    expect(simulator.recorded.authorizations).toEqual([])
  })
})

describe('a reconnect', () => {
  it('keeps the process ID, registers a new client and revokes the previous grant', async () => {
    const space = newSpace()
    await gateway.connect(space)
    const before = await gateway.connection(space)
    const back = await gateway.authorize(space, { user: 'ben' })
    expect(outcome(back)).toMatchObject({ status: 'success', previousConsent: 'revoked' })
    const after = await gateway.connection(space)
    expect(after).toMatchObject({ processId: before.processId, status: 'connected', connectedBy: 'ben' })
    expect((await gateway.history(space)).events.map(({ type, by }) => [type, by])).toEqual([
      ['NotionIntegrationAuthorized', 'ben'],
      ['NotionIntegrationAuthorized', 'ada'],
    ])
    expect(simulator.recorded.registrations).toHaveLength(2)
    expect(simulator.admin.grants().map(({ status }) => status)).toEqual(['revoked', 'active'])
    expect(after.unrevokedConsents).toBeUndefined()
    await gateway.callTool(space, 'notion-search', { query: 'plan' })
  })

  it('does not affect the connection of another space by the same user', async () => {
    const [north, south] = [newSpace(), newSpace()]
    await gateway.connect(north)
    await gateway.connect(south)
    await gateway.connect(south)
    await gateway.callTool(north, 'notion-search', { query: 'plan' })
  })
})

describe('disconnecting', () => {
  it('stores the event, revokes the grant, destroys the data key, and is idempotent', async () => {
    const space = newSpace()
    await gateway.connect(space)
    const receipt = await (await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })).json()
    const { processId } = await gateway.connection(space)
    expect(receipt).toEqual({ spaceId: space, processId, status: 'disconnected', changed: true, revocation: 'revoked' })
    expect(simulator.admin.grants().map(({ status }) => status)).toEqual(['revoked'])
    expect(await gateway.connection(space)).toMatchObject({ status: 'disconnected', hasMcpToken: false })
    expect((await gateway.history(space)).events[0]).toMatchObject({ type: 'NotionIntegrationDisconnected', by: 'ada' })

    const again = await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    expect(await again.json()).toMatchObject({ changed: false, revocation: 'nothing_to_revoke' })
    expect((await gateway.history(space)).events).toHaveLength(2)

    const call = await gateway.call(space, { id: 1, method: 'tools/list' })
    expect(call.status).toBe(404)
    expect(await call.json()).toMatchObject({
      code: 'not_connected',
      detail: expect.stringMatching(/^No Notion integration connected/),
    })
  })

  it('succeeds for a space that never connected', async () => {
    const response = await gateway.fetch('/integrations/notion/never', { method: 'DELETE' })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ changed: false })
  })

  it('succeeds and reports a failed revocation', async () => {
    const space = newSpace()
    await gateway.connect(space)
    simulator.options.tokenFaults = [{ kind: 'server-error', on: 'revocation' } as never]
    const receipt = await (await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })).json()
    expect(receipt).toMatchObject({ changed: true, revocation: 'failed' })
    expect((await gateway.connection(space)).status).toBe('disconnected')
  })

  it('keeps the process ID for a later consent', async () => {
    const space = newSpace()
    await gateway.connect(space)
    const { processId } = await gateway.connection(space)
    await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    await gateway.connect(space)
    expect(await gateway.connection(space)).toMatchObject({ processId, status: 'connected' })
    await gateway.callTool(space, 'notion-search', { query: 'plan' })
  })
})

describe('the history', () => {
  it('is returned newest first in pages', async () => {
    const space = newSpace()
    for (let count = 0; count < 5; count++) await gateway.connect(space)
    const page = async (query: string) =>
      History.parse(await (await gateway.fetch(`/integrations/notion/${space}/events${query}`)).json())
    const first = await page('?limit=2')
    expect(first.events.map(({ version }) => version)).toEqual([5, 4])
    const second = await page(`?limit=2&before=${first.nextBefore}`)
    expect(second.events.map(({ version }) => version)).toEqual([3, 2])
    const last = await page(`?limit=2&before=${second.nextBefore}`)
    expect(last).toMatchObject({ events: [{ version: 1 }] })
    expect(last.nextBefore).toBeUndefined()
    for (const query of ['?limit=0', '?limit=9999', '?before=x', '?before=-1']) {
      expect((await gateway.fetch(`/integrations/notion/${space}/events${query}`)).status).toBe(400)
    }
  })
})
