import { connect as connectTo } from 'node:net'
import { testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { consent, invite, newUser, type UserClient } from '@/test/support/user.ts'
import { deploymentSecrets, freePort, startProcess, startProduct, type Product } from '@/test/support/product.ts'

const PASSWORD = 'a-good-password'

let product: Product
let ada: UserClient
let ben: UserClient
let cem: UserClient
let dora: UserClient
let database: Client

beforeAll(async () => {
  const { url } = await testDatabase()
  database = new Client({ connectionString: url })
  await database.connect()
  product = await startProduct({ DATABASE_URL: url })
  product.simulator.setOptions({ autoApprove: true })
  const user = (name: string) =>
    newUser(product.webUrl, { name, email: `${name.toLowerCase()}@north.test`, password: PASSWORD })
  // Ada owns the space, Cem is an admin of it, Ben a member, Dora has one of her own only.
  ada = await user('Ada')
  ben = await user('Ben')
  cem = await user('Cem')
  dora = await user('Dora')
  await invite(ada, ben, 'member')
  await invite(ada, cem, 'admin')
})

// The gateway lets a space begin to connect ten times an hour.
beforeEach(() => database.query('delete from gateway.registration_counts'))

afterAll(async () => {
  await database?.end()
  await product?.stop()
})

type Call = (user: UserClient, space: string, init?: Parameters<UserClient['fetch']>[1]) => Promise<Response>

const routeNames = [
  'reading the connection',
  'disconnecting',
  'connecting',
  'reading the history',
  'deciding about another workspace',
  'calling a tool',
  'ending an MCP session',
  'opening the MCP stream',
] as const
type Route = (typeof routeNames)[number]

/** Every route handler of the app, as it is called about a space. */
const routes: Record<Route, Call> = {
  'reading the connection': (user, space, init) => user.fetch(`/api/notion?spaceId=${space}`, init),
  disconnecting: (user, space, init) => user.fetch(`/api/notion?spaceId=${space}`, { ...init, method: 'DELETE' }),
  connecting: (user, space, init) =>
    user.fetch('/api/notion/oauth/start', {
      ...init,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ spaceId: space }),
    }),
  'reading the history': (user, space, init) => user.fetch(`/api/notion/history?spaceId=${space}`, init),
  'deciding about another workspace': (user, space, init) =>
    user.fetch('/api/notion/waiting', {
      ...init,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ spaceId: space, id: crypto.randomUUID(), accept: true }),
    }),
  'calling a tool': (user, space, init) =>
    user.fetch(`/api/mcp?spaceId=${space}`, { ...init, method: 'POST', headers: mcpHeaders, body: listTools }),
  'ending an MCP session': (user, space, init) =>
    user.fetch(`/api/mcp?spaceId=${space}`, { ...init, method: 'DELETE', headers: { 'mcp-session-id': 'unknown' } }),
  'opening the MCP stream': (user, space, init) =>
    user.fetch(`/api/mcp?spaceId=${space}`, { ...init, headers: { accept: 'text/event-stream' } }),
}

const mcpHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
}
const listTools = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })

const nobody = (): UserClient => ({
  ...ada,
  cookies: () => new Map(),
  fetch: (path, { origin = product.webUrl, ...init } = {}) => {
    const headers = new Headers(init.headers)
    if (origin !== null) headers.set('origin', origin)
    return fetch(product.webUrl + path, { ...init, headers, redirect: 'manual' })
  },
})

async function problemOf(
  answer: Response,
): Promise<{ status: number; code: string; detail: string; requestId: string }> {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  const problem = (await answer.json()) as { status: number; code: string; detail: string; requestId: string }
  expect(problem.status).toBe(answer.status)
  expect(problem.requestId).toMatch(/\S/)
  return problem
}

async function connect(user: UserClient, space: string): Promise<void> {
  const started = await routes.connecting(user, space)
  const { authorizeUrl } = (await started.json()) as { authorizeUrl: string }
  const end = await consent(user, authorizeUrl)
  expect(end.searchParams.get('status')).toBe('success')
}

describe('a user who is not signed in', () => {
  it.each(routeNames)('gets 401 when %s', async (route) => {
    const problem = await problemOf(await routes[route](nobody(), ada.spaceId))
    expect(problem).toMatchObject({ status: 401, code: 'unauthenticated' })
  })
})

