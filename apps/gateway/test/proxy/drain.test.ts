import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { betweenTwo } from './between-two.ts'
import { proxyUnderTest } from './proxy-under-test.ts'
import { head, post } from './raw-caller.ts'
import { chunk, json, streamHead } from './raw-upstream.ts'

const between = betweenTwo()

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(true))
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}

describe('a gateway that is told to stop', () => {
  it('takes no new connection, lets a call finish, and then is gone', async () => {
    between.upstream.answers(() => {})
    between.caller.send(post('{}'))
    const { socket } = await between.upstream.request(0)
    const drained = between.proxy.drain(10_000)
    await expect.poll(() => isRefused(between.proxy.port)).toBe(true)
    socket.write(json('{"late":true}'))
    const { status, body, header } = await between.caller.answer()
    expect([status, body.toString(), header('connection')]).toEqual([200, '{"late":true}', ['close']])
    await drained
  })

  it('serves the connections that are made already, though nobody has taken them yet', async () => {
    const sockets = Array.from({ length: 20 }, () => connect(between.proxy.port, '127.0.0.1'))
    const answers = sockets.map(async (socket) => {
      socket.write(post('{}'))
      let answer = ''
      for await (const bytes of socket) answer += bytes
      return answer.split('\r\n')[0]
    })
    // By the end of the tick, the kernel has made them all: it does so without asking whoever listens.
    await new Promise((resolve) => process.nextTick(resolve))
    const drained = between.proxy.drain(10_000)
    expect(await Promise.all(answers)).toEqual(sockets.map(() => 'HTTP/1.1 200 OK'))
    await drained
  })

  it('lets an answer that streams already come to its end', async () => {
    between.upstream.answers(({ socket }) => socket.write(streamHead()))
    between.caller.send(post('{}'))
    await between.caller.head()
    const { socket } = await between.upstream.request(0)
    const drained = between.proxy.drain(10_000)
    socket.write(Buffer.concat([chunk('data: 1\n\n'), chunk()]))
    expect(await between.caller.answer()).toMatchObject({ isComplete: true })
    await drained
  })

  it('answers a request that comes on a connection that was idle, and closes it then', async () => {
    between.caller.send(post('{}'))
    await between.caller.answer()
    const drained = between.proxy.drain(10_000)
    await new Promise((resolve) => setTimeout(resolve, 200))
    between.caller.send(post('{}'))
    const { status, header } = await between.caller.answer()
    expect([status, header('connection')]).toEqual([200, ['close']])
    await between.caller.closed
    await drained
  })

  it.each([
    ['GET', head('GET')],
    ['subscriptions/listen', post('{"method":"subscriptions/listen","id":1}')],
  ])('ends the streams at once, at both ends, so that they are opened again elsewhere: %s', async (_, bytes) => {
    between.upstream.answers(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(streamHead()), chunk('data: 1\n\n')])),
    )
    between.caller.send(bytes)
    await between.caller.until('data: 1\n\n')
    const drained = between.proxy.drain(10_000)
    await between.caller.closed
    expect((await between.caller.answer()).isComplete).toBe(false)
    await (
      await between.upstream.request(0)
    ).closed
    await drained
  })

  it('opens no new stream', async () => {
    between.caller.send(post('{}'))
    await between.caller.answer()
    const drained = between.proxy.drain(10_000)
    between.caller.send(head('GET'))
    const { status, header } = await between.caller.answer()
    expect([status, header('retry-after')]).toEqual([503, ['1']])
    await drained
  })

  it('does not wait for a connection on which nobody ever sent anything, as browsers make them in advance', async () => {
    const tooLate = Symbol('too late')
    const late = new Promise((resolve) => setTimeout(resolve, 10_000, tooLate).unref())
    expect(await Promise.race([between.proxy.drain(20_000), late])).not.toBe(tooLate)
    await between.caller.closed
  })

  it('cuts what has not finished within the grace', async () => {
    between.upstream.answers(({ socket, body }) => {
      if (body.toString() === '{"begun":1}') socket.write(streamHead())
    })
    const begun = await between.another()
    begun.send(post('{"begun":1}'))
    await begun.head()
    between.caller.send(post('{}'))
    const { closed } = await between.upstream.request(1)
    await between.proxy.drain(300)
    expect((await begun.answer()).isComplete).toBe(false)
    expect((await between.caller.answer()).status).toBe(503)
    await closed
  })

  it('does not wait for a caller who does not read', async () => {
    between.upstream.answers(({ socket }) => {
      socket.write(streamHead())
      const write = (): void => {
        while (!socket.destroyed && socket.write(chunk(Buffer.alloc(65_536))));
      }
      socket.on('drain', write)
      write()
    })
    between.caller.socket.pause()
    between.caller.send(post('{}'))
    await between.upstream.request(0)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await between.proxy.drain(300)
    expect(between.proxy.records).toMatchObject([{ failure: { code: 'outcome_unknown' } }])
  })
})

describe('two gateways that are stopped and started in turn, under load', () => {
  it('lose no call', async () => {
    between.upstream.answers(({ socket }) => setTimeout(() => socket.write(json('{"ok":true}')), Math.random() * 20))
    const replicas = [await proxyUnderTest(between.upstream.url), await proxyUnderTest(between.upstream.url)]
    const headers = { authorization: 'Bearer service-token', 'x-space-id': 'north', 'x-user-id': 'ada' }
    const statuses = new Map<number, number>()
    let isOver = false
    let calls = 0

    /** What a load balancer does: the next one, when there is no connection to one. */
    async function call(): Promise<number> {
      for (let attempt = calls++; ; attempt++) {
        const replica = replicas[attempt % 2]
        try {
          const response = await fetch(replica?.url ?? '', { method: 'POST', body: '{}', headers })
          await response.text()
          return response.status
        } catch (error) {
          const { syscall } = (error as { cause?: { syscall?: string } }).cause ?? {}
          if (syscall !== 'connect') throw error
        }
      }
    }
    const callers = Array.from({ length: 16 }, async () => {
      while (!isOver) {
        const status = await call()
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    })
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const old = replicas[i % 2]
      await old?.drain(5000)
      await old?.close()
      replicas[i % 2] = await proxyUnderTest(between.upstream.url)
    }
    isOver = true
    await Promise.all(callers)
    expect([...statuses.keys()]).toEqual([200])
    expect(statuses.get(200)).toBeGreaterThan(100)
    for (const replica of replicas) await replica.close()
  })
})
