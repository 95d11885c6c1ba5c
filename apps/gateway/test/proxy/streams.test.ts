import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../src/platform/secret.ts'
import { betweenTwo } from './between-two.ts'
import { proxyUnderTest } from './proxy-under-test.ts'
import { head, post, rawCaller } from './raw-caller.ts'
import { answer, chunk, streamHead } from './raw-upstream.ts'

const listen = head('GET', 'Accept: text/event-stream')

function tick(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

describe('an answer that streams', () => {
  const between = betweenTwo()

  it('shows its head at once, though no byte of its body has come', async () => {
    between.upstream.answers(({ socket }) => socket.write(streamHead('Mcp-Of-The-Future: 1')))
    between.caller.send(listen)
    const { status, header } = await between.caller.head()
    expect(status).toBe(200)
    expect(header('mcp-of-the-future')).toEqual(['1'])
  })

  it('passes event by event: none waits for the next', async () => {
    between.upstream.answers(({ socket }) => socket.write(streamHead()))
    between.caller.send(post('{}'))
    const { socket } = await between.upstream.request(0)
    for (let i = 0; i < 5; i++) {
      socket.write(chunk(`data: ${i}\n\n`))
      await between.caller.until(`data: ${i}\n\n`)
    }
    socket.write(chunk())
    expect((await between.caller.answer()).chunks).toHaveLength(5)
  })

  it('shows the events that came in one packet with the head', async () => {
    between.upstream.answers(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(streamHead()), chunk('data: 1\n\n'), chunk('data: 2\n\n')])),
    )
    between.caller.send(post('{}'))
    expect(await between.caller.until('data: 2\n\n')).toContain('data: 1\n\n')
  })

  it('is slowed down by a slow reader, and comes whole', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    const pieces = 1024
    let written = 0
    between.upstream.answers(({ socket }) => {
      const write = (): void => {
        while (written < pieces) {
          written++
          if (!socket.write(chunk(piece))) return void socket.once('drain', write)
        }
        socket.write(chunk())
      }
      socket.write(streamHead())
      write()
    })
    between.caller.socket.pause()
    between.caller.send(post('{}'))
    await between.upstream.request(0)
    // It stops for good long before the 64 MB are through: what is between is the buffers of four sockets.
    let before = -1
    while (before !== written) {
      before = written
      await tick(300)
    }
    expect(written * piece.length).toBeLessThan(24 * 1024 * 1024)

    const hash = createHash('sha256')
    let bytes = 0
    between.caller.socket.removeAllListeners('data')
    between.caller.socket.on('data', (more: Buffer) => {
      bytes += more.length
      hash.update(more)
    })
    between.caller.socket.resume()
    await vi.waitFor(() => expect(bytes).toBeGreaterThanOrEqual(pieces * piece.length), 20_000)
  })
})

describe('a stream that is quiet for long', () => {
  const between = betweenTwo({ headTimeoutMs: 200 })
  afterEach(() => void vi.useRealTimers())

  it('is not ended for it', async () => {
    // The timers of the client library are the clock's; those of sockets are not.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    between.upstream.answers(({ socket }) => socket.write(streamHead()))
    between.caller.send(listen)
    await between.caller.head()
    vi.advanceTimersByTime(60 * 60 * 1000)
    const { socket } = await between.upstream.request(0)
    socket.write(chunk('data: still here\n\n'))
    expect(await between.caller.until('still here')).toContain('still here')
  })

  it('is not ended by the limit for its head either', async () => {
    between.upstream.answers(({ socket }) => socket.write(streamHead()))
    between.caller.send(listen)
    await between.caller.head()
    await tick(600)
    const { socket } = await between.upstream.request(0)
    socket.write(chunk('data: still here\n\n'))
    expect(await between.caller.until('still here')).toContain('still here')
  })
})

describe('an answer whose head takes long', () => {
  const between = betweenTwo({ headTimeoutMs: 3_600_000 })
  afterEach(() => void vi.useRealTimers())

  it('passes when it comes within the limit', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    between.upstream.answers(() => {})
    between.caller.send(post('{}'))
    const { socket } = await between.upstream.request(0)
    vi.advanceTimersByTime(20 * 60 * 1000)
    await new Promise(setImmediate)
    socket.write(answer('200 OK', [], 'late'))
    expect((await between.caller.answer()).body.toString()).toBe('late')
  })
})

