/** What stands in an address stands in logs, histories and `Referer`. So nothing there proves anything (RFC 9700 §4.3.2, MCP: MUST NOT). */
import { describe, expect, it } from 'vitest'
import { SERVICE_TOKEN } from '../../support/gateway.ts'
import { call, scene } from '../clients.ts'

const on = scene()

describe.each(['/mcp/notion/spaces/north', '/mcp/notion/proxy'])('a credential in the query of %s', (path) => {
  it.each(['access_token', 'token', 'api_key', 'key', 'authorization'])('as %s opens nothing', async (name) => {
    on.simulator.clearRecorded()
    const { key } = await on.newKey()
    const token = await on.issuer.token(`${on.gateway.url.replace('127.0.0.1', 'localhost')}${path}`)
    for (const credential of [key, token, SERVICE_TOKEN]) {
      const answer = await call(undefined, `${on.gateway.url}${path}?${new URLSearchParams({ [name]: credential })}`, {
        headers: { 'x-space-id': 'north', 'x-user-id': 'ada' },
      })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer resource_metadata=/)
    }
    expect(on.simulator.recorded.mcpRequests).toEqual([])
  })
})

it('a credential in a form, in a cookie or in a part of the address for a name opens nothing', async () => {
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

it('a credential in the query is in no log', async () => {
  const { key } = await on.newKey()
  await call(undefined, `${on.endpoint()}?access_token=${key}`)
  await call(key, `${on.endpoint()}?access_token=${key}`)
  expect(on.gateway.logs()).toContain('call.done')
  expect(on.gateway.logs()).not.toContain(key.slice(0, 12))
})