describe('a user of another space', () => {
  it.each(routeNames)('is rejected when %s', async (route) => {
    const problem = await problemOf(await routes[route](dora, ada.spaceId))
    expect(problem).toMatchObject({ status: 403, code: 'forbidden_space' })
  })

  it.each(['no-such-space', '00000000-0000-4000-8000-000000000000', 'x'.repeat(60), "' or true --"])(
    'cannot tell the space %s from one that does not exist',
    async (space) => {
      const problem = await problemOf(await routes['reading the connection'](dora, encodeURIComponent(space)))
      const real = await problemOf(await routes['reading the connection'](dora, ada.spaceId))
      expect(problem).toMatchObject({ status: 403, code: 'forbidden_space', detail: real.detail })
    },
  )

  it('cannot name another user or space in headers', async () => {
    const answer = await dora.fetch('/api/notion', { headers: { 'x-user-id': ada.id, 'x-space-id': ada.spaceId } })
    expect(await answer.json()).toEqual({ connected: false })
  })
})

describe('a request from another origin', () => {
  const changing = [
    'disconnecting',
    'connecting',
    'deciding about another workspace',
    'calling a tool',
    'ending an MCP session',
  ] as const satisfies Route[]

  it.each(changing)('is rejected when %s', async (route) => {
    for (const origin of [
      'https://evil.example',
      'null',
      product.webUrl.replace('localhost', 'localhost.evil.example'),
    ]) {
      const problem = await problemOf(await routes[route](ada, ada.spaceId, { origin }))
      expect(problem).toMatchObject({ status: 403, code: 'forbidden_origin' })
    }
  })

  it.each(changing)('is rejected when %s without an Origin', async (route) => {
    const problem = await problemOf(await routes[route](ada, ada.spaceId, { origin: null }))
    expect(problem).toMatchObject({ status: 403, code: 'forbidden_origin' })
  })

  it('is recognized by Sec-Fetch-Site if it has no Origin', async () => {
    const from = (site: string) =>
      ada.fetch('/api/notion', { method: 'DELETE', origin: null, headers: { 'sec-fetch-site': site } })
    expect((await from('same-origin')).status).toBe(200)
    expect((await from('same-site')).status).toBe(403)
    expect((await from('cross-site')).status).toBe(403)
  })
})

describe('roles', () => {
  beforeEach(() => connect(ada, ada.spaceId))

  it.each(['connecting', 'disconnecting', 'deciding about another workspace'] as const)(
    'keep a member from %s',
    async (route) => {
      const problem = await problemOf(await routes[route](ben, ada.spaceId))
      expect(problem).toMatchObject({ status: 403, code: 'forbidden_role' })
    },
  )

  it('let a member see the connection and the user who connected it', async () => {
    const answer = await routes['reading the connection'](ben, ada.spaceId)
    expect(await answer.json()).toMatchObject({
      connected: true,
      integration: {
        spaceId: ada.spaceId,
        status: 'connected',
        connectedBy: ada.id,
        connectedByName: 'Ada',
        workspaceName: 'Acme',
      },
    })
  })

  it('let a member call tools', async () => {
    const answer = await routes['calling a tool'](ben, ada.spaceId)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('notion-search')
  })

  it('let an admin disconnect and connect again', async () => {
    const receipt = await routes.disconnecting(cem, ada.spaceId)
    expect(await receipt.json()).toMatchObject({ spaceId: ada.spaceId, status: 'disconnected', changed: true })
    await connect(cem, ada.spaceId)
    const answer = await routes['reading the connection'](ada, ada.spaceId)
    expect(await answer.json()).toMatchObject({ connected: true, integration: { connectedByName: 'Cem' } })
  })

  it('are lost immediately by a removed member', async () => {
    const eve = await newUser(product.webUrl, { name: 'Eve', email: 'eve@north.test', password: PASSWORD })
    await invite(ada, eve, 'member')
    expect((await routes['calling a tool'](eve, ada.spaceId)).status).toBe(200)
    const removed = await ada.fetch(`/api/spaces/${ada.spaceId}/members/${eve.id}`, { method: 'DELETE' })
    expect(removed.status).toBe(204)
    const problem = await problemOf(await routes['calling a tool'](eve, ada.spaceId))
    expect(problem).toMatchObject({ status: 403, code: 'forbidden_space' })
    // Without naming a space she is in her own again, although her session still points to the other one.
    expect(await (await eve.fetch('/api/notion')).json()).toEqual({ connected: false })
  })
})

