import { createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { probeResponse, probeKey, PROBE_PATHS } from '../src/probe.ts'

const TOKEN = 'a-service-token-of-the-tests'

const asked = (headers: Readonly<Record<string, string>>, more: { method?: string; url?: string } = {}) =>
  ({
    method: 'GET',
    url: PROBE_PATHS.web,
    headers: { host: 'notion.example.com', ...headers },
    rawHeaders: ['X-Forwarded-For', '203.0.113.9', 'x-forwarded-for', '10.0.0.2', 'Cookie', 'not=shown'],
    socket: { remoteAddress: '10.0.0.1', remotePort: 4711 },
    ...more,
  }) as unknown as IncomingMessage

const OPTIONS = { process: 'web', serviceTokens: ['another-token', TOKEN], clientAddress: '203.0.113.9' } as const

async function eventsOf(response: Response | undefined): Promise<string[]> {
  const text = (await response?.text()) ?? ''
  return text.split('\n\n').flatMap((event) => (event === '' ? [] : [event.slice('data: '.length)]))
}

describe('a probe', () => {
  it('with a proof returns the request in events, each with the proof of the process', async () => {
    const key = probeKey('web', TOKEN, Date.now())
    const events = await eventsOf(probeResponse(asked(key.headers), OPTIONS))
    const read = events.map((event) => key.read(event))
    expect(read[0]).toEqual({
      sentAfterMs: expect.any(Number),
      seen: {
        process: 'web',
        peer: { address: '10.0.0.1', port: 4711 },
        clientAddress: '203.0.113.9',
        host: 'notion.example.com',
        forwarded: { 'x-forwarded-for': '203.0.113.9, 10.0.0.2' },
      },
    })
    const times = read.map((event) => event?.sentAfterMs ?? -1)
    expect(times).toHaveLength(4)
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(200)
    // Another caller, and an event that somebody has changed.
    expect(probeKey('web', TOKEN, Date.now()).read(events[0] ?? '')).toBeUndefined()
    expect(key.read((events[0] ?? '').replace('10.0.0.1', '10.0.0.9'))).toBeUndefined()
    expect(key.read('<html>')).toBeUndefined()
  })

  const now = () => Date.now()
  const nonce = '0'.repeat(32)
  const withPath = (url: string) => ({ url })
  it.each([
    ['without a proof', () => asked({})],
    ['with the token itself', () => asked({ authorization: `Bearer ${TOKEN}`, 'x-gateway-probe': TOKEN })],
    ['with a proof of another token', () => asked(probeKey('web', 'a-token-of-nobody', now()).headers)],
    ['with a proof for the other process', () => asked(probeKey('gateway', TOKEN, now()).headers)],
    ['with a proof of six minutes ago', () => asked(probeKey('web', TOKEN, now() - 360_000).headers)],
    ['with a proof of the future', () => asked(probeKey('web', TOKEN, now() + 360_000).headers)],
    [
      'with a signature over something else',
      () => asked({ 'x-gateway-probe': `${now()}.${nonce}.${createHmac('sha256', TOKEN).digest('base64url')}` }),
    ],
    ['at another path', () => asked(probeKey('web', TOKEN, now()).headers, withPath('/api/other'))],
    ['by POST', () => asked(probeKey('web', TOKEN, now()).headers, { method: 'POST' })],
  ])('%s gets no response', (_, request) => expect(probeResponse(request(), OPTIONS)).toBeUndefined())
})
