/** SSRF: metadata contains URLs that the gateway sends requests to, so they must not lead to internal addresses (RFC 9728 §7.7, MCP "SSRF"). */
import { victim, type Victim } from '@nmg/process/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { foreignServer, namesIn, type ForeignServer } from '../../support/foreign-server.ts'

let server: ForeignServer
let victimServer: Victim
let gateway: InProcessGateway
const names: Record<string, string> = {
  'mcp.test': '127.0.0.1',
  'near.test': '127.0.0.1',
  'mapped.test': '::ffff:127.0.0.1',
  'network.test': '10.20.30.40',
  'cloud.test': '169.254.169.254',
}
const lookup = namesIn(names)

beforeAll(async () => {
  server = await foreignServer('mcp.test')
  victimServer = await victim()
  gateway = await startGateway({ mcpUrl: server.mcpUrl, lookup })
})
afterEach(() => {
  server.reset()
  victimServer.visits.length = 0
})
afterAll(async () => {
  await gateway.stop()
  server.close()
  victimServer.close()
})

let spaces = 0
/** Uses a new space each time, because each space is registered only once. */
const start = (at = gateway) => at.fetch(`/integrations/notion/oauth/mcp/start?space_id=space-${++spaces}`)

/** URLs with internal addresses; those of this machine have the victim's port, so that a connection would be recorded. */
const internalUrls = () =>
  ['127.0.0.1', '127.1', '2130706433', '0x7f.0.0.1', '[::1]', '[::ffff:7f00:1]', 'localhost', 'a.localhost']
    .map((host) => `https://${host}:${victimServer.port}`)
    .concat(['https://10.20.30.40', 'https://192.168.0.1', 'https://169.254.169.254', 'https://[fd00:ec2::254]'])
    .concat([
      'https://[fe80::1]',
      'https://0.0.0.0',
      `http://127.0.0.1:${victimServer.port}`,
      `http://near.test:${victimServer.port}`,
    ])
const resolvingUrls = () =>
  ['near.test', 'mapped.test', 'network.test', 'cloud.test'].map((name) => `https://${name}:${victimServer.port}`)

/** URLs that are requested when a connection starts. */
const usedAtStart: [string, (origin: string) => void][] = [
  ['resource_metadata', (origin) => (server.resourceMetadata = `${origin}/resource`)],
  ['authorization_servers', (origin) => (server.resource['authorization_servers'] = [origin])],
  ['registration_endpoint', (origin) => (server.metadata['registration_endpoint'] = `${origin}/register`)],
]
/** URLs that are requested later. */
const usedLater: typeof usedAtStart = [
  ['token_endpoint', (origin) => (server.metadata['token_endpoint'] = `${origin}/token`)],
  ['revocation_endpoint', (origin) => (server.metadata['revocation_endpoint'] = `${origin}/revoke`)],
]

it('a server that names itself is used, also at an internal address of the operator', async () => {
  expect((await start()).status).toBe(200)
})

it.each([...usedAtStart, ...usedLater])('%s with an internal address is not used', async (_, put) => {
  for (const origin of internalUrls()) {
    put(origin)
    const response = await start()
    expect([origin, response.status]).toEqual([origin, 502])
    expect(await response.json()).toMatchObject({ code: 'authorization_refused' })
  }
  expect(victimServer.visits).toEqual([])
})

it.each(usedAtStart)('%s with a name that resolves to an internal address is not used', async (_, put) => {
  for (const origin of resolvingUrls()) {
    put(origin)
    const response = await start()
    expect([origin, response.status]).toEqual([origin, 502])
    expect(await response.json()).toMatchObject({
      code: 'authorization_refused',
      detail: expect.stringContaining('leads to a forbidden address'),
    })
  }
  expect(victimServer.visits).toEqual([])
})

it('a code and its verifier are not sent to a name that resolves to an internal address', async () => {
  for (const origin of resolvingUrls()) {
    server.metadata['token_endpoint'] = `${origin}/token`
    const { state } = await gateway.start('north')
    const query = new URLSearchParams({ code: 'a-code', state })
    const redirect = await gateway.fetch(`/integrations/notion/mcp/oauth/callback?${query}`, { user: null })
    expect(new URL(redirect.headers.get('location') ?? '').searchParams.get('error')).toBe('authorization_refused')
  }
  expect(victimServer.visits).toEqual([])
})

describe('an operator', () => {
  it('may allow private networks, while loopback and cloud metadata addresses stay blocked', async () => {
    const env = { NOTION_MCP_PRIVATE_NETWORK: 'true' }
    const privateNetwork = await startGateway({ mcpUrl: server.mcpUrl, lookup, env })
    try {
      for (const name of ['near.test', 'mapped.test', 'cloud.test']) {
        server.resource['authorization_servers'] = [`https://${name}:${victimServer.port}`]
        expect(await (await start(privateNetwork)).json()).toMatchObject({ code: 'authorization_refused' })
      }
      // The address is allowed, but no server responds there.
      server.resource['authorization_servers'] = [`https://network.test:${victimServer.port}`]
      expect(await (await start(privateNetwork)).json()).toMatchObject({ code: 'authorization_unavailable' })
      expect(victimServer.visits).toEqual([])
    } finally {
      await privateNetwork.stop()
    }
  })

  it('may configure an endpoint at an internal address', async () => {
    const env = { NOTION_MCP_REGISTRATION_ENDPOINT: `http://localhost:${victimServer.port}/register` }
    const configured = await startGateway({
      mcpUrl: server.mcpUrl,
      lookup: namesIn({ ...names, localhost: '127.0.0.1' }),
      env,
    })
    try {
      await start(configured)
      expect(victimServer.visits).toEqual(['connected', '/register'])
    } finally {
      await configured.stop()
    }
  })
})