describe('an exchange that takes too long', () => {
  describe('to begin its answer', () => {
    const between = betweenTwo({ headTimeoutMs: 200 })

    it('is broken off upstream and answered with 504', async () => {
      between.upstream.answers(() => {})
      between.caller.send(post('{}'))
      const { status, body } = await between.caller.answer()
      expect(status).toBe(504)
      expect(JSON.parse(body.toString())).toMatchObject({ code: 'outcome_unknown' })
      await (
        await between.upstream.request(0)
      ).closed
      expect(between.upstream.requests).toHaveLength(1)
    })
  })

  describe('altogether', () => {
    const between = betweenTwo({ maxAgeMs: 300 })

    it('is broken off at both ends, and never ended as if it were complete', async () => {
      between.upstream.answers(({ socket }) =>
        socket.write(Buffer.concat([Buffer.from(streamHead()), chunk('data: 1\n\n')])),
      )
      between.caller.send(listen)
      const { isComplete, body } = await between.caller.answer()
      expect(isComplete).toBe(false)
      expect(body.toString()).toBe('data: 1\n\n')
      await (
        await between.upstream.request(0)
      ).closed
    })
  })
})

describe('a caller that goes away', () => {
  const between = betweenTwo()

  it.each([
    ['POST', post('{}')],
    ['GET', listen],
    ['DELETE', head('DELETE')],
  ])('before the head of the answer cancels the %s upstream', async (_, bytes) => {
    between.upstream.answers(() => {})
    between.caller.send(bytes)
    const { closed } = await between.upstream.request(0)
    between.caller.socket.destroy()
    await closed
    expect(await between.proxy.done(1)).toMatchObject([{ isAborted: true, status: 0, failure: undefined }])
  })

  it('says so by closing its half of the connection, too', async () => {
    between.upstream.answers(() => {})
    between.caller.send(post('{}'))
    const { closed } = await between.upstream.request(0)
    between.caller.socket.end()
    await closed
    expect(await between.proxy.done(1)).toMatchObject([{ isAborted: true, status: 0 }])
  })

  it.each([
    ['POST', post('{}')],
    ['GET', listen],
  ])('in the middle of the stream cancels the %s upstream', async (_, bytes) => {
    between.upstream.answers(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(streamHead()), chunk('data: 1\n\n')])),
    )
    between.caller.send(bytes)
    await between.caller.until('data: 1\n\n')
    between.caller.socket.destroy()
    await (
      await between.upstream.request(0)
    ).closed
    expect(await between.proxy.done(1)).toMatchObject([{ isAborted: true, status: 200 }])
  })

  it('without reading what is there cancels upstream, too', async () => {
    between.upstream.answers(({ socket }) => {
      const write = (): void => {
        while (!socket.destroyed && socket.write(chunk(Buffer.alloc(65536))));
      }
      socket.on('drain', write)
      socket.write(streamHead())
      write()
    })
    between.caller.socket.pause()
    between.caller.send(post('{}'))
    const { closed } = await between.upstream.request(0)
    await tick(300)
    between.caller.socket.destroy()
    await closed
    expect(await between.proxy.done(1)).toMatchObject([{ isAborted: true, status: 200 }])
  })

  it('while it still sends is no call at all', async () => {
    between.caller.send(post('{"id":1}').subarray(0, -2))
    await tick(50)
    between.caller.socket.destroy()
    await between.proxy.done(1)
    expect(between.upstream.connections()).toBe(0)
  })

  it('while its access token is waited for is no call upstream', async () => {
    const token = Promise.withResolvers<{ token: Secret; version: number }>()
    const asked = Promise.withResolvers<void>()
    between.proxy.tokens.gives(() => {
      asked.resolve()
      return token.promise
    })
    between.caller.send(post('{}'))
    await asked.promise
    between.caller.socket.destroy()
    await between.proxy.done(1)
    token.resolve({ token: new Secret('token-1'), version: 1 })
    await tick(50)
    expect(between.upstream.connections()).toBe(0)
  })

  it('leaves the other callers alone', async () => {
    between.upstream.answers(({ socket }) => socket.write(streamHead()))
    const other = await between.another()
    between.caller.send(listen)
    other.send(listen)
    const [first, second] = await Promise.all([between.upstream.request(0), between.upstream.request(1)])
    await Promise.all([between.caller.head(), other.head()])
    between.caller.socket.destroy()
    await Promise.race([first.closed, second.closed])
    for (const { socket } of [first, second]) if (!socket.destroyed) socket.write(chunk('data: 1\n\n'))
    expect(await other.until('data: 1\n\n')).toContain('200 OK')
  })
})

