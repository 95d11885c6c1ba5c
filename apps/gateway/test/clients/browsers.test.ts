/** Web pages: those of strangers stay out, however they reach this machine; those that the operator allows get in. */
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { SERVICE_TOKEN } from '../support/gateway.ts'
import { call, LIST, scene } from './clients.ts'

const on = scene({ MCP_ALLOWED_ORIGINS: 'https://app.example', MCP_ALLOWED_HOSTS: 'gateway.internal' })

describe('a request of a web page', () => {
  it.each([
    ['a stranger', 'https://evil.example'],
    ['an allowed page, but without TLS', 'http://app.example'],
    ['an allowed page, but on another port', 'https://app.example:8443'],
    ['a page whose name begins as an allowed one', 'https://app.example.evil.example'],
    ['a page without an origin of its own', 'null'],
  ])('of %s is refused before anything else is looked at', async (_, origin) => {
    on.simulator.clearRecorded()
    const { key } = await on.newKey()
    for (const credential of [key, undefined]) {
      const answer = await call(credential, on.endpoint(), { headers: { origin } })
      expect(answer.status).toBe(403)
      expect(answer.rpc.error).toMatchObject({ code: 1004, data: { reason: 'forbidden_origin' } })
      expect(answer.rpc).not.toHaveProperty('id')
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    }
    for (const method of ['GET', 'DELETE']) {
      expect((await call(key, on.endpoint(), { method, headers: { origin } })).status).toBe(403)
    }
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('of an allowed origin passes, and the page may read the answer', async () => {
    const { key } = await on.newKey()
    const answer = await call(key, on.endpoint(), { headers: { origin: 'https://app.example' } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(answer.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id')
    expect(answer.headers.get('vary')).toContain('Origin')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('of an allowed origin may read why it was refused', async () => {
    const answer = await call(undefined, on.endpoint(), { headers: { origin: 'https://app.example' } })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
  })

  it('of an allowed origin may be asked about beforehand', async () => {
    const headers = {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, content-type, mcp-param-region',
    }
    const answer = await call(undefined, on.endpoint(), { method: 'OPTIONS', headers })
    expect(answer.status).toBe(204)
    const allowed = answer.headers.get('access-control-allow-headers')?.toLowerCase() ?? ''
    for (const name of ['authorization', 'content-type', 'mcp-session-id', 'mcp-param-region'])
      expect(allowed).toContain(name)
    expect(answer.headers.get('access-control-allow-methods')).toContain('DELETE')
    const strange = await call(undefined, on.endpoint(), {
      method: 'OPTIONS',
      headers: { ...headers, origin: 'https://evil.example' },
    })
    expect(strange.headers.get('access-control-allow-origin')).toBeNull()
  })

  it.each(['http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:8080', 'https://localhost'])(
    'of this machine, %s, may be asked about beforehand, passes, and may be read',
    async (origin) => {
      const { key } = await on.newKey()
      const preflight = await call(undefined, on.endpoint(), {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      })
      const answers = [preflight, await call(key, on.endpoint(), { headers: { origin } })]
      expect(answers.map(({ status }) => status)).toEqual([204, 200])
      for (const { headers } of answers) expect(headers.get('access-control-allow-origin')).toBe(origin)
    },
  )

  it.each([
    'http://localhost.evil.example',
    'http://localhost:80@evil.example',
    'ftp://localhost',
    'http://localhost/x',
  ])('of %s is not taken for a page of this machine', async (origin) => {
    const { key } = await on.newKey()
    const preflight = await call(undefined, on.endpoint(), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    const answers = [preflight, await call(key, on.endpoint(), { headers: { origin } })]
    expect(answers.map(({ status }) => status)).toEqual([405, 403])
    for (const { headers } of answers) expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('is none when it comes with the service token: that is a server, which passes a header on', async () => {
    const response = await on.gateway.call('north', LIST, { headers: { origin: 'https://evil.example' } })
    expect(response.status).toBe(200)
  })
})

/** A request with a Host of its own, which `fetch` would not send. */
const statusFor = (host: string, key: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const headers = {
      host,
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'x-space-id': 'north',
    }
    const sent = request(on.endpoint(), { method: 'POST', headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(LIST))
  })

describe('a request that was addressed to', () => {
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
  ])('%s is answered with %i, whoever sends it', async (host, status) => {
    const { key } = await on.newKey()
    expect(await statusFor(host, key)).toBe(status)
    expect(await statusFor(host, SERVICE_TOKEN)).toBe(status)
  })
})
