import { describe, expect, it } from 'vitest'
import { call, LIST, modern, clientFixture, tool } from './clients.ts'

const on = clientFixture({
  CLIENT_REQUESTS_PER_MINUTE: '20',
  CLIENT_MAX_STREAMS: '2',
  CLIENT_MAX_CALLS: '3',
  CLIENT_MAX_BODY_BYTES: '2048',
})

/** Calls one at a time until the first rate limit. The token bucket refills meanwhile, so the number of calls varies. */
async function callUntilLimited(key: string) {
  const responses = []
  do responses.push(await call(key, on.endpoint()))
  while (responses.at(-1)?.status !== 429 && responses.length < 200)
  return responses
}

describe('limits of clients', () => {
  it('return 429 with Retry-After after too many requests, without affecting other clients', async () => {
    const { key } = await on.newKey()
    const other = await on.newKey()
    on.simulator.clearRecorded()
    const responses = await callUntilLimited(key)
    const { headers, rpc } = responses.pop() as (typeof responses)[0]
    expect(responses.length).toBeGreaterThanOrEqual(20)
    expect(responses.every(({ status }) => status === 200)).toBe(true)
    expect(on.simulator.recorded.mcpRequests).toHaveLength(responses.length)

    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(3)
    expect(rpc).toMatchObject({ id: 'a-list', error: { code: 1022, data: { reason: 'rate_limited' } } })
    expect(rpc.error?.data['retryAfterSeconds']).toBe(Number(headers.get('retry-after')))

    expect((await call(other.key, on.endpoint())).status).toBe(200)
    expect((await call(await on.token(), on.endpoint())).status).toBe(200)
  })

  it('count malformed requests against the rate limit', async () => {
    const { key } = await on.newKey()
    const rejected = Array.from({ length: 20 }, () => call(key, on.endpoint(), { body: '{' }))
    expect(new Set((await Promise.all(rejected)).map(({ status }) => status))).toEqual(new Set([400]))
    expect((await callUntilLimited(key)).length).toBeLessThan(20)
  })

  it('return 503 instead of 429 for server/discover, so that clients keep the newer protocol', async () => {
    const { key } = await on.newKey()
    const discover = modern({ ...LIST, method: 'server/discover' })
    const responses = await Promise.all(Array.from({ length: 30 }, () => call(key, on.endpoint(), { body: discover })))
    const limited = responses.filter(({ rpc }) => rpc.error?.data?.reason === 'rate_limited')
    expect(limited.length).toBeGreaterThan(0)
    // On 429 for `server/discover`, clients fall back to the older protocol.
    for (const { status, headers } of limited) expect([status, headers.has('retry-after')]).toEqual([503, true])
  })

  it('restrict the number of open streams', async () => {
    on.simulator.setOptions({ getStream: true, sessions: 'header' })
    const { key } = await on.newKey()
    const open = async () => {
      const abort = new AbortController()
      const response = await fetch(on.endpoint(), {
        headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' },
        signal: abort.signal,
      })
      return { response, close: () => abort.abort() }
    }
    const streams = [await open(), await open(), await open()]
    expect(streams.map(({ response }) => response.status)).toEqual([200, 200, 429])
    expect(streams[2]?.response.headers.get('retry-after')).toBe('5')
    expect((await call(key, on.endpoint())).status).toBe(200)
    streams[0]?.close()
    await expect
      .poll(async () => {
        const { response, close } = await open()
        close()
        return response.status
      })
      .toBe(200)
    for (const { close } of streams) close()
    on.simulator.setOptions({ getStream: false, sessions: 'none' })
  })

  it('restrict the number of calls in progress', async () => {
    const { key } = await on.newKey()
    on.simulator.clearRecorded()
    const abort = new AbortController()
    const wait = () =>
      call(key, on.endpoint(), { body: tool('simulator-wait'), signal: abort.signal }).catch(() => undefined)
    const waiting = [wait(), wait(), wait()]
    await expect.poll(() => on.simulator.recorded.mcpRequests.length).toBe(3)
    const rejected = await call(key, on.endpoint())
    expect(rejected.status).toBe(429)
    expect(rejected.headers.get('retry-after')).toBe('1')
    abort.abort()
    await Promise.all(waiting)
    await expect.poll(async () => (await call(key, on.endpoint())).status).toBe(200)
  })

  it('restrict the size of request bodies, except for applications', async () => {
    const { key } = await on.newKey()
    const search = tool('notion-search', { query: 'x'.repeat(3000) })
    const response = await call(key, on.endpoint(), { body: search })
    expect(response.status).toBe(413)
    expect(response.rpc.error?.data.reason).toBe('too_large')
    expect((await on.gateway.call('north', search)).status).toBe(200)
  })
})

describe('an application', () => {
  it('is not subject to the limits of clients', async () => {
    for (let i = 0; i < 30; i++) expect((await on.gateway.call('north', LIST)).status).toBe(200)
  })
})
