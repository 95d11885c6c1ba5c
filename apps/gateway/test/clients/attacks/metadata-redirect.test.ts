/** A redirect would bypass the check of the URL, and forward the form with its secrets. */
import { victim, type Victim } from '@nmg/process/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { foreignServer, redirect, type ForeignServer } from '../../support/foreign-server.ts'

let server: ForeignServer
let victimServer: Victim
let gateway: InProcessGateway

beforeAll(async () => {
  server = await foreignServer('127.0.0.1')
  victimServer = await victim()
  gateway = await startGateway({ mcpUrl: server.mcpUrl })
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

const start = () => gateway.fetch('/integrations/notion/oauth/mcp/start?space_id=north')

describe.each([301, 302, 303, 307, 308])('a redirect by %d', (status) => {
  const redirectToVictim = () => redirect(`http://127.0.0.1:${victimServer.port}/`, status)

  it.each(['/mcp', '/.well-known/oauth-authorization-server', '/register'])('from %s is not followed', async (path) => {
    server.handlers[path] = redirectToVictim()
    await start()
    expect(victimServer.visits).toEqual([])
  })

  it("from the resource's metadata is not followed", async () => {
    server.handlers['/.well-known/oauth-protected-resource/mcp'] = redirectToVictim()
    // The gateway then uses the MCP server itself as the authorization server.
    await start()
    expect(victimServer.visits).toEqual([])
  })

  it('from the token endpoint is not followed, with a code or with a refresh token', async () => {
    const space = `redirected-${status}`
    server.handlers['/token'] = redirectToVictim()
    expect((await gateway.authorize(space)).searchParams.get('error')).toBe('authorization_unavailable')
    server.reset()
    server.accessTtlSeconds = 30
    await gateway.connect(space)
    server.handlers['/token'] = redirectToVictim()
    await gateway.call(space, { id: 1, method: 'tools/list' })
    expect(gateway.logs()).toContain('"credential.not_refreshed"')
    expect(victimServer.visits).toEqual([])
  })

  it('from the revocation endpoint is not followed', async () => {
    const space = `ended-${status}`
    await gateway.connect(space)
    server.handlers['/revoke'] = redirectToVictim()
    const receipt = await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    expect(await receipt.json()).toMatchObject({ status: 'disconnected', revocation: 'failed' })
    expect(victimServer.visits).toEqual([])
  })
})
