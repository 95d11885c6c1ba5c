import { describe, expect, it } from 'vitest'
import { call, LIST, clientFixture, tool } from './clients.ts'

const on = clientFixture()
const fetchMetadata = (path: string) => fetch(`${on.gateway.url}/.well-known/oauth-protected-resource${path}`)
const publicBase = () => on.gateway.url.replace('127.0.0.1', 'localhost')

describe("a space's endpoint", () => {
  it('serves a client with a token', async () => {
    const response = await call(await on.token(), on.endpoint())
    expect(response.status).toBe(200)
    expect(response.rpc.result?.tools?.map(({ name }) => name)).toContain('notion-search')
  })

  it('serves a client with a key', async () => {
    const { key } = await on.newKey()
    const response = await call(key, on.endpoint(), { body: tool('notion-search', { query: 'launch' }) })
    expect(response.rpc.result?.isError).not.toBe(true)
    expect(response.rpc.id).toBe(7)
  })

  it('forwards the bytes without meta and without credentials', async () => {
    on.simulator.clearRecorded()
    const { key } = await on.newKey()
    const body = '{"jsonrpc":"2.0", "id":"x","meta":{"space_id":"north"},"method":"tools/list"}'
    expect((await call(key, on.endpoint(), { body })).status).toBe(200)
    const [forwarded] = on.simulator.recorded.mcpRequests
    expect(forwarded?.body).toBe('{"jsonrpc":"2.0", "id":"x","method":"tools/list"}')
    expect(JSON.stringify(forwarded?.headers)).not.toContain('nmg_')
  })

  it('forwards GET and DELETE, and returns the upstream response', async () => {
    const token = await on.token()
    for (const method of ['GET', 'DELETE']) expect((await call(token, on.endpoint(), { method })).status).toBe(405)
    expect(on.simulator.recorded.mcpRequests.slice(-2).map(({ httpMethod }) => httpMethod)).toEqual(['GET', 'DELETE'])
  })

  it('serves applications whose space matches', async () => {
    const list = (headers: Record<string, string>, body: object = LIST) =>
      on.gateway.fetch('/mcp/notion/spaces/north', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify(body),
      })
    expect((await list({})).status).toBe(200)
    for (const rejected of [
      await list({ 'x-space-id': 'south' }),
      await list({}, { ...LIST, meta: { space_id: 'south' } }),
    ]) {
      expect(rejected.status).toBe(403)
      expect(rejected.headers.get('content-type')).toBe('application/problem+json')
      expect(await rejected.json()).toMatchObject({ code: 'forbidden_space' })
    }
  })

  it.each(['/mcp/notion/spaces/north/', '/mcp/notion/spaces/north/?a=b', '/mcp/notion/proxy/'])(
    'is also available at %s, without a redirect',
    async (path) => {
      const { key } = await on.newKey()
      for (const credential of [
        key,
        await on.issuer.token(publicBase() + path.replace(/\/(\?.*)?$/, ''), { space_id: 'north' }),
      ]) {
        const response = await call(credential, on.gateway.url + path)
        expect([response.status, response.rpc.result?.tools?.length]).toEqual([200, expect.any(Number)])
      }
      const preflight = await call(undefined, on.gateway.url + path, {
        method: 'OPTIONS',
        headers: { origin: 'http://localhost:1234', 'access-control-request-method': 'POST' },
      })
      expect(preflight.status).toBe(204)
    },
  )

  it.each([
    '/mcp/notion/spaces/',
    '/mcp/notion/spaces//',
    '/mcp/notion/spaces/north//',
    '/mcp/notion/proxy//',
    '/mcp/notion/spaces/a/b',
    '/mcp/notion/spaces/%ff',
    '/mcp/notion/spaces/a%00b',
  ])('does not exist at %s', async (path) => {
    expect((await on.gateway.fetch(path, { method: 'POST', body: '{}' })).status).toBe(404)
  })

  it('accepts each percent-encoding of its path', async () => {
    const { key } = await on.newKey({ spaceId: 'a/b ü' })
    const token = await on.token('a/b ü')
    for (const credential of [key, token]) {
      const response = await call(credential, `${on.gateway.url}/mcp/notion/spaces/%61%2Fb%20%c3%bc`)
      expect(response.rpc.error?.data.reason).toBe('not_connected')
    }
  })
})

describe('the endpoint without a space', () => {
  it('uses the space of the key or token', async () => {
    const { key } = await on.newKey()
    const token = await on.issuer.token(`${publicBase()}/mcp/notion/proxy`)
    for (const credential of [key, token]) {
      expect((await call(credential, `${on.gateway.url}/mcp/notion/proxy`)).status).toBe(200)
    }
  })

  it('requires X-Space-ID for a token with several spaces', async () => {
    const token = await on.issuer.token(`${publicBase()}/mcp/notion/proxy`, { space_id: ['north', 'west'] })
    const url = `${on.gateway.url}/mcp/notion/proxy`
    expect((await call(token, url)).rpc.error?.data.reason).toBe('missing_space')
    expect((await call(token, url, { headers: { 'x-space-id': 'north' } })).status).toBe(200)
    expect((await call(token, url, { headers: { 'x-space-id': 'south' } })).rpc.error?.data.reason).toBe(
      'forbidden_space',
    )
  })
})

