/** DNS rebinding: a name resolves to its owner's server when it is checked, and to an internal address when a secret is sent to it. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { foreignServer, namesIn, type ForeignServer } from '../../support/foreign-server.ts'

let server: ForeignServer
let gateway: InProcessGateway
let now = Date.now()
const names: Record<string, string> = { 'auth.localhost': '127.0.0.1' }

beforeAll(async () => {
  server = await foreignServer('127.0.0.1', 'auth.localhost')
  gateway = await startGateway({ mcpUrl: server.mcpUrl, lookup: namesIn(names), clock: () => new Date(now) })
})
afterAll(async () => {
  await gateway.stop()
  server.close()
})

it('a refresh token is not sent to a name that now resolves to a cloud metadata address, and is kept', async () => {
  // Browsers resolve *.localhost themselves, so the test calls the callback directly.
  const { state } = await gateway.start('north')
  const query = new URLSearchParams({ code: 'a-code', state })
  const redirect = await gateway.fetch(`/integrations/notion/mcp/oauth/callback?${query}`, { user: null })
  expect(new URL(redirect.headers.get('location') ?? '').searchParams.get('status')).toBe('success')

  const list = () => gateway.call('north', { id: 1, method: 'tools/list' })
  expect((await list()).status).toBe(200)

  names['auth.localhost'] = '169.254.169.254'
  now += 3_600_000
  expect((await list()).status).toBe(503)
  expect(server.tokenRequests.map((form) => form.get('grant_type'))).toEqual(['authorization_code'])
  expect(gateway.logs()).toContain('"error":"ForbiddenUrl"')
  expect((await gateway.connection('north')).status).toBe('connected')

  names['auth.localhost'] = '127.0.0.1'
  now += 60_000
  expect((await list()).status).toBe(200)
  expect(server.tokenRequests.at(-1)?.get('refresh_token')).toBe('refresh-1')
})
