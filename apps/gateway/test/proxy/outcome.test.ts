/** Every way in which a forwarded request can fail, before and after it may have left, and the response that the caller gets. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { mayHaveBeenSent, Problem, problems } from '@nmg/contract'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../src/platform/failure.ts'
import { type Between, betweenTwo } from './between-two.ts'
import { proxyUnderTest } from './proxy-under-test.ts'
import { head, post, rawCaller, type RawAnswer } from './raw-caller.ts'
import { answer, type RawRequest } from './raw-upstream.ts'

const INVITATION = /try again|retry|open it again|repeat it soon/i

const requests = {
  'a write': [
    post('{"id":1,"method":"tools/call","params":{"name":"notion-update-page"}}'),
    /may have carried out the request: check in Notion before you repeat it\.$/,
  ],
  'a call of an unknown method': [post('{"id":1,"method":"future/method"}'), /check in Notion before you repeat it\.$/],
  'a response to the server': [
    post('{"id":1,"result":{"action":"accept"}}'),
    /check in Notion before you repeat it\.$/,
  ],
  'a batch with one write': [
    post('[{"id":1,"method":"tools/list"},{"id":2,"method":"tools/call","params":{"name":"x"}}]'),
    /check in Notion before you repeat it\.$/,
  ],
  'a read': [
    post('{"id":1,"method":"tools/call","params":{"name":"notion-search"}}'),
    /only reads, so it changed nothing in Notion\.$/,
  ],
  'a list': [post('{"id":1,"method":"tools/list"}'), /only reads, so it changed nothing in Notion\.$/],
  'a GET stream': [head('GET'), /only listens, so it changed nothing in Notion\.$/],
  'a subscription': [post('{"id":1,"method":"subscriptions/listen"}'), /only listens, so it changed nothing/],
  'the end of a session': [head('DELETE'), /The MCP session may have ended\.$/],
} as const

/** Ends a request that upstream has received: the status, and what the message begins with. */
const interruptions: Record<string, [number, RegExp, (between: Between, request: RawRequest) => void]> = {
  'the connection ends': [502, /^The connection to Notion broke/, (_, { socket }) => void socket.end()],
  'the connection is reset': [502, /^The connection to Notion broke/, (_, { socket }) => void socket.resetAndDestroy()],
  'the response is no HTTP': [
    502,
    /^The connection to Notion broke/,
    (_, { socket }) => void socket.write('SSH-2.0\r\n'),
  ],
  'the response is a redirect': [
    502,
    /^Notion answered with a redirect/,
    (_, { socket }) => void socket.write(answer('303 See Other', ['Location: /elsewhere'])),
  ],
  'nothing arrives in time': [504, /^Notion did not begin to respond/, () => {}],
  'the gateway stops': [503, /^This gateway stopped/, ({ proxy }) => void proxy.drain(0)],
  'the space is disconnected': [
    503,
    /^Notion was disconnected from this space/,
    ({ proxy }) => proxy.end('north', new Failure('not_connected', 'Connect Notion first.')),
  ],
  'the access is revoked': [
    503,
    /^This access was revoked/,
    ({ proxy }) => proxy.end('north', new Failure('unauthenticated', 'This access was revoked. Log in again.')),
  ],
  'the session cannot be stored': [
    503,
    /^The gateway's database failed/,
    ({ proxy }, { socket }) => {
      proxy.sessions.before(() =>
        Promise.reject(new Failure('store_unavailable', 'Try again in a moment.', { retryAfterSeconds: 2 })),
      )
      socket.write(answer('200 OK', ['Mcp-Session-Id: new'], '{}'))
    },
  ],
  'the gateway has a fault': [
    502,
    /^The gateway could not pass on the response/,
    ({ proxy }, { socket }) => {
      proxy.sessions.before(() => Promise.reject(new Error('a fault')))
      socket.write(answer('200 OK', ['Mcp-Session-Id: new'], '{}'))
    },
  ],
}

function expectUnknown({ status, header, body }: RawAnswer, expected: number, what: RegExp, consequence: RegExp): void {
  const problem = Problem.parse(JSON.parse(body.toString()))
  expect([status, problem.code, problem.status]).toEqual([expected, 'outcome_unknown', expected])
  expect(problem.detail).toMatch(what)
  expect(problem.detail).toMatch(consequence)
  expect(problem.detail).not.toMatch(INVITATION)
  expect([header('retry-after'), header('www-authenticate')]).toEqual([[], []])
}

describe('a request that upstream has received', () => {
  const between = betweenTwo({ headTimeoutMs: 400 })

  for (const [how, [status, what, interrupt]] of Object.entries(interruptions)) {
    it.each(Object.entries(requests))(`has an unknown outcome when ${how}: %s`, async (_, [bytes, consequence]) => {
      between.upstream.answers((request) => interrupt(between, request))
      between.caller.send(bytes)
      expectUnknown(await between.caller.answer(), status, what, consequence)
    })
  }
})

describe('a request that never left', () => {
  /** A server that takes connections and never answers the TLS handshake: no request can be written to it. */
  async function neverReady() {
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const close = () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    return { url: new URL(`https://127.0.0.1:${port}/mcp`), sockets, close }
  }

  it.each([
    ['the connection is refused', 502, 'upstream_unreachable', { headTimeoutMs: 10_000 }, 'close'],
    ['the connection is not ready in time', 502, 'upstream_unreachable', { connectTimeoutMs: 300 }, 'wait'],
    [
      'no connection is ready within the time for a response',
      502,
      'upstream_unreachable',
      { headTimeoutMs: 300 },
      'wait',
    ],
    ['the gateway stops meanwhile', 503, 'overloaded', {}, 'drain'],
    ['the space is disconnected meanwhile', 404, 'not_connected', {}, 'end'],
  ] as const)('is reported as such when %s', async (_, status, code, settings, event) => {
    const upstream = await neverReady()
    if (event === 'close') upstream.close()
    const proxy = await proxyUnderTest(upstream.url, settings)
    const caller = await rawCaller(proxy.port)
    caller.send(requests['a write'][0])
    if (event !== 'close') await expect.poll(() => upstream.sockets.length).toBe(1)
    if (event === 'drain') void proxy.drain(0)
    if (event === 'end') proxy.end('north', new Failure('not_connected', 'Connect Notion first.'))
    const { status: given, body } = await caller.answer()
    const problem = Problem.parse(JSON.parse(body.toString()))
    expect([given, problem.code]).toEqual([status, code])
    expect(mayHaveBeenSent(problem.code)).toBe(false)
    caller.socket.destroy()
    await proxy.close()
    upstream.close()
  })
})

describe('the classification of problem codes', () => {
  it('covers every code', () => {
    const sent = Object.keys(problems).filter(mayHaveBeenSent)
    expect(sent).toEqual(['upstream_timeout', 'outcome_unknown', 'internal'])
  })

  it.each(['', 'a_code_of_a_later_release', 'toString', '__proto__'])(
    'counts the unknown code "%s" as sent',
    (code) => {
      expect(mayHaveBeenSent(code)).toBe(true)
    },
  )
})
