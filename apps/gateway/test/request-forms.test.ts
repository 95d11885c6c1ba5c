/** The forms of one request that clients and proxies send, at the MCP endpoints and at another route. */
import { plainForm, requestForms, sendRaw, type FormTarget } from '@nmg/process/testing'
import { describe, expect, it } from 'vitest'
import { clientFixture } from './clients/clients.ts'
import { SERVICE_TOKEN } from './support/gateway.ts'

const on = clientFixture()
/** Has the same response each time. */
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
const ACCEPT = 'Accept: application/json, text/event-stream'

const endpoints: Record<string, () => Promise<FormTarget['post']>> = {
  'the MCP endpoint of a space': async () => ({
    path: '/mcp/notion/spaces/north?a=b',
    headers: [`Authorization: Bearer ${(await on.newKey()).key}`, ACCEPT],
    body: PING,
  }),
  'the MCP endpoint for applications': async () => ({
    path: '/mcp/notion/proxy',
    headers: [`Authorization: Bearer ${SERVICE_TOKEN}`, 'X-User-ID: ada', 'X-Space-ID: north', ACCEPT],
    body: PING,
  }),
  'a route with a JSON body': async () => ({
    path: '/access/revocations',
    headers: [`Authorization: Bearer ${SERVICE_TOKEN}`, 'X-User-ID: ada'],
    body: JSON.stringify({ spaceId: 'north', userId: 'somebody' }),
  }),
}
const forms = requestForms.filter((form) => form.on === 'post' && !form.needsLimit)

describe.each(Object.entries(endpoints))('%s', (endpoint, post) => {
  /** The routes for applications accept JSON of any type. */
  const checksType = endpoint !== 'a route with a JSON body'

  it.each(forms.filter(({ needsTypeCheck }) => checksType || !needsTypeCheck))(
    'responds to $name as HTTP requires',
    async ({ name: form, request, expected, headers = {} }) => {
      const port = Number(new URL(on.gateway.url).port)
      const target = { port, host: `localhost:${port}`, post: await post() }
      const [plain] = await sendRaw(port, plainForm('post').request(target))
      expect([200, 204]).toContain(plain?.status)
      if ('served' in expected) {
        const responses = await sendRaw(port, request(target), expected.served)
        expect(responses.map(({ status, body }) => [status, body])).toEqual(
          Array.from({ length: expected.served }, () => [plain?.status, plain?.body]),
        )
        return
      }
      const responses = await sendRaw(port, request(target))
      expect(responses).toHaveLength(1)
      expect(expected.statuses, responses[0]?.body).toContain(responses[0]?.status)
      for (const [name, pattern] of Object.entries(headers)) expect(responses[0]?.headers[name]).toMatch(pattern)
      if (form.startsWith('OPTIONS of')) expect(responses[0]?.headers['allow']).toMatch(/\b(GET|POST)\b/)
    },
  )
})
