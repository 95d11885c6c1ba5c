/** A network with an HTTP proxy as its only way out. External names do not resolve in it. */
import type { ServerResponse } from 'node:http'
import { connectProxy, type ConnectProxy } from '@nmg/process/testing'
import { startSimulator } from 'notion-simulator'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'
import { foreignServer, namesIn, type ForeignServer } from './support/foreign-server.ts'
import { CREDENTIAL_KEYS, SERVICE_TOKEN, startGateway, type InProcessGateway } from './support/gateway.ts'

let server: ForeignServer
let proxy: ConnectProxy
let gateway: InProcessGateway
let now: number

beforeAll(async () => {
  server = await foreignServer('mcp.test')
})
beforeEach(async () => {
  now = Date.now()
  proxy = await connectProxy({ credentials: 'ada:s3cret' })
})
afterEach(async () => {
  await gateway.stop()
  proxy.close()
  server.reset()
})
afterAll(() => server.close())

const address = (credentials = 'ada:s3cret@') => `http://${credentials}127.0.0.1:${proxy.port}`

async function start(env: Record<string, string>, names: Record<string, string> = {}) {
  gateway = await startGateway({ mcpUrl: server.mcpUrl, env, lookup: namesIn(names), clock: () => new Date(now) })
}

/** The test's browser cannot reach the consent page, which would only redirect it. */
async function connect(space: string): Promise<string | null> {
  const { state } = await gateway.start(space)
  const query = new URLSearchParams({ code: 'a-code', state })
  const end = await gateway.fetch(`/integrations/notion/mcp/oauth/callback?${query}`, { user: null })
  return new URL(end.headers.get('location') ?? '').searchParams.get('status')
}
const list = (space: string) => gateway.call(space, { id: 1, method: 'tools/list' })

