/** A redirect would lead past every check of the address that was named, and take a form with its secrets along. */
import { victim, type Victim } from '@nmg/process/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { foreignServer, redirect, type ForeignServer } from '../../support/foreign-server.ts'

let server: ForeignServer
let near: Victim
let gateway: InProcessGateway

beforeAll(async () => {
  server = await foreignServer('127.0.0.1')
  near = await victim()
  gateway = await startGateway({ mcpUrl: server.mcpUrl })
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

const start = () => gateway.fetch('/integrations/notion/oauth/mcp/start?space_id=north')

describe.each([301, 302, 303, 307, 308])('a redirect by %d', (status) => {
  const away = () => redirect(`http://127.0.0.1:${near.port}/`, status)

  it.each(['/mcp', '/.well-known/oauth-authorization-server', '/register'])('from %s is not followed', async (path) => {
    server.answers[path] = away()
    await start()
    expect(near.visits).toEqual([])
  })

  it("from the resource's metadata is not followed", async () => {
    server.answers['/.well-known/oauth-protected-resource/mcp'] = away()
    // Then the MCP server itself is looked at as the authorization server.
    await start()
    expect(near.visits).toEqual([])
  })

  it('from the token endpoint is not followed, with a code or with a refresh token', async () => {
    const space = `redirected-${status}`
    server.answers['/token'] = away()
    expect((await gateway.authorize(space)).searchParams.get('error')).toBe('authorization_unavailable')
    server.reset()
    server.accessTtlSeconds = 30
    await gateway.connect(space)
    server.answers['/token'] = away()
    await gateway.call(space, { id: 1, method: 'tools/list' })
    expect(gateway.logs()).toContain('"credential.not_refreshed"')
    expect(near.visits).toEqual([])
  })

  it('from the revocation endpoint is not followed', async () => {
    const space = `ended-${status}`
    await gateway.connect(space)
    server.answers['/revoke'] = away()
    const receipt = await gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    expect(await receipt.json()).toMatchObject({ status: 'disconnected', revocation: 'failed' })
    expect(near.visits).toEqual([])
  })
})
