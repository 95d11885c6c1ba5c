/** Metadata say where the gateway sends requests to. Whoever writes them would reach what only the gateway reaches: RFC 9728 §7.7, MCP "SSRF". */
import { victim, type Victim } from '@nmg/process/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { foreignServer, namesIn, type ForeignServer } from '../../support/foreign-server.ts'

let server: ForeignServer
let near: Victim
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
  near = await victim()
  gateway = await startGateway({ mcpUrl: server.mcpUrl, lookup })
})
afterEach(() => {
  server.reset()
  near.visits.length = 0
})
afterAll(async () => {
  await gateway.stop()
  server.close()
  near.close()
})

let spaces = 0
/** In a new space each time, as a registration is made once for each. */
const start = (at = gateway) => at.fetch(`/integrations/notion/oauth/mcp/start?space_id=space-${++spaces}`)

/** Each address with and without a port of the victim's, so that a connection would be seen. */
const literals = () =>
  ['127.0.0.1', '127.1', '2130706433', '0x7f.0.0.1', '[::1]', '[::ffff:7f00:1]', 'localhost', 'a.localhost']
    .map((host) => `https://${host}:${near.port}`)
    .concat(['https://10.20.30.40', 'https://192.168.0.1', 'https://169.254.169.254', 'https://[fd00:ec2::254]'])
    .concat(['https://[fe80::1]', 'https://0.0.0.0', `http://127.0.0.1:${near.port}`, `http://near.test:${near.port}`])
const byName = () =>
  ['near.test', 'mapped.test', 'network.test', 'cloud.test'].map((name) => `https://${name}:${near.port}`)

/** What is asked at once when somebody connects. */
const asked: [string, (origin: string) => void][] = [
  ['resource_metadata', (origin) => (server.resourceMetadata = `${origin}/resource`)],
  ['authorization_servers', (origin) => (server.resource['authorization_servers'] = [origin])],
  ['registration_endpoint', (origin) => (server.metadata['registration_endpoint'] = `${origin}/register`)],
]
/** What is asked later. */
const kept: typeof asked = [
  ['token_endpoint', (origin) => (server.metadata['token_endpoint'] = `${origin}/token`)],
  ['revocation_endpoint', (origin) => (server.metadata['revocation_endpoint'] = `${origin}/revoke`)],
]

it('a server that names itself is used, wherever the operator has put it', async () => {
  expect((await start()).status).toBe(200)
})

it.each([...asked, ...kept])('%s that is the address of something near is not used', async (_, put) => {
  for (const origin of literals()) {
    put(origin)
    const answer = await start()
    expect([origin, answer.status]).toEqual([origin, 502])
    expect(await answer.json()).toMatchObject({ code: 'authorization_refused' })
  }
  expect(near.visits).toEqual([])
})

it.each(asked)('%s that is a name which leads to something near is not used', async (_, put) => {
  for (const origin of byName()) {
    put(origin)
    const answer = await start()
    expect([origin, answer.status]).toEqual([origin, 502])
    expect(await answer.json()).toMatchObject({
      code: 'authorization_refused',
      detail: expect.stringContaining('leads to an address that is not used'),
    })
  }
  expect(near.visits).toEqual([])
})

it('a code and its verifier do not go to a name that leads to something near', async () => {
  for (const origin of byName()) {
    server.metadata['token_endpoint'] = `${origin}/token`
    const { state } = await gateway.start('north')
    const query = new URLSearchParams({ code: 'a-code', state })
    const end = await gateway.fetch(`/integrations/notion/mcp/oauth/callback?${query}`, { user: null })
    expect(new URL(end.headers.get('location') ?? '').searchParams.get('error')).toBe('authorization_refused')
  }
  expect(near.visits).toEqual([])
})

describe('an operator', () => {
  it('may say that the MCP server is in a private network, and then still nothing leads to this machine or to a cloud', async () => {
    const env = { NOTION_MCP_PRIVATE_NETWORK: 'true' }
    const inside = await startGateway({ mcpUrl: server.mcpUrl, lookup, env })
    try {
      for (const name of ['near.test', 'mapped.test', 'cloud.test']) {
        server.resource['authorization_servers'] = [`https://${name}:${near.port}`]
        expect(await (await start(inside)).json()).toMatchObject({ code: 'authorization_refused' })
      }
      // Looked for at the address, where nobody is.
      server.resource['authorization_servers'] = [`https://network.test:${near.port}`]
      expect(await (await start(inside)).json()).toMatchObject({ code: 'authorization_unavailable' })
      expect(near.visits).toEqual([])
    } finally {
      await inside.stop()
    }
  })

  it('may name an endpoint that is near', async () => {
    const env = { NOTION_MCP_REGISTRATION_ENDPOINT: `http://localhost:${near.port}/register` }
    const told = await startGateway({
      mcpUrl: server.mcpUrl,
      lookup: namesIn({ ...names, localhost: '127.0.0.1' }),
      env,
    })
    try {
      await start(told)
      expect(near.visits).toEqual(['connected', '/register'])
    } finally {
      await told.stop()
    }
  })
})