describe('POST /api/notion/oauth/start', () => {
  it('returns the URL of the consent page and binds it to this browser', async () => {
    const answer = await ada.post('/api/notion/oauth/start', {})
    expect(answer.status).toBe(200)
    const { authorizeUrl, state } = (await answer.json()) as { authorizeUrl: string; state: string }
    expect(new URL(authorizeUrl).origin).toBe(product.simulator.url)
    expect(new URL(authorizeUrl).searchParams.get('state')).toBe(state)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const cookie = answer.headers.getSetCookie().find((each) => each.startsWith('notion_oauth_binding=')) ?? ''
    const [value, ...attributes] = cookie.split('; ')
    expect(value).toMatch(/^notion_oauth_binding=[\w-]{43}$/)
    expect(attributes).toEqual(['Path=/', 'Max-Age=600', 'HttpOnly', 'SameSite=Lax'])
    expect(authorizeUrl).not.toContain(value?.split('=')[1])
  })

  it('uses the active space for a request without a body', async () => {
    const answer = await dora.fetch('/api/notion/oauth/start', { method: 'POST' })
    const { authorizeUrl } = (await answer.json()) as { authorizeUrl: string }
    const end = await consent(dora, authorizeUrl)
    expect(end.pathname).toBe('/integrations/notion/callback')
    expect(end.searchParams.get('spaceId')).toBe(dora.spaceId)
  })

  it('lets two attempts in one browser both finish', async () => {
    const urls = await Promise.all(
      [1, 2].map(
        async () =>
          ((await (await routes.connecting(ada, ada.spaceId)).json()) as { authorizeUrl: string }).authorizeUrl,
      ),
    )
    for (const url of urls) expect((await consent(ada, url)).searchParams.get('status')).toBe('success')
  })

  it('fails in a browser with another binding', async () => {
    const { authorizeUrl } = (await (await routes.connecting(ada, ada.spaceId)).json()) as { authorizeUrl: string }
    const end = await consent(dora, authorizeUrl, `notion_oauth_binding=${'A'.repeat(43)}`)
    expect(end.searchParams.get('error')).toBe('wrong_browser')
  })

  it('replaces a malformed binding', async () => {
    const answer = await fetch(`${product.webUrl}/api/notion/oauth/start`, {
      method: 'POST',
      headers: { origin: product.webUrl, cookie: `${sessionCookie(ada)}; notion_oauth_binding=chosen-by-somebody` },
    })
    expect(answer.headers.getSetCookie().join()).toMatch(/notion_oauth_binding=[\w-]{43};/)
  })

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'passes on that the gateway does not return to %s',
    async (returnPath) => {
      const problem = await problemOf(await ada.post('/api/notion/oauth/start', { returnPath }))
      expect(problem).toMatchObject({ status: 400, code: 'invalid_return_path' })
    },
  )

  it.each([
    ['not JSON', '{', 'invalid_json'],
    ['a list', '[]', 'invalid_request'],
    ['a space that is no text', '{"spaceId":7}', 'invalid_request'],
  ])('refuses %s as its body', async (_, body, code) => {
    const headers = { 'content-type': 'application/json' }
    const problem = await problemOf(await ada.fetch('/api/notion/oauth/start', { method: 'POST', headers, body }))
    expect(problem).toMatchObject({ status: 400, code })
  })
})

describe('POST and PUT /api/notion', () => {
  it.each(['POST', 'PUT'])('are retired (%s)', async (method) => {
    const problem = await problemOf(await ada.fetch('/api/notion', { method, body: '{"accessToken":"x"}' }))
    expect(problem).toMatchObject({ status: 410, code: 'retired' })
  })
})

