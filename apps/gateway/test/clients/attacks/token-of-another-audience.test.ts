/** A token that was issued for another resource is rejected (RFC 8707, RFC 9068 §4). */
import { describe, expect, it } from 'vitest'
import { call, clientFixture } from '../clients.ts'

const on = clientFixture()
const base = () => on.gateway.url.replace('127.0.0.1', 'localhost')

describe('a token for', () => {
  it.each([
    ['another server', () => 'https://mcp.example/mcp'],
    ['Notion', () => on.simulator.mcpUrl],
    ['the gateway as a whole', () => base()],
    ['the endpoint without a space', () => `${base()}/mcp/notion/proxy`],
    ['the endpoint of another space', () => on.resource('south')],
    ['the endpoint with a trailing slash', () => `${on.resource()}/`],
    ['the endpoint in another spelling', () => on.resource().replace('north', '%6Eorth')],
    ['the endpoint under another host', () => on.resource().replace('localhost', '127.0.0.1')],
    ['nothing', () => undefined],
    ['a list of others', () => ['https://mcp.example/mcp', base()]],
  ])('%s is rejected', async (_, audience) => {
    on.simulator.clearRecorded()
    const response = await call(await on.token('north', { aud: audience() }), on.endpoint())
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })

  it('one endpoint is rejected at another, even if it was used at its own before', async () => {
    const token = await on.token()
    expect((await call(token, on.endpoint())).status).toBe(200)
    for (const path of ['/mcp/notion/proxy', '/mcp/notion/spaces/south']) {
      expect((await call(token, on.gateway.url + path)).status).toBe(401)
    }
    expect((await call(token, on.endpoint())).status).toBe(200)
  })

  it('an endpoint is rejected by the routes for applications', async () => {
    const token = await on.token()
    for (const path of [
      '/access/keys?space_id=north',
      '/access/clients?space_id=north',
      '/integrations/notion/north',
    ]) {
      const response = await fetch(on.gateway.url + path, {
        headers: { authorization: `Bearer ${token}`, 'x-user-id': 'ada' },
      })
      expect(response.status).toBe(401)
    }
  })
})
