/** URLs end up in logs, histories and `Referer`, so credentials in the query are ignored (RFC 9700 §4.3.2; MCP: MUST NOT). */
import { describe, expect, it } from 'vitest'
import { SERVICE_TOKEN } from '../../support/gateway.ts'
import { call, clientFixture } from '../clients.ts'

const on = clientFixture()

describe.each(['/mcp/notion/spaces/north', '/mcp/notion/proxy'])('a credential in the query of %s', (path) => {
  it.each(['access_token', 'token', 'api_key', 'key', 'authorization'])('as %s is ignored', async (name) => {
    on.simulator.clearRecorded()
    const { key } = await on.newKey()
    const token = await on.issuer.token(`${on.gateway.url.replace('127.0.0.1', 'localhost')}${path}`)
    for (const credential of [key, token, SERVICE_TOKEN]) {
      const response = await call(
        undefined,
        `${on.gateway.url}${path}?${new URLSearchParams({ [name]: credential })}`,
        {
          headers: { 'x-space-id': 'north', 'x-user-id': 'ada' },
        },
      )
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer resource_metadata=/)
    }
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })
})

it('a credential in a form, a cookie or Basic authentication is ignored', async () => {
  const { key } = await on.newKey()
  const form = await call(undefined, on.endpoint(), {
    body: new URLSearchParams({ access_token: key }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const cookie = await call(undefined, on.endpoint(), { headers: { cookie: `access_token=${key}` } })
  const basic = await call(undefined, on.endpoint(), {
    headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
  })
  for (const { status } of [form, cookie, basic]) expect(status).toBe(401)
})

it('a credential in the query is not logged', async () => {
  const { key } = await on.newKey()
  await call(undefined, `${on.endpoint()}?access_token=${key}`)
  await call(key, `${on.endpoint()}?access_token=${key}`)
  expect(on.gateway.logs()).toContain('call.done')
  expect(on.gateway.logs()).not.toContain(key.slice(0, 12))
})
