import { describe, expect, it } from 'vitest'
import { call, LIST, scene, tool } from './clients.ts'

const on = scene()
const metadataOf = (path: string) => fetch(`${on.gateway.url}/.well-known/oauth-protected-resource${path}`)
const base = () => on.gateway.url.replace('127.0.0.1', 'localhost')

describe('the endpoint of a space', () => {
  it('serves a client with a token for it', async () => {
    const answer = await call(await on.token(), on.endpoint())
    expect(answer.status).toBe(200)
    expect(answer.rpc.result?.tools?.map(({ name }) => name)).toContain('notion-search')
  })

  it('serves a client with a key', async () => {
    const { key } = await on.newKey()
    const answer = await call(key, on.endpoint(), { body: tool('notion-search', { query: 'launch' }) })
    expect(answer.rpc.result?.isError).not.toBe(true)
    expect(answer.rpc.id).toBe(7)
  })

  it('forwards the bytes without meta, and nothing that proves who calls', async () => {
    on.simulator.clearRecorded()
    const { key } = await on.newKey()
    const body = '{"jsonrpc":"2.0", "id":"x","meta":{"space_id":"north"},"method":"tools/list"}'
    expect((await call(key, on.endpoint(), { body })).status).toBe(200)
    const [seen] = on.simulator.recorded.mcpRequests
    expect(seen?.body).toBe('{"jsonrpc":"2.0", "id":"x","method":"tools/list"}')
    expect(JSON.stringify(seen?.headers)).not.toContain('nmg_')
  })

  it('passes GET and DELETE on as upstream answers them', async () => {
    const token = await on.token()
    for (const method of ['GET', 'DELETE']) expect((await call(token, on.endpoint(), { method })).status).toBe(405)
    expect(on.simulator.recorded.mcpRequests.slice(-2).map(({ httpMethod }) => httpMethod)).toEqual(['GET', 'DELETE'])
  })

  it('serves applications, whose person and space must agree with it', async () => {
    const list = (headers: Record<string, string>, body: object = LIST) =>
      on.gateway.fetch('/mcp/notion/spaces/north', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify(body),
      })
    expect((await list({})).status).toBe(200)
    for (const refused of [
      await list({ 'x-space-id': 'south' }),
      await list({}, { ...LIST, meta: { space_id: 'south' } }),
    ]) {
      expect(refused.status).toBe(403)
      expect(refused.headers.get('content-type')).toBe('application/problem+json')
      expect(await refused.json()).toMatchObject({ code: 'forbidden_space' })
    }
  })

  it.each(['/mcp/notion/spaces/north/', '/mcp/notion/spaces/north/?a=b', '/mcp/notion/proxy/'])(
    'is also at %s, without a redirect',
    async (path) => {
      const { key } = await on.newKey()
      for (const credential of [
        key,
        await on.issuer.token(base() + path.replace(/\/(\?.*)?$/, ''), { space_id: 'north' }),
      ]) {
        const answer = await call(credential, on.gateway.url + path)
        expect([answer.status, answer.rpc.result?.tools?.length]).toEqual([200, expect.any(Number)])
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
  ])('is not at %s', async (path) => {
    expect((await on.gateway.fetch(path, { method: 'POST', body: '{}' })).status).toBe(404)
  })

  it('is the same in every spelling of its address', async () => {
    const { key } = await on.newKey({ spaceId: 'a/b ü' })
    const token = await on.token('a/b ü')
    for (const credential of [key, token]) {
      const answer = await call(credential, `${on.gateway.url}/mcp/notion/spaces/%61%2Fb%20%c3%bc`)
      expect(answer.rpc.error?.data.reason).toBe('not_connected')
    }
  })
})

describe('the endpoint without a space', () => {
  it('takes the space of the key or token', async () => {
    const { key } = await on.newKey()
    const token = await on.issuer.token(`${base()}/mcp/notion/proxy`)
    for (const credential of [key, token]) {
      expect((await call(credential, `${on.gateway.url}/mcp/notion/proxy`)).status).toBe(200)
    }
  })

  it('needs to be told the space by a token that is good for several', async () => {
    const token = await on.issuer.token(`${base()}/mcp/notion/proxy`, { space_id: ['north', 'west'] })
    const url = `${on.gateway.url}/mcp/notion/proxy`
    expect((await call(token, url)).rpc.error?.data.reason).toBe('missing_space')
    expect((await call(token, url, { headers: { 'x-space-id': 'north' } })).status).toBe(200)
    expect((await call(token, url, { headers: { 'x-space-id': 'south' } })).rpc.error?.data.reason).toBe(
      'forbidden_space',
    )
  })
})

