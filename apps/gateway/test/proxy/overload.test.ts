import { describe, expect, it, vi } from 'vitest'
import { betweenTwo } from './between-two.ts'
import { head, post, type RawAnswer } from './raw-caller.ts'
import { json, streamHead } from './raw-upstream.ts'

const north = post('{}')
const south = post('{}', 'X-Space-ID: south')

function problem({ body }: RawAnswer): { code: string; detail: string } {
  return JSON.parse(body.toString()) as never
}

describe('a space with as many calls under way as it may have', () => {
  const between = betweenTwo({ limits: { calls: 10, callsPerSpace: 2, queued: 10, queuedPerSpace: 2 } })

  /** Sends it on a connection of its own; the answer is for whoever wants it. */
  async function send(bytes: string | Buffer) {
    const caller = await between.another()
    caller.send(bytes)
    return caller
  }

  it('has the next ones wait for their turn, in order, and one too many refused at once', async () => {
    between.upstream.answers(() => {})
    for (const id of [1, 2]) await send(post(`{"id":${id}}`))
    await between.upstream.request(1)
    const third = await send(post('{"id":3}'))
    const fourth = await send(post('{"id":4}'))
    await vi.waitFor(async () => {
      const answer = await (await send(post('{"id":5}'))).answer()
      expect([answer.status, problem(answer).code, answer.header('retry-after')]).toEqual([503, 'overloaded', ['1']])
    })
    expect(between.upstream.requests).toHaveLength(2)

    between.upstream.requests[0]?.socket.write(json('{}'))
    expect((await between.upstream.request(2)).body.toString()).toBe('{"id":3}')
    between.upstream.requests[1]?.socket.write(json('{}'))
    expect((await between.upstream.request(3)).body.toString()).toBe('{"id":4}')
    for (const request of between.upstream.requests.slice(2)) request.socket.write(json('{}'))
    expect((await third.answer()).status).toBe(200)
    expect((await fourth.answer()).status).toBe(200)
  })

  it('does not hold up another space', async () => {
    between.upstream.answers(({ socket }) => {
      if (between.upstream.requests.length > 2) socket.write(json('{}'))
    })
    for (let i = 0; i < 4; i++) await send(north)
    await between.upstream.request(1)
    expect((await (await send(south)).answer()).status).toBe(200)
  })

  it('takes the next one when a caller has gone, and forgets a waiting one that has gone', async () => {
    between.upstream.answers(() => {})
    const first = await send(north)
    await send(north)
    await between.upstream.request(1)
    const gone = await send(post('{"id":"gone"}'))
    await send(post('{"id":"next"}'))
    await vi.waitFor(async () => expect((await (await send(north)).answer()).status).toBe(503))
    const records = between.proxy.records.length
    gone.socket.destroy()
    await between.proxy.done(records + 1)
    first.socket.destroy()
    expect((await between.upstream.request(2)).body.toString()).toBe('{"id":"next"}')
    expect(between.upstream.requests).toHaveLength(3)
  })

  it('may still open streams', async () => {
    between.upstream.answers(({ socket, method }) => {
      if (method === 'GET') socket.write(streamHead())
    })
    for (let i = 0; i < 2; i++) await send(north)
    await between.upstream.request(1)
    expect((await (await send(head('GET'))).head()).status).toBe(200)
  })
})

describe('a call that waits for its turn', () => {
  const between = betweenTwo({ limits: { callsPerSpace: 1, queueMs: 200 } })

  it('is refused when it does not come in time', async () => {
    between.upstream.answers(() => {})
    between.caller.send(north)
    await between.upstream.request(0)
    const other = await between.another()
    other.send(north)
    const answer = await other.answer()
    expect([answer.status, problem(answer).code]).toEqual([503, 'overloaded'])
    expect(between.upstream.requests).toHaveLength(1)
  })
})