describe('/api/mcp', () => {
  beforeEach(() => connect(ada, ada.spaceId))

  it('forwards a tool result unchanged', async () => {
    const answer = await ada.fetch('/api/mcp', {
      method: 'POST',
      headers: mcpHeaders,
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 'a',
        method: 'tools/call',
        params: { name: 'notion-search', arguments: { query: 'launch' } },
      }),
    })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('Launch plan')
  })

  it('does not forward the user’s cookies', async () => {
    product.simulator.clearRecorded()
    await (await ada.fetch('/api/mcp', { method: 'POST', headers: mcpHeaders, body: listTools })).text()
    const seen = JSON.stringify(product.simulator.recorded.mcpRequests)
    expect(seen).toContain('tools/list')
    for (const value of ada.cookies().values()) expect(seen).not.toContain(value)
  })

  it('rejects a message that names another space', async () => {
    const body = JSON.stringify({ ...(JSON.parse(listTools) as object), meta: { space_id: dora.spaceId } })
    const problem = await problemOf(await ada.fetch('/api/mcp', { method: 'POST', headers: mcpHeaders, body }))
    expect(problem).toMatchObject({ status: 403, code: 'forbidden_space' })
  })

  it('reports that the space is not connected', async () => {
    const eve = await newUser(product.webUrl, { name: 'Finn', email: 'finn@north.test', password: PASSWORD })
    const problem = await problemOf(
      await eve.fetch('/api/mcp', { method: 'POST', headers: mcpHeaders, body: listTools }),
    )
    expect(problem).toMatchObject({ status: 404, code: 'not_connected' })
  })

  it('reports that Notion must be reconnected once the grant is lost', async () => {
    product.simulator.admin.revokeGrants()
    const problem = await problemOf(
      await ada.fetch('/api/mcp', { method: 'POST', headers: mcpHeaders, body: listTools }),
    )
    expect(problem).toMatchObject({ status: 401, code: 'reconnect_required' })
    expect(await (await ada.fetch('/api/notion')).json()).toMatchObject({
      connected: false,
      integration: { status: 'reconnect_required', reason: 'revoked' },
    })
  })
})

describe('spaces', () => {
  it('have no other endpoints than ours', async () => {
    for (const [path, body] of [
      ['set-active', { organizationId: ada.spaceId }],
      ['delete', { organizationId: ada.spaceId }],
      ['invite-member', { organizationId: ada.spaceId, email: 'mallory@north.test', role: 'owner' }],
      ['update-member-role', { organizationId: ada.spaceId, memberId: ben.id, role: 'owner' }],
      ['leave', { organizationId: ada.spaceId }],
    ] as const) {
      expect((await ada.post(`/api/auth/organization/${path}`, body)).status, path).toBe(404)
    }
    for (const path of ['list-invitations', 'list-user-invitations', 'get-full-organization', 'list-members']) {
      expect((await ben.fetch(`/api/auth/organization/${path}`)).status, path).toBe(404)
    }
    expect((await routes['reading the connection'](ada, ada.spaceId)).status).toBe(200)
  })
})