describe('what a client reads before it has access', () => {
  it.each([
    ['/mcp/notion/spaces/north', '/mcp/notion/spaces/north'],
    ['/mcp/notion/spaces/a%2fb', '/mcp/notion/spaces/a%2Fb'],
    ['/mcp/notion/proxy', '/mcp/notion/proxy'],
    ['/mcp/notion/spaces/north/', '/mcp/notion/spaces/north'],
    ['/mcp/notion/proxy/', '/mcp/notion/proxy'],
  ])('describes %s', async (path, canonical) => {
    const response = await metadataOf(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.json()).toEqual({
      resource: base() + canonical,
      authorization_servers: [on.issuer.url],
      scopes_supported: ['notion:read', 'notion:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notion MCP Gateway',
    })
  })

  it('may be read by every web page', async () => {
    const response = await fetch(`${on.gateway.url}/.well-known/oauth-protected-resource/mcp/notion/proxy`, {
      method: 'OPTIONS',
      headers: { origin: 'https://page.example', 'access-control-request-headers': 'mcp-protocol-version' },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-headers')).toBe('*')
  })

  it('describes nothing else', async () => {
    for (const path of ['', '/', '/mcp', '/mcp/notion/spaces/a/b']) expect((await metadataOf(path)).status).toBe(404)
  })

  it.each([
    ['/mcp/notion/spaces/north', 'application/json'],
    ['/mcp/notion/proxy', 'application/problem+json'],
    ['/mcp/notion/spaces/north/', 'application/json'],
  ])('is found through the challenge of %s', async (path, type) => {
    const answer = await call(undefined, on.gateway.url + path)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('content-type')).toBe(type)
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer resource_metadata="${base()}/.well-known/oauth-protected-resource${path.replace(/\/$/, '')}", scope="notion:read notion:write"`,
    )
  })

  it.each(['GET', 'DELETE'])('is found through the challenge to %s', async (method) => {
    const answer = await call(undefined, on.endpoint(), { method })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=')
  })

  it('is named again to a client whose token is no good', async () => {
    const answer = await call('a.b.c', on.endpoint())
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="[^"]+", scope="[^"]+"$/,
    )
    expect(answer.rpc).toEqual({
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
    ['a scope that is none of ours', { scope: 'openid' }, 403, 'insufficient_scope'],
    ['no scope', { scope: undefined }, 403, 'insufficient_scope'],
    ['no space', { space_id: undefined }, 401, 'unauthenticated'],
    ['no person', { sub: undefined }, 401, 'unauthenticated'],
    ['a person that is no text', { sub: 7 }, 401, 'unauthenticated'],
    ['a person with a control character', { sub: 'ada\nben' }, 401, 'unauthenticated'],
    ['no client', { client_id: undefined }, 401, 'unauthenticated'],
    ['no end', { exp: undefined }, 401, 'unauthenticated'],
    ['no beginning', { iat: undefined }, 401, 'unauthenticated'],
  ])('with %s is refused', async (_, claims, status, reason) => {
    const answer = await call(await on.token('north', claims), on.endpoint())
    expect(answer.status).toBe(status)
    expect(answer.rpc.error?.data.reason).toBe(reason)
  })

  it('names its client in azp, where there is no client_id', async () => {
    const token = await on.token('north', { client_id: undefined, azp: 'other' })
    expect((await call(token, on.endpoint())).status).toBe(200)
  })

  it('for several audiences is good for each', async () => {
    const token = await on.token('north', { aud: [on.resource(), 'https://somewhere.example'] })
    expect((await call(token, on.endpoint())).status).toBe(200)
  })

  it('that is known is checked without a request to its issuer', async () => {
    const token = await on.token()
    await call(token, on.endpoint())
    const asked = on.issuer.requests.length
    on.issuer.fail(503)
    expect((await call(token, on.endpoint())).status).toBe(200)
    // A new one, of a known key.
    expect((await call(await on.token(), on.endpoint())).status).toBe(200)
    on.issuer.fail(undefined)
    expect(on.issuer.requests.length).toBe(asked)
  })
})
