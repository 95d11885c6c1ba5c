/** The forms of one request that real clients and proxies send, at the MCP endpoint and at the routes beside it. */
import { describe, expect, it } from 'vitest'
import { clientFixture } from './clients/clients.ts'
import { SERVICE_TOKEN } from './support/gateway.ts'
import { answersTo, type PlainRequest, requestForms } from './support/request-forms.ts'

const on = clientFixture()
/** Answered shortly, and always alike. */
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
const portOf = () => Number(new URL(on.gateway.url).port)

const endpoints: Record<string, () => Promise<PlainRequest>> = {
  'the MCP endpoint of a space': async () => ({
    target: '/mcp/notion/spaces/north?a=b',
    host: `localhost:${portOf()}`,
    lines: [
      `Authorization: Bearer ${(await on.newKey()).key}`,
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
    ],
    body: PING,
  }),
  'the MCP endpoint for applications': async () => ({
    target: '/mcp/notion/proxy',
    host: `127.0.0.1:${portOf()}`,
    lines: [
      `Authorization: Bearer ${SERVICE_TOKEN}`,
      'X-User-ID: ada',
      'X-Space-ID: north',
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
    ],
    body: PING,
  }),
  'a route with a JSON body': async () => ({
    target: '/access/revocations',
    host: `localhost:${portOf()}`,
    lines: [`Authorization: Bearer ${SERVICE_TOKEN}`, 'X-User-ID: ada', 'Content-Type: application/json'],
    body: JSON.stringify({ spaceId: 'north', userId: 'somebody' }),
  }),
}

describe.each(Object.entries(endpoints))('%s', (_, request) => {
  it.each(requestForms.map((one) => [one.name, one] as const))('answers a request with %s', async (__, one) => {
    const plain = await request()
    const [usual] = await answersTo(portOf(), requestForms[0]?.bytes(plain) as Buffer)
    expect([200, 204]).toContain(usual?.status)
    const count = 'served' in one.expected ? one.expected.served : 1
    const answers = await answersTo(portOf(), one.bytes(plain), count, one.method)
    if ('served' in one.expected) {
      expect(answers.map(({ status, body }) => [status, body])).toEqual(
        Array.from({ length: count }, () => [usual?.status, usual?.body]),
      )
    } else {
      expect(answers).toHaveLength(1)
      expect(one.expected.statuses).toContain(answers[0]?.status)
    }
    for (const [name, pattern] of Object.entries(one.headers ?? {})) expect(answers[0]?.headers[name]).toMatch(pattern)
  })
})
