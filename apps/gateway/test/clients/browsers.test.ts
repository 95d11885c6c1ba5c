/** Requests from web pages: allowed origins pass, all others are rejected, also with DNS rebinding. */
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { SERVICE_TOKEN } from '../support/gateway.ts'
import { call, LIST, clientFixture } from './clients.ts'

const on = clientFixture({ MCP_ALLOWED_ORIGINS: 'https://app.example', MCP_ALLOWED_HOSTS: 'gateway.internal' })

describe('a request from a web page', () => {
  it.each([
    ['an unknown origin', 'https://evil.example'],
    ['an allowed host without TLS', 'http://app.example'],
    ['an allowed host on another port', 'https://app.example:8443'],
    ['a host that starts with an allowed host', 'https://app.example.evil.example'],
    ['an opaque origin', 'null'],
  ])('of %s is rejected before authentication', async (_, origin) => {
    on.simulator.clearRecorded()
    const { key } = await on.newKey()
    for (const credential of [key, undefined]) {
      const response = await call(credential, on.endpoint(), { headers: { origin } })
      expect(response.status).toBe(403)
      expect(response.rpc.error).toMatchObject({ code: 1004, data: { reason: 'forbidden_origin' } })
      expect(response.rpc).not.toHaveProperty('id')
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    }
    for (const method of ['GET', 'DELETE']) {
      expect((await call(key, on.endpoint(), { method, headers: { origin } })).status).toBe(403)
    }
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('of an allowed origin succeeds, and the page may read the response', async () => {
    const { key } = await on.newKey()
    const response = await call(key, on.endpoint(), { headers: { origin: 'https://app.example' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(response.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id')
    expect(response.headers.get('vary')).toContain('Origin')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('of an allowed origin may read the reason for a rejection', async () => {
    const response = await call(undefined, on.endpoint(), { headers: { origin: 'https://app.example' } })
    expect(response.status).toBe(401)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
  })

  it('of an allowed origin may be preceded by a preflight request', async () => {
    const headers = {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, content-type, mcp-param-region',
    }
    const response = await call(undefined, on.endpoint(), { method: 'OPTIONS', headers })
    expect(response.status).toBe(204)
    const allowed = response.headers.get('access-control-allow-headers')?.toLowerCase() ?? ''
    for (const name of ['authorization', 'content-type', 'mcp-session-id', 'mcp-param-region'])
      expect(allowed).toContain(name)
    expect(response.headers.get('access-control-allow-methods')).toContain('DELETE')
    const rejected = await call(undefined, on.endpoint(), {
      method: 'OPTIONS',
      headers: { ...headers, origin: 'https://evil.example' },
    })
    expect(rejected.headers.get('access-control-allow-origin')).toBeNull()
  })

  it.each(['http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:8080', 'https://localhost'])(
    'of the loopback origin %s succeeds, also as a preflight request, and the page may read the response',
    async (origin) => {
      const { key } = await on.newKey()
      const preflight = await call(undefined, on.endpoint(), {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      })
      const responses = [preflight, await call(key, on.endpoint(), { headers: { origin } })]
      expect(responses.map(({ status }) => status)).toEqual([204, 200])
      for (const { headers } of responses) expect(headers.get('access-control-allow-origin')).toBe(origin)
    },
  )

  it.each([
    'http://localhost.evil.example',
    'http://localhost:80@evil.example',
    'ftp://localhost',
    'http://localhost/x',
  ])('of %s is not treated as a loopback origin', async (origin) => {
    const { key } = await on.newKey()
    const preflight = await call(undefined, on.endpoint(), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    const responses = [preflight, await call(key, on.endpoint(), { headers: { origin } })]
    expect(responses.map(({ status }) => status)).toEqual([405, 403])
    for (const { headers } of responses) expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('is accepted with the service token, because servers may forward an Origin header', async () => {
    const response = await on.gateway.call('north', LIST, { headers: { origin: 'https://evil.example' } })
    expect(response.status).toBe(200)
  })
})

/** Sends a request with a custom `Host`, which `fetch` does not allow. */
const statusForHost = (host: string, key: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const headers = {
      host,
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'x-space-id': 'north',
    }
    const sent = request(on.endpoint(), { method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(LIST))
  })

describe('a request with the Host', () => {
  it.each([
    ['evil.example', 403],
    ['evil.example:8000', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['0.0.0.0', 403],
    ['[::2]', 403],
    ['a b', 400],
    ['evil.example/127.0.0.1', 400],
    ['evil.example@localhost', 400],
    ['localhost:1', 200],
    ['127.0.0.1', 200],
    ['[::1]:8000', 200],
    ['gateway.internal', 200],
    ['GATEWAY.internal:80', 200],
  ])('%s gets status %i, with a key and with the service token', async (host, status) => {
    const { key } = await on.newKey()
    expect(await statusForHost(host, key)).toBe(status)
    expect(await statusForHost(host, SERVICE_TOKEN)).toBe(status)
  })
})