describe('an answer that breaks off', () => {
  const between = betweenTwo()
  const begun = Buffer.concat([Buffer.from(streamHead()), chunk('data: 1\n\n')])

  it.each([
    ['at the end of a chunk', begun],
    ['within a chunk', Buffer.concat([begun, chunk('data: 2\n\n').subarray(0, 6)])],
    ['before its length is reached', answer('200 OK', [], 'x'.repeat(100)).subarray(0, -1)],
    ['before its last chunk', Buffer.concat([begun, Buffer.from('0\r\n')])],
    ['with what is no chunk', Buffer.concat([begun, Buffer.from('zz\r\n')])],
  ])('breaks off for the caller, who gets all there was: %s', async (_, bytes) => {
    between.upstream.answers(({ socket }) => socket.end(bytes))
    between.caller.send(post('{}'))
    const { status, body, isComplete } = await between.caller.answer()
    expect(status).toBe(200)
    expect(isComplete).toBe(false)
    expect(body.toString()).toMatch(/^data: 1|^x{99}$/)
    await between.caller.closed
    expect(await between.proxy.done(1)).toMatchObject([{ isAborted: false, failure: { code: 'outcome_unknown' } }])
  })

  it.each([
    ['ends', (socket: Socket) => void socket.end()],
    ['is reset', (socket: Socket) => void socket.resetAndDestroy()],
  ])('later, when the connection %s, breaks off for the caller', async (_, breakOff) => {
    between.upstream.answers(({ socket }) => socket.write(begun))
    between.caller.send(listen)
    await between.caller.until('data: 1\n\n')
    breakOff((await between.upstream.request(0)).socket)
    await between.caller.closed
    expect((await between.caller.answer()).isComplete).toBe(false)
  })

  it('breaks off for a caller of HTTP/1.0 with a reset, because there an end would mean that it is complete', async () => {
    between.upstream.answers(({ socket }) => socket.write(begun))
    between.caller.send(listen.replace('HTTP/1.1', 'HTTP/1.0'))
    await between.caller.until('data: 1\n\n')
    const error = once(between.caller.socket, 'error')
    ;(await between.upstream.request(0)).socket.destroy()
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }])
  })

  it('gives a slow reader all there was, too', async () => {
    const size = 16 * 1024 * 1024
    between.upstream.answers(({ socket }) => socket.end(Buffer.concat([begun, chunk(Buffer.alloc(size, 'x'))])))
    between.caller.socket.pause()
    between.caller.socket.removeAllListeners('data')
    let bytes = 0
    between.caller.socket.on('data', (more: Buffer) => (bytes += more.length))
    between.caller.socket.pause()
    between.caller.send(post('{}'))
    await between.upstream.request(0)
    await tick(300)
    between.caller.socket.resume()
    await between.caller.closed
    expect(bytes).toBeGreaterThan(size)
    expect(await between.proxy.done(1)).toMatchObject([{ failure: { code: 'outcome_unknown' } }])
  })

  it('with a reset breaks off for the caller even where an end would mean that it is complete', async () => {
    between.upstream.answers(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: 1\n\n'))
    between.caller.send(listen)
    await between.caller.until('data: 1\n\n')
    ;(await between.upstream.request(0)).socket.resetAndDestroy()
    expect((await between.caller.answer()).isComplete).toBe(false)
  })

  it('while a slow reader holds it up breaks off for him, and harms nobody else', async () => {
    // The body of the request is still on its way when the answer begins and the connection is reset.
    const sockets: Socket[] = []
    const rude = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.pause()
        socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
        socket.write(Buffer.alloc(32 * 1024 * 1024))
      })
    }).listen(0, '127.0.0.1')
    await once(rude, 'listening')
    const { port } = rude.address() as AddressInfo
    const proxy = await proxyUnderTest(new URL(`http://127.0.0.1:${port}/mcp`))
    const caller = await rawCaller(proxy.port)
    caller.socket.pause()
    caller.send(post(JSON.stringify('x'.repeat(4_000_000))))
    await vi.waitFor(() => expect(sockets).toHaveLength(1))
    await tick(500)
    sockets[0]?.resetAndDestroy()
    await tick(300)
    caller.socket.destroy()
    expect(await proxy.done(1)).toMatchObject([{ isAborted: false, failure: { code: 'outcome_unknown' } }])
    await proxy.close()
    rude.close()
  })
})