describe('a gateway behind a proxy', () => {
  it('connects, calls, refreshes, verifies clients and disconnects through it', async () => {
    await start({ HTTPS_PROXY: address(), CLIENT_TOKEN_ISSUERS: JSON.stringify([{ issuer: `${server.origin}/as` }]) })
    const revocations: string[] = []
    server.handlers['/revoke'] = (_req, res) => {
      revocations.push('revoked')
      res.end()
    }
    expect(await connect('north')).toBe('success')
    expect((await list('north')).status).toBe(200)
    now += 2 * 3_600_000
    expect((await list('north')).status).toBe(200)
    expect(server.tokenRequests.map((form) => form.get('grant_type'))).toEqual(['authorization_code', 'refresh_token'])
    const receipt = await gateway.fetch('/integrations/notion/north', { method: 'DELETE' })
    expect(await receipt.json()).toMatchObject({ revocation: 'revoked' })
    expect(revocations).toEqual(['revoked'])

    const before = proxy.visits.length
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'ES256', typ: 'at+jwt' })}.${part({ iss: `${server.origin}/as` })}.x`
    await gateway.fetch('/mcp/notion/spaces/north', { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    expect(proxy.visits.length).toBeGreaterThan(before)

    expect(new Set(proxy.visits)).toEqual(new Set([`mcp.test:${server.port}`]))
    expect(gateway.logs()).not.toMatch(/s3cret|ada:|Basic/)
  })

  it('keeps one tunnel for many calls', async () => {
    await start({ https_proxy: address() })
    await connect('north')
    await list('north')
    const before = proxy.visits.length
    for (let count = 0; count < 5; count++) expect((await list('north')).status).toBe(200)
    expect(proxy.visits).toHaveLength(before)
  })

  it('closes a stream with the proxy and with its caller', async () => {
    await start({ HTTPS_PROXY: address() })
    await connect('north')
    const streams: ServerResponse[] = []
    server.handlers['/mcp'] = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      streams.push(res)
    }
    const leaving = new AbortController()
    const left = await gateway.call('north', { id: 1, method: 'tools/list' }, { signal: leaving.signal })
    leaving.abort()
    await expect(left.text()).rejects.toThrow()
    await expect.poll(() => streams[0]?.destroyed).toBe(true)

    const broken = await list('north')
    proxy.close()
    await expect(broken.text()).rejects.toThrow()
  })

  it.each(['mcp.test', '.test', '*', 'other.test, mcp.test'])('bypasses it for NO_PROXY=%s', async (NO_PROXY) => {
    await start({ HTTPS_PROXY: address(), NO_PROXY }, { 'mcp.test': '127.0.0.1' })
    await gateway.start('north')
    expect(proxy.visits).toEqual([])
  })

  it('does not bypass it for other names in NO_PROXY', async () => {
    await start({ HTTPS_PROXY: address(), NO_PROXY: 'localhost,10.0.0.0/8,cp.test' })
    await gateway.start('north')
    expect(proxy.visits).not.toEqual([])
  })

  it('connects to loopback directly', async () => {
    const simulator = await startSimulator({ options: { autoApprove: true } })
    try {
      const env = { HTTPS_PROXY: address(), HTTP_PROXY: address() }
      gateway = await startGateway({ mcpUrl: simulator.mcpUrl, env })
      await gateway.connect('north')
      await gateway.callTool('north', 'notion-search', { query: 'plan' })
      expect(proxy.visits).toEqual([])
    } finally {
      await simulator.close()
    }
  })
})

describe('a failure of the proxy is named in the error', () => {
  /** Starts after the space was connected. */
  const failures: [string, () => void, RegExp][] = [
    ['it demands other credentials', () => (proxy.refusal = 407), /\(HTTPS_PROXY\) demands other credentials \(407\)/],
    ['it refuses', () => (proxy.refusal = 403), /\(HTTPS_PROXY\) refused to connect to the server \(403\)/],
    ['it has no way', () => (proxy.refusal = 502), /\(HTTPS_PROXY\) could not connect to the server \(502\)/],
    ['it is gone', () => proxy.close(), /\(HTTPS_PROXY\) cannot be reached/],
  ]

  it.each(failures)('when %s, in every use of the proxy', async (_what, fail, text) => {
    await start({ HTTPS_PROXY: address() })
    await connect('north')
    fail()
    const space = await gateway.fetch('/integrations/notion/oauth/mcp/start?space_id=south')
    expect(space.status).toBe(503)
    const details = [((await space.json()) as { detail: string }).detail]

    const call = await list('north')
    expect(call.status).toBe(502)
    details.push(((await call.json()) as { detail: string }).detail)

    now += 2 * 3_600_000
    const late = await list('north')
    expect(late.status).toBe(503)
    details.push(((await late.json()) as { detail: string }).detail)

    for (const detail of details) {
      expect(detail).toMatch(text)
      expect(detail).not.toMatch(/s3cret|127\.0\.0\.1|Notion may be down/)
    }
    expect((await gateway.connection('north')).status).toBe('connected')
    expect(gateway.logs()).not.toMatch(/s3cret|Basic/)
  })

  it('when the gateway registers a client', async () => {
    await start({ HTTPS_PROXY: address() })
    server.handlers['/.well-known/oauth-authorization-server'] = (req, res) => {
      server.usual['/.well-known/oauth-authorization-server']?.(req, res)
      proxy.refusal = 407
    }
    const response = await gateway.fetch('/integrations/notion/oauth/mcp/start?space_id=north')
    expect(await response.json()).toMatchObject({
      code: 'authorization_unavailable',
      detail: expect.stringContaining('Check the user name and password in HTTPS_PROXY'),
    })
  })

  it('in the log, when a code is redeemed', async () => {
    await start({ HTTPS_PROXY: address() })
    const { state } = await gateway.start('north')
    proxy.refusal = 407
    const query = new URLSearchParams({ code: 'a-code', state })
    const end = await gateway.fetch(`/integrations/notion/mcp/oauth/callback?${query}`, { user: null })
    expect(new URL(end.headers.get('location') ?? '').searchParams.get('error')).toBe('authorization_unavailable')
    expect(gateway.logs()).toContain('PROXY_407')
  })
})

it('reports an invalid proxy together with other invalid settings, without its value', async () => {
  await start({})
  const env = {
    GATEWAY_SERVICE_TOKEN: SERVICE_TOKEN,
    CREDENTIAL_KEYS,
    PORT: 'x',
    HTTPS_PROXY: 'socks5://ada:s3cret@proxy.test',
    http_proxy: 'http://ada:%@proxy.test',
  }
  const read = () => readConfig(env, () => expect.unreachable())
  expect(read).toThrow(
    /PORT[^]*HTTPS_PROXY: must be[^]*http_proxy: must be|HTTPS_PROXY: must be[^]*http_proxy: must be[^]*PORT/,
  )
  expect(read).not.toThrow(/s3cret|ada/)
})