describe('a gateway with as many calls under way as it may have', () => {
  const between = betweenTwo({ limits: { calls: 2, callsPerSpace: 2, queued: 4 } })

  it('lets the spaces that wait take turns', async () => {
    between.upstream.answers(() => {})
    const send = async (bytes: Buffer) => (await between.another()).send(bytes)
    for (const id of [1, 2]) await send(post(`{"n":${id}}`))
    await between.upstream.request(1)
    // Each on record before the next: the order of arrival decides.
    for (const bytes of [
      post('{"n":3}'),
      post('{"n":4}'),
      post('{"s":1}', 'X-Space-ID: south'),
      post('{"s":2}', 'X-Space-ID: south'),
    ]) {
      await send(bytes)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    for (let done = 0; done < 4; done++) {
      between.upstream.requests[done]?.socket.write(json('{}'))
      await between.upstream.request(done + 2)
    }
    expect(between.upstream.requests.map(({ body }) => body.toString()).slice(2)).toEqual([
      '{"n":3}',
      '{"s":1}',
      '{"n":4}',
      '{"s":2}',
    ])
  })

  it('refuses what is beyond its queue at once', async () => {
    between.upstream.answers(() => {})
    const send = async (bytes: Buffer) => {
      const caller = await between.another()
      caller.send(bytes)
      return caller
    }
    for (const space of ['a', 'b', 'c', 'd', 'e', 'f']) await send(post('{}', `X-Space-ID: ${space}`))
    await between.upstream.request(1)
    await vi.waitFor(async () => expect((await (await send(post('{}', 'X-Space-ID: g'))).answer()).status).toBe(503))
    expect(between.upstream.requests).toHaveLength(2)
  })
})

describe('streams', () => {
  const between = betweenTwo({ limits: { streams: 3, streamsPerSpace: 2 } })
  const listen = post('{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}')

  it.each([
    ['a space', head('GET'), head('GET'), listen],
    ['all spaces together', head('GET'), head('GET', 'X-Space-ID: south'), head('GET', 'X-Space-ID: west')],
  ])('are refused beyond what %s may have, and taken again when one has ended', async (_, first, second, third) => {
    between.upstream.answers(({ socket }) => socket.write(streamHead()))
    const open = async (bytes: string | Buffer) => {
      const caller = await between.another()
      caller.send(bytes)
      return caller
    }
    const callers = [await open(first), await open(second)]
    if (_ !== 'a space') callers.push(await open(head('GET', 'X-Space-ID: east')))
    await Promise.all(callers.map((caller) => caller.head()))
    const refused = await (await open(third)).answer()
    expect([refused.status, problem(refused).code]).toEqual([503, 'overloaded'])
    callers[0]?.socket.destroy()
    await vi.waitFor(async () => expect((await (await open(third)).head()).status).toBe(200))
  })
})

describe('request bodies', () => {
  const between = betweenTwo({ limits: { bodyBytes: 10_000 } })

  it('that are too much together are refused, and taken again when others have gone', async () => {
    between.upstream.answers(() => {})
    const large = post(JSON.stringify('x'.repeat(8000)))
    between.caller.send(large)
    await between.upstream.request(0)
    const other = await between.another()
    other.send(large)
    const answer = await other.answer()
    expect([answer.status, problem(answer).code]).toEqual([503, 'overloaded'])
    between.upstream.answers(({ socket }) => socket.write(json('{}')))
    between.upstream.requests[0]?.socket.write(json('{}'))
    await between.caller.answer()
    other.send(large)
    expect((await other.answer()).status).toBe(200)
  })
})

describe('request bodies of one space', () => {
  const between = betweenTwo({ limits: { bodyBytesEach: 10_000 } })

  it('leave room for others, though they never come to their end', async () => {
    const large = post(JSON.stringify('x'.repeat(8000)))
    between.caller.send(large.subarray(0, -100))
    const second = await between.another()
    await expect
      .poll(async () => {
        second.send(large)
        return problem(await second.answer()).code
      })
      .toBe('overloaded')
    const other = await between.another()
    other.send(Buffer.from(large.toString().replace('X-Space-ID: north', 'X-Space-ID: south')))
    expect((await other.answer()).status).toBe(200)
    between.caller.socket.destroy()
    await expect
      .poll(async () => {
        second.send(large)
        return (await second.answer()).status
      })
      .toBe(200)
  })
})

describe('a space that may not have more, though it waits longest', () => {
  const between = betweenTwo({ limits: { calls: 3, callsPerSpace: 2 } })

  it('does not hold up the next in line', async () => {
    between.upstream.answers(() => {})
    const bodies = ['{"n":1}', '{"n":2}', '{"s":1}', '{"n":3}', '{"s":2}']
    for (const body of bodies) {
      const caller = await between.another()
      caller.send(post(body, body.includes('s') ? 'X-Space-ID: south' : 'X-Space-ID: north'))
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    const south = between.upstream.requests.find(({ body }) => body.toString() === '{"s":1}')
    south?.socket.write(json('{}'))
    expect((await between.upstream.request(3)).body.toString()).toBe('{"s":2}')
  })

  it('gives back what it had: calls one after the other never end', async () => {
    for (let i = 0; i < 10; i++) {
      between.caller.send(post('{}', `X-Space-ID: space-${i}`))
      expect((await between.caller.answer()).status).toBe(200)
    }
    const others = await Promise.all([between.another(), between.another(), between.another()])
    between.upstream.answers(() => {})
    for (const [i, other] of others.entries()) other.send(post('{}', `X-Space-ID: space-${i}`))
    // All three are let in at once: none of the ten is counted any more.
    expect((await between.upstream.request(12)).method).toBe('POST')
  })
})