describe('protected resource metadata', () => {
  it.each([
    ['/mcp/notion/spaces/north', '/mcp/notion/spaces/north'],
    ['/mcp/notion/spaces/a%2fb', '/mcp/notion/spaces/a%2Fb'],
    ['/mcp/notion/proxy', '/mcp/notion/proxy'],
    ['/mcp/notion/spaces/north/', '/mcp/notion/spaces/north'],
    ['/mcp/notion/proxy/', '/mcp/notion/proxy'],
  ])('describes the endpoint %s', async (path, canonical) => {
    const response = await fetchMetadata(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.json()).toEqual({
      resource: publicBase() + canonical,
      authorization_servers: [on.issuer.url],
      scopes_supported: ['notion:read', 'notion:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notion MCP Gateway',
    })
  })

  it('may be read by any web page', async () => {
    const response = await fetch(`${on.gateway.url}/.well-known/oauth-protected-resource/mcp/notion/proxy`, {
      method: 'OPTIONS',
      headers: { origin: 'https://page.example', 'access-control-request-headers': 'mcp-protocol-version' },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-headers')).toBe('*')
  })

  it('does not exist for other paths', async () => {
    for (const path of ['', '/', '/mcp', '/mcp/notion/spaces/a/b']) expect((await fetchMetadata(path)).status).toBe(404)
  })

  it.each([
    ['/mcp/notion/spaces/north', 'application/json'],
    ['/mcp/notion/proxy', 'application/problem+json'],
    ['/mcp/notion/spaces/north/', 'application/json'],
  ])('is linked in the challenge of %s', async (path, type) => {
    const response = await call(undefined, on.gateway.url + path)
    expect(response.status).toBe(401)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer resource_metadata="${publicBase()}/.well-known/oauth-protected-resource${path.replace(/\/$/, '')}", scope="notion:read notion:write"`,
    )
  })

  it.each(['GET', 'DELETE'])('is linked in the challenge to %s requests', async (method) => {
    const response = await call(undefined, on.endpoint(), { method })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('resource_metadata=')
  })

  it('is linked in the challenge to an invalid token', async () => {
    const response = await call('a.b.c', on.endpoint())
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="[^"]+", scope="[^"]+"$/,
    )
    expect(response.rpc).toEqual({
      jsonrpc: '2.0',
      error: {
        code: 1001,
        message: expect.any(String),
        data: { reason: 'unauthenticated', requestId: expect.any(String) },
      },
    })
  })
})

describe('a token', () => {
  it.each([
    ['an unsupported scope', { scope: 'openid' }, 403, 'insufficient_scope'],
    ['no scope', { scope: undefined }, 403, 'insufficient_scope'],
    ['no space', { space_id: undefined }, 401, 'unauthenticated'],
    ['no user', { sub: undefined }, 401, 'unauthenticated'],
    ['a user that is not a string', { sub: 7 }, 401, 'unauthenticated'],
    ['a user with a control character', { sub: 'ada\nben' }, 401, 'unauthenticated'],
    ['no client', { client_id: undefined }, 401, 'unauthenticated'],
    ['no expiry', { exp: undefined }, 401, 'unauthenticated'],
    ['no time of issue', { iat: undefined }, 401, 'unauthenticated'],
  ])('with %s is rejected', async (_, claims, status, reason) => {
    const response = await call(await on.token('north', claims), on.endpoint())
    expect(response.status).toBe(status)
    expect(response.rpc.error?.data.reason).toBe(reason)
  })

  it('may name its client in azp instead of client_id', async () => {
    const token = await on.token('north', { client_id: undefined, azp: 'other' })
    expect((await call(token, on.endpoint())).status).toBe(200)
  })

  it('for several audiences is accepted for each', async () => {
    const token = await on.token('north', { aud: [on.resource(), 'https://somewhere.example'] })
    expect((await call(token, on.endpoint())).status).toBe(200)
  })

  it('is verified without a request to its issuer while the keys are cached', async () => {
    const token = await on.token()
    await call(token, on.endpoint())
    const requestsBefore = on.issuer.requests.length
    on.issuer.fail(503)
    expect((await call(token, on.endpoint())).status).toBe(200)
    // A new token that is signed with a cached key.
    expect((await call(await on.token(), on.endpoint())).status).toBe(200)
    on.issuer.fail(undefined)
    expect(on.issuer.requests.length).toBe(requestsBefore)
  })
})
