/** Documents that are too large, or whose transfer never ends, must not exhaust memory or block requests, and are rejected. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { type Handler, foreignServer, type ForeignServer } from '../../support/foreign-server.ts'

let server: ForeignServer
let gateway: InProcessGateway

beforeAll(async () => {
  server = await foreignServer('127.0.0.1')
  gateway = await startGateway({ mcpUrl: server.mcpUrl })
})
afterEach(() => server.reset())
afterAll(async () => {
  await gateway.stop()
  server.close()
})

const documents = ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-authorization-server', '/register']

/** A valid document after a megabyte of spaces. */
const oversize: Handler = (_req, res) => res.end(`${' '.repeat(1024 * 1024)}{}`)
/** Sends one byte at a time, without end. */
const trickle: Handler = (_req, res) => {
  res.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => res.write(' '), 50)
  res.on('close', () => clearInterval(timer))
}
const silence: Handler = () => {}

describe.concurrent.each([
  ['is too large', oversize],
  ['never ends', trickle],
  ['never begins', silence],
])('a document that %s', (_description, answer) => {
  it.each(documents)('is aborted: %s', async (path) => {
    const other = await foreignServer('127.0.0.1')
    const ownGateway = await startGateway({ mcpUrl: other.mcpUrl })
    try {
      other.handlers[path] = answer
      const response = await ownGateway.fetch('/integrations/notion/oauth/mcp/start?space_id=north')
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ code: 'authorization_unavailable' })
    } finally {
      await ownGateway.stop()
      other.close()
    }
  })
})

it('a token response that is too large is rejected, and the attempt stays in doubt', async () => {
  server.accessTtlSeconds = 30
  await gateway.connect('north')
  server.handlers['/token'] = oversize
  expect((await gateway.call('north', { id: 1, method: 'tools/list' })).status).toBe(200)
  expect(gateway.logs()).toMatch(/"outcome":"in_doubt".*"credential.not_refreshed"/)
  expect((await gateway.connection('north')).status).toBe('connected')
})
