import { describe, expect, it } from 'vitest'
import { call, LIST, modern, scene, tool } from './clients.ts'

const on = scene({
  CLIENT_REQUESTS_PER_MINUTE: '20',
  CLIENT_MAX_STREAMS: '2',
  CLIENT_MAX_CALLS: '3',
  CLIENT_MAX_BODY_BYTES: '2048',
})

/** Calls, one after the other, up to the first that is refused for its number. What may be sent grows again meanwhile, so how many is not certain. */
async function untilLimited(key: string) {
  const answers = []
  do answers.push(await call(key, on.endpoint()))
  while (answers.at(-1)?.status !== 429 && answers.length < 200)
  return answers
}

describe('a client', () => {
  it('that sends too much too fast is told when to come back, and others are not kept waiting', async () => {
    const { key } = await on.newKey()
    const other = await on.newKey()
    on.simulator.clearRecorded()
    const answers = await untilLimited(key)
    const { headers, rpc } = answers.pop() as (typeof answers)[0]
    expect(answers.length).toBeGreaterThanOrEqual(20)
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(on.simulator.recorded.mcpRequests).toHaveLength(answers.length)

    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(3)
    expect(rpc).toMatchObject({ id: 'a-list', error: { code: 1022, data: { reason: 'rate_limited' } } })
    expect(rpc.error?.data['retryAfterSeconds']).toBe(Number(headers.get('retry-after')))

    expect((await call(other.key, on.endpoint())).status).toBe(200)
    expect((await call(await on.token(), on.endpoint())).status).toBe(200)
  })

  it('that sends what cannot be understood is counted as well', async () => {
    const { key } = await on.newKey()
    const refused = Array.from({ length: 20 }, () => call(key, on.endpoint(), { body: '{' }))
    expect(new Set((await Promise.all(refused)).map(({ status }) => status))).toEqual(new Set([400]))
    expect((await untilLimited(key)).length).toBeLessThan(20)
  })

  it('is not sent back to an older protocol by a limit', async () => {
    const { key } = await on.newKey()
    const discover = modern({ ...LIST, method: 'server/discover' })
    const answers = await Promise.all(Array.from({ length: 30 }, () => call(key, on.endpoint(), { body: discover })))
    const limited = answers.filter(({ rpc }) => rpc.error?.data?.reason === 'rate_limited')
    expect(limited.length).toBeGreaterThan(0)
    // With 429, clients that ask so which protocol to speak take the older one.
    for (const { status, headers } of limited) expect([status, headers.has('retry-after')]).toEqual([503, true])
  })

  it('has so many streams open and no more', async () => {
    on.simulator.setOptions({ getStream: true, sessions: 'header' })
    const { key } = await on.newKey()
    const open = async () => {
      const leave = new AbortController()
      const response = await fetch(on.endpoint(), {
        headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' },
        signal: leave.signal,
      })
      return { response, leave: () => leave.abort() }
    }
    const streams = [await open(), await open(), await open()]
    expect(streams.map(({ response }) => response.status)).toEqual([200, 200, 429])
    expect(streams[2]?.response.headers.get('retry-after')).toBe('5')
    expect((await call(key, on.endpoint())).status).toBe(200)
    streams[0]?.leave()
    await expect
      .poll(async () => {
        const { response, leave } = await open()
        leave()
        return response.status
      })
      .toBe(200)
    for (const { leave } of streams) leave()
    on.simulator.setOptions({ getStream: false, sessions: 'none' })
  })

  it('has so many calls under way and no more', async () => {
    const { key } = await on.newKey()
    on.simulator.clearRecorded()
    const leave = new AbortController()
    const wait = () =>
      call(key, on.endpoint(), { body: tool('simulator-wait'), signal: leave.signal }).catch(() => undefined)
    const waiting = [wait(), wait(), wait()]
    await expect.poll(() => on.simulator.recorded.mcpRequests.length).toBe(3)
    const refused = await call(key, on.endpoint())
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('1')
    leave.abort()
    await Promise.all(waiting)
    await expect.poll(async () => (await call(key, on.endpoint())).status).toBe(200)
  })

  it('sends bodies up to a size, applications larger ones', async () => {
    const { key } = await on.newKey()
    const search = tool('notion-search', { query: 'x'.repeat(3000) })
    const answer = await call(key, on.endpoint(), { body: search })
    expect(answer.status).toBe(413)
    expect(answer.rpc.error?.data.reason).toBe('too_large')
    expect((await on.gateway.call('north', search)).status).toBe(200)
  })
})

describe('an application', () => {
  it('is not counted as a client', async () => {
    for (let i = 0; i < 30; i++) expect((await on.gateway.call('north', LIST)).status).toBe(200)
  })
})
