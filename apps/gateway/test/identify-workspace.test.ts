/** Identification of the workspace: an unexpected response ends it at once, so that it does not delay the consent. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { identifyWorkspace } from '../src/connections/identify-workspace.ts'
import type { Log } from '../src/platform/log.ts'
import { Secret } from '../src/platform/secret.ts'

type ToolHandler = (res: ServerResponse, id: unknown, req: IncomingMessage) => void

const workspace = { id: 'w1', name: 'Acme' }
const results: Record<string, object> = {
  initialize: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'n', version: '1' } },
  'tools/call': { content: [{ type: 'text', text: JSON.stringify({ self: { workspace } }) }] },
}
let handlers: Record<string, ToolHandler>
let seen: string[]
let url: URL
let result: object
const server = createServer((req, res) => {
  void text(req).then((body) => {
    const { method = req.method ?? '', id } = (body === '' ? {} : JSON.parse(body)) as { method?: string; id?: unknown }
    seen.push(method)
    result = results[method] ?? {}
    const handle = handlers[method]
    if (handle) handle(res, id, req)
    else if (id === undefined) res.writeHead(202).end()
    else json({ result })(res, id, req)
  })
})
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
})
afterEach(() => server.closeAllConnections())
afterAll(() => server.close())

const raw =
  (
    status: number,
    type: string | undefined,
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): ToolHandler =>
  (res) => {
    res.writeHead(status, { ...(type && { 'content-type': type }), ...headers })
    res.end(body)
  }
const json =
  (message: object, headers: Record<string, string> = {}): ToolHandler =>
  (res, id, req) =>
    raw(200, 'application/json', JSON.stringify({ jsonrpc: '2.0', id, ...message }), headers)(res, id, req)
const event = (message: object) => `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`
const stream =
  (write: (res: ServerResponse, id: unknown) => void): ToolHandler =>
  (res, id) => {
    res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    write(res, id)
  }

const warnings: unknown[] = []
const log: Log = { debug() {}, info() {}, error() {}, warn: (_event, facts) => void warnings.push(facts) }

async function identify(given: Record<string, ToolHandler> = {}) {
  handlers = given
  seen = []
  return identifyWorkspace(url, log)(new Secret('token'))
}

describe('a workspace is identified', () => {
  it.each<[string, ToolHandler]>([
    ['JSON', (res, id, req) => json({ result })(res, id, req)],
    [
      'JSON in a batch',
      (res, id) => raw(200, 'application/json', JSON.stringify([{ jsonrpc: '2.0', id, result }]))(res, id, res.req),
    ],
    ['an event stream', stream((res, id) => res.end(event({ id, result })))],
    [
      'a stream that starts with a priming event and notifications',
      stream((res, id) => {
        res.write(': ping\n\nid: 1\ndata:\n\nevent: other\ndata: x\n\n')
        res.write(event({ method: 'notifications/message', params: { level: 'info', data: 'x' } }))
        res.end(event({ id, result }))
      }),
    ],
    ['a stream that the server keeps open', stream((res, id) => res.write(event({ id, result })))],
    [
      'gzip',
      (res, id, req) =>
        raw(200, 'application/json', gzipSync(JSON.stringify({ jsonrpc: '2.0', id, result })), {
          'content-encoding': 'gzip',
        })(res, id, req),
    ],
  ])('from %s', async (_what, handler) => {
    expect(await identify({ initialize: handler, 'tools/call': handler })).toEqual(workspace)
    expect(seen.slice(0, 3)).toEqual(['initialize', 'notifications/initialized', 'tools/call'])
  })

  it('in a session, which is ended without waiting for the server', async () => {
    const begin = json({ result: results['initialize'] }, { 'mcp-session-id': 's1' })
    expect(await identify({ initialize: begin, DELETE: () => {} })).toEqual(workspace)
    await expect.poll(() => seen.at(-1)).toBe('DELETE')
  })
})

const ODD: [string, ToolHandler][] = [
  ...[202, 204, 205].map((status): (typeof ODD)[0] => [`${status}`, raw(status, undefined, '')]),
  ...[301, 307, 400, 401, 403, 404, 405, 429, 500, 503].map((status): (typeof ODD)[0] => [
    `${status}`,
    raw(status, 'text/html', 'no', { location: '/elsewhere' }),
  ]),
  ['an empty 200', raw(200, undefined, '')],
  ['an empty JSON document', raw(200, 'application/json', '')],
  ['a web page', raw(200, 'text/html', '<!doctype html>')],
  ['a web page that is called JSON', raw(200, 'application/json', '<!doctype html>')],
  ...['{}', 'null', '[]', '7', '"x"', '{"ok":true}', '{"jsonrpc":"2.0","method":"ping"}'].map(
    (body): (typeof ODD)[0] => [`JSON ${body}`, raw(200, 'application/json', body)],
  ),
  ['a response to another request', (res, _id, req) => json({ result })(res, 'other', req)],
  ['a JSON-RPC error', json({ error: { code: -32601, message: 'no' } })],
  ['a response without a result', json({})],
  ['a result of another form', json({ result: { odd: true } })],
  ['an empty event stream', stream((res) => res.end())],
  ['a stream that ends after a priming event', stream((res) => res.end('id: 1\nretry: 60000\ndata:\n\n'))],
  ['a stream with another response', stream((res) => res.end(event({ id: 'other', result: {} })))],
  ['a stream that is no JSON', stream((res) => res.end('data: hello\n\n'))],
  ['a stream that breaks off', stream((res) => void res.write(': ping\n\n', () => res.destroy()))],
  ['a connection that breaks off', (res) => res.destroy()],
]

describe.each(['initialize', 'tools/call'])('a response to %s that is', (method) => {
  it.each(ODD)('not after %s, which ends the identification at once', async (_what, odd) => {
    const begun = performance.now()
    expect(await identify({ [method]: odd })).toBeUndefined()
    expect(performance.now() - begun).toBeLessThan(3_000)
    expect(seen.filter((name) => name === method)).toHaveLength(1)
  })

  it.each<[string, string, string]>([
    ['JSON', 'application/json', '{"jsonrpc":"2.0","result":"'],
    ['an event stream', 'text/event-stream', 'data: '],
    ['an event stream of many events', 'text/event-stream', ': ping\n\n'],
    ['an error page', 'text/html', ''],
  ])('not from an endless response (%s), which is read up to a megabyte', async (_what, type, start) => {
    let sent = 0
    let isEnded = false
    const chunk = type === 'text/event-stream' && start.startsWith(':') ? start.repeat(8192) : 'x'.repeat(65_536)
    const endless: ToolHandler = (res) => {
      res.writeHead(type === 'text/html' ? 500 : 200, { 'content-type': type })
      res.write(start)
      const more = () => {
        while (!res.destroyed && sent < 400e6) {
          sent += chunk.length
          if (!res.write(chunk)) return void res.once('drain', more)
        }
      }
      res.on('close', () => (isEnded = true))
      more()
    }
    expect(await identify({ [method]: endless })).toBeUndefined()
    await expect.poll(() => isEnded).toBe(true)
    // Includes the socket buffers of both sides.
    expect(sent).toBeLessThan(20e6)
  })
})

it('logs the failure of an identification without text of the server', async () => {
  warnings.length = 0
  await identify({ initialize: raw(200, 'text/html', 'evil text') })
  expect(warnings).toHaveLength(1)
  expect(JSON.stringify(warnings)).not.toContain('evil')
})