describe('accounts', () => {
  it('are refused from other origins', async () => {
    const answer = await ada.fetch('/api/auth/sign-out', {
      method: 'POST',
      origin: 'https://evil.example',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(answer.status).toBe(403)
    expect((await ada.fetch('/api/notion')).status).toBe(200)
  })

  it('keep the session in an HttpOnly cookie, and end it on the server', async () => {
    const answer = await fetch(`${product.webUrl}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { origin: product.webUrl, 'content-type': 'application/json' },
      body: JSON.stringify({ email: ben.account.email, password: PASSWORD }),
    })
    const cookie = answer.headers.getSetCookie().find((each) => each.includes('session_token')) ?? ''
    expect(cookie).toMatch(/HttpOnly/i)
    expect(cookie).toMatch(/SameSite=Lax/i)
    const headers = {
      cookie: cookie.split(';')[0] ?? '',
      origin: product.webUrl,
      'content-type': 'application/json',
    }
    expect((await fetch(`${product.webUrl}/api/notion`, { headers })).status).toBe(200)
    await fetch(`${product.webUrl}/api/auth/sign-out`, { method: 'POST', headers, body: '{}' })
    expect((await fetch(`${product.webUrl}/api/notion`, { headers })).status).toBe(401)
  })

  it('are rate-limited by network address, whatever X-Forwarded-For contains', async () => {
    const guess = (n: number) =>
      fetch(`${product.webUrl}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { origin: product.webUrl, 'content-type': 'application/json', 'x-forwarded-for': `203.0.113.${n}` },
        body: JSON.stringify({ email: 'nobody@north.test', password: `guess-number-${n}` }),
      })
    const statuses: number[] = []
    for (let n = 0; n < 60 && statuses.at(-1) !== 429; n++) statuses.push((await guess(n)).status)
    expect(statuses.at(-1)).toBe(429)
  })
})

describe('every response', () => {
  it.each(['/sign-in', '/no-such-page', '/api/notion', '/api/auth/ok', '/icon.svg', '/healthz'])(
    'of %s is guarded by headers',
    async (path) => {
      const { headers } = await fetch(product.webUrl + path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toMatch(/script-src 'self' 'nonce-[\w+/=]{20,}' 'strict-dynamic';/)
      expect(policy).toContain(`frame-ancestors 'none'`)
      expect(policy).not.toContain('unsafe')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('x-powered-by')).toBeNull()
    },
  )

  it('has a nonce of its own', async () => {
    const policies = await Promise.all(
      [1, 2].map(async () => (await fetch(`${product.webUrl}/sign-in`)).headers.get('content-security-policy')),
    )
    expect(policies[0]).not.toBe(policies[1])
  })

  it('carries no secret of the server', async () => {
    const pages = await Promise.all(
      [`/spaces/${ada.spaceId}/connection`, '/sign-in', '/integrations/notion/callback?status=success'].map(
        async (path) => (await ada.fetch(path)).text(),
      ),
    )
    for (const secret of Object.values(deploymentSecrets)) {
      expect(pages.join()).not.toContain(secret)
      expect(product.web.output()).not.toContain(secret)
    }
  })
})

describe('another name of this machine', () => {
  it('redirects to the app’s own name', async () => {
    const address = product.webUrl.replace('localhost', '127.0.0.1')
    const answer = await fetch(`${address}/sign-in?a=b`, { redirect: 'manual' })
    expect(answer.status).toBe(307)
    expect(answer.headers.get('location')).toBe(`${product.webUrl}/sign-in?a=b`)
  })
})

describe('a request that makes no sense', () => {
  it.each(['//', '/\\', 'http://[', '*', '/%', '/%E0%A4%A', '//evil.example/..', 'x'])(
    'for %s does not bring the process down',
    async (target) => {
      const status = await rawStatus(
        product.webUrl,
        `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      )
      expect(status).toMatch(/^HTTP\/1\.1 [345]\d\d /)
      expect((await fetch(`${product.webUrl}/healthz`)).status).toBe(200)
    },
  )

  it.each(['evil.example', 'a b', '[', ''])('with %s as its Host does not lead anywhere else', async (host) => {
    const answer = await rawStatus(product.webUrl, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(answer).not.toContain('evil.example')
    expect((await fetch(`${product.webUrl}/healthz`)).status).toBe(200)
  })
})

describe('a body', () => {
  const post = (path: string, headers: Record<string, string>, body: BodyInit) =>
    fetch(product.webUrl + path, {
      method: 'POST',
      headers: { origin: product.webUrl, ...headers },
      body,
      duplex: 'half',
    } as RequestInit)

  it.each(['/api/notion/oauth/start', '/api/auth/sign-in/email', '/sign-in'])(
    'that is larger than anything %s needs is refused before it is read',
    async (path) => {
      const large = await post(path, { 'content-type': 'application/json' }, 'x'.repeat(1024 * 1024))
      expect(large.status).toBe(413)
      const unmeasured = await post(
        path,
        { 'content-type': 'application/json' },
        new Blob(['x'.repeat(70_000)]).stream(),
      )
      expect(unmeasured.status).toBe(413)
      const small = await post(path, { 'content-type': 'application/json' }, new Blob(['{}']).stream())
      expect(small.status).not.toBeOneOf([411, 413, 500])
    },
  )

  it('cannot give an account a name that is a book', async () => {
    const account = { name: 'A'.repeat(101), email: 'long@north.test', password: PASSWORD }
    const response = await post(
      '/api/auth/sign-up/email',
      { 'content-type': 'application/json' },
      JSON.stringify(account),
    )
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ message: 'A name has at most 100 characters.' })
  })
})

describe('an unusable gateway', () => {
  it('is reported when it does not respond', async () => {
    const port = await freePort()
    const { url } = await testDatabase()
    const web = await startWebApp(url, { PORT: String(port), CUDU_ENDPOINT: `http://localhost:${await freePort()}` })
    const grace = await newUser(`http://localhost:${port}`, {
      name: 'Grace',
      email: 'grace@south.test',
      password: PASSWORD,
    })
    for (const route of routeNames) {
      const problem = await problemOf(await routes[route](grace, grace.spaceId))
      expect(problem).toMatchObject({ status: 502, code: 'gateway_unreachable' })
    }
    expect(await (await grace.fetch(`/spaces/${grace.spaceId}/connection`)).text()).toContain(
      'The gateway isn’t responding',
    )
    await web.kill()
  })

  it('is reported when it rejects the service token', async () => {
    const port = await freePort()
    const { url } = await testDatabase()
    const web = await startWebApp(url, {
      PORT: String(port),
      CUDU_ENDPOINT: product.gatewayUrl,
      GATEWAY_SERVICE_TOKEN: 'not-the-right-service-token',
    })
    const grace = await newUser(`http://localhost:${port}`, {
      name: 'Grace',
      email: 'grace@south.test',
      password: PASSWORD,
    })
    for (const route of routeNames) {
      const problem = await problemOf(await routes[route](grace, grace.spaceId))
      expect(problem).toMatchObject({ status: 502, code: 'gateway_misconfigured' })
      expect(problem.detail).not.toContain('not-the-right')
    }
    await web.kill()
  })

  it('is reported when another server listens at its address', async () => {
    const port = await freePort()
    const { url } = await testDatabase()
    const web = await startWebApp(url, { PORT: String(port), CUDU_ENDPOINT: product.simulator.url })
    const grace = await newUser(`http://localhost:${port}`, {
      name: 'Grace',
      email: 'grace@south.test',
      password: PASSWORD,
    })
    for (const route of ['reading the connection', 'connecting', 'disconnecting'] as const) {
      expect(await problemOf(await routes[route](grace, grace.spaceId))).toMatchObject({ status: 502 })
    }
    await web.kill()
  })
})

describe('settings of a deployment', () => {
  it('make cookies for https, for both hosts below one domain', async () => {
    const port = await freePort()
    const { url } = await testDatabase()
    const webUrl = 'https://app.example.test'
    const web = await startWebApp(url, {
      PORT: String(port),
      WEB_URL: webUrl,
      BINDING_COOKIE_DOMAIN: 'example.test',
      CUDU_ENDPOINT: product.gatewayUrl,
      // Several are accepted by the gateway while they change; the first is presented.
      GATEWAY_SERVICE_TOKEN: `${deploymentSecrets.GATEWAY_SERVICE_TOKEN},the-token-that-went-before`,
    })
    const send = (path: string, init: RequestInit) =>
      fetch(`http://localhost:${port}${path}`, {
        method: 'POST',
        ...init,
        headers: { origin: webUrl, 'content-type': 'application/json', ...init.headers },
      })
    const signedUp = await send('/api/auth/sign-up/email', {
      body: JSON.stringify({ name: 'Grace', email: 'grace@south.test', password: PASSWORD }),
    })
    const session = signedUp.headers.getSetCookie().find((cookie) => cookie.includes('session_token')) ?? ''
    // Browsers take such a cookie from this host alone, and for all of it.
    expect(session).toMatch(/^__Host-.*Path=\/;.*Secure/)
    expect(session).not.toContain('Domain')
    const cookie = session.split(';')[0] ?? ''
    const sessionWith = async (header: string) =>
      (await send('/api/auth/get-session', { method: 'GET', headers: { cookie: header } })).json()
    expect(await sessionWith(cookie)).toMatchObject({ user: { name: 'Grace' } })
    // As the release before named it.
    expect(await sessionWith(cookie.replace('__Host-', '__Secure-'))).toMatchObject({ user: { name: 'Grace' } })
    expect(
      await sessionWith(`${cookie.replace('__Host-', '__Secure-')}; __Host-better-auth.session_token=x`),
    ).toBeNull()
    const started = await send('/api/notion/oauth/start', { headers: { cookie } })
    expect(started.status).toBe(200)
    // Of a session from before the update.
    const former = (session.split(';')[0] ?? '').replace('__Host-', '__Secure-')
    expect((await send('/api/notion/oauth/start', { headers: { cookie: former } })).status).toBe(200)
    const binding = started.headers.getSetCookie().find((cookie) => cookie.startsWith('notion_oauth_binding=')) ?? ''
    expect(binding).toContain('; Secure')
    expect(binding).toContain('; Domain=example.test')
    expect(started.headers.get('strict-transport-security')).toContain('max-age=')
    await web.kill()
  })
})

const startWebApp = (databaseUrl: string, env: Record<string, string>) =>
  startProcess('apps/web/main.ts', '"web.listening"', { DATABASE_URL: databaseUrl, ...deploymentSecrets, ...env })

const sessionCookie = (user: UserClient) =>
  [...user.cookies()]
    .filter(([name]) => name.includes('session_token'))
    .map(([name, value]) => `${name}=${value}`)
    .join()

/** The head of the answer to bytes that no HTTP client would send. */
async function rawStatus(url: string, request: string): Promise<string> {
  const socket = connectTo(Number(new URL(url).port), '127.0.0.1')
  socket.write(request)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer.split('\r\n\r\n')[0] ?? ''
}
