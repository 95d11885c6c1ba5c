import { once } from 'node:events'
import { createServer, type AddressInfo, type LookupFunction, type Socket } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guardedFetches } from './guarded-fetch.ts'
import { createSsrfGuard } from './ssrf-guard.ts'

let server: ReturnType<typeof createServer>
let url: string
let sockets: Socket[]
let received: string
let ends: string[]

/** A server that reads everything and never responds. */
beforeEach(async () => {
  sockets = []
  received = ''
  ends = []
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('data', (bytes) => (received += bytes.toString()))
    socket.on('end', () => ends.push('closed'))
    socket.on('error', (error) => ends.push('code' in error ? String(error.code) : error.name))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

const fetches = guardedFetches(createSsrfGuard({ alsoAllow: ['private', 'loopback'] }))
const post = { method: 'POST', body: 'grant_type=refresh_token' }

describe('a request with hooks', () => {
  it('is not sent when beforeSend returns false on the open connection', async () => {
    let count = 0
    const hooks = { beforeSend: () => ++count < 0, onSend: () => expect.unreachable() }
    await expect(fetches({ hooks, timeoutMs: 2_000 })(url, post)).rejects.toMatchObject({ name: 'RequestWithheld' })
    expect(count).toBe(1)
    expect(sockets).toHaveLength(1)
    expect(received).toBe('')
  })

  it('calls beforeSend before the first byte, and onFlushed after the last, once each', async () => {
    const order: string[] = []
    const hooks = {
      beforeSend: () => order.push(`beforeSend, ${received.length} bytes`) > 0,
      onSend: () => order.push('onSend'),
      onFlushed: () => order.push('onFlushed'),
    }
    await expect(fetches({ hooks, timeoutMs: 300 })(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(order).toEqual(['beforeSend, 0 bytes', 'onSend', 'onFlushed'])
    expect(received).toContain('grant_type=refresh_token')
  })

  it('resets its connection at the time limit, so that buffered bytes are discarded', async () => {
    const hooks = { beforeSend: () => true, onSend: () => {} }
    const begun = performance.now()
    await expect(fetches({ hooks, timeoutMs: 300 })(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - begun).toBeLessThan(1_500)
    await expect.poll(() => ends).toEqual(['ECONNRESET'])
  })

  it('times out while it connects, and is never sent afterwards', async () => {
    let isCalled = false
    const hooks = { beforeSend: () => (isCalled = true), onSend: () => {} }
    const begun = performance.now()
    const response = fetches({ hooks, timeoutMs: 1 })(url.replace('127.0.0.1', 'localhost'), post)
    // Block the event loop past the time limit, so that the timer fires first.
    while (performance.now() - begun < 50);
    await expect(response).rejects.toMatchObject({ name: 'TimeoutError' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(isCalled).toBe(false)
    expect(received).toBe('')
  })
})

describe('a response', () => {
  it.each([
    [20, 'accepted'],
    [19, 'BodyTooLarge'],
  ])('of 20 bytes with a limit of %d bytes: %s', async (maxBodyBytes, outcome) => {
    server.on('connection', (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n${'x'.repeat(20)}`))
    const response = fetches({ maxBodyBytes })(url)
    const actual = await response.then(
      () => 'accepted',
      (error: Error) => error.name,
    )
    expect(actual).toBe(outcome)
  })
})

describe('an odd response', () => {
  const json = '{"access_token":"a"}'
  const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()
  const respond = (head: string, body: Buffer) =>
    server.on('connection', (socket) => {
      socket.write(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n`)
      socket.end(body)
    })

  it.each<[string, Buffer]>([
    ['UTF-16LE', Buffer.from(json, 'utf16le')],
    ['UTF-16LE with a byte order mark', Buffer.from(`\ufeff${json}`, 'utf16le')],
    ['UTF-16BE', utf16be(json)],
    ['UTF-16BE with a byte order mark', utf16be(`\ufeff${json}`)],
    ['UTF-8 labelled as UTF-16', Buffer.from(json)],
  ])('of %s is read', async (_name, body) => {
    respond('200 OK\r\ncontent-type: application/json; charset=utf-16', body)
    expect(await (await fetches()(url)).text()).toBe(json)
  })

  it('with 40 KiB of headers is read', async () => {
    respond(
      `200 OK\r\n${Array.from({ length: 40 }, (_, i) => `x-${i}: ${'x'.repeat(1000)}`).join('\r\n')}`,
      Buffer.from(json),
    )
    expect(await (await fetches()(url)).text()).toBe(json)
  })

  it('with an invalid status is read', async () => {
    respond('999 Odd', Buffer.from(json))
    expect((await fetches()(url)).status).toBe(599)
  })
})

describe('a response that is compressed although identity was requested', () => {
  const text = '{"access_token":"a"}'
  const respond = (encoding: string, body: Buffer, status = 200) =>
    server.on('connection', (socket) => {
      socket.write(`HTTP/1.1 ${status} X\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`)
      socket.end(body)
    })

  it.each<[string, Buffer, number]>([
    ['gzip', gzipSync(text), 200],
    ['x-gzip', gzipSync(text), 200],
    ['GZIP', gzipSync(text), 400],
    ['deflate', deflateSync(text), 200],
    ['deflate', deflateRawSync(text), 200],
    ['br', brotliCompressSync(text), 500],
    ['zstd', zstdCompressSync(text), 200],
    ['gzip, br', brotliCompressSync(gzipSync(text)), 200],
    ['identity', Buffer.from(text), 200],
    ['', Buffer.from(text), 200],
    // Not compressed, despite the header.
    ['gzip', Buffer.from(text), 200],
  ])('with %s is read', async (encoding, body, status) => {
    respond(encoding, body, status)
    const response = await fetches()(url)
    expect([response.status, await response.text(), response.headers.get('content-encoding')]).toEqual([
      status,
      text,
      null,
    ])
  })

  it('is limited by its decompressed size', async () => {
    respond('gzip', gzipSync(' '.repeat(100_000)))
    await expect(fetches({ maxBodyBytes: 99_999 })(url)).rejects.toMatchObject({ name: 'BodyTooLarge' })
  })
})

describe('a host name', () => {
  const hooks = { beforeSend: () => true, onSend: () => {} }
  const namedUrl = () => `https://somewhere.test:${new URL(url).port}/token`
  let lookups: number
  /** A resolver that returns the next answer each time, and repeats the last one. */
  const resolver = (...answers: string[][]): LookupFunction => {
    lookups = 0
    return (_name, _options, done) => {
      const addresses = answers[Math.min(lookups++, answers.length - 1)] ?? []
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }
  }
  beforeEach(() => server.on('connection', (socket) => socket.once('data', () => socket.destroy())))

  describe.each([
    ['of a fetch', {}],
    ['of a fetch with hooks', { hooks }],
  ])('%s', (_, limits) => {
    it.each(['127.0.0.1', '::ffff:127.0.0.1', '10.0.0.1', '169.254.169.254', 'fe80::1', '::'])(
      'that resolves to %s is forbidden',
      async (address) => {
        const fetch = guardedFetches(createSsrfGuard({ alsoAllow: [], lookup: resolver([address]) }))(limits)
        await expect(fetch(namedUrl(), post)).rejects.toMatchObject({ name: 'ForbiddenUrl' })
        expect(sockets).toEqual([])
      },
    )

    it('is resolved once, which prevents DNS rebinding', async () => {
      const lookup = resolver(['127.0.0.1'], ['169.254.169.254'])
      await expect(
        guardedFetches(createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup }))(limits)(namedUrl(), post),
      ).rejects.toThrow()
      expect([lookups, sockets.length]).toEqual([1, 1])
    })

    it('in a trusted origin may resolve to loopback', async () => {
      const guard = createSsrfGuard({
        alsoAllow: [],
        trustedOrigins: [new URL(namedUrl()).origin],
        lookup: resolver(['127.0.0.1']),
      })
      await expect(guardedFetches(guard)(limits)(namedUrl(), post)).rejects.toThrow()
      expect(sockets).toHaveLength(1)
    })

    it('in a trusted origin may not resolve to cloud metadata, and is not trusted at another port', async () => {
      const trustedOrigins = [new URL(namedUrl()).origin]
      const toCloud = createSsrfGuard({ alsoAllow: [], trustedOrigins, lookup: resolver(['169.254.169.254']) })
      await expect(guardedFetches(toCloud)(limits)(namedUrl(), post)).rejects.toMatchObject({ reason: 'reserved' })
      const otherPort = createSsrfGuard({
        alsoAllow: [],
        trustedOrigins: ['https://somewhere.test'],
        lookup: resolver(['127.0.0.1']),
      })
      await expect(guardedFetches(otherPort)(limits)(namedUrl(), post)).rejects.toMatchObject({ reason: 'loopback' })
      expect(sockets).toEqual([])
    })

    it('under localhost, without TLS, may resolve to loopback only', async () => {
      const plain = namedUrl().replace('https://somewhere.test', 'http://somewhere.localhost')
      const notLoopback = createSsrfGuard({
        alsoAllow: ['private', 'loopback'],
        lookup: resolver(['1.1.1.1', '10.0.0.1']),
      })
      await expect(guardedFetches(notLoopback)(limits)(plain, post)).rejects.toMatchObject({ name: 'ForbiddenUrl' })
      const loopback = createSsrfGuard({
        alsoAllow: ['private', 'loopback'],
        lookup: resolver(['1.1.1.1', '127.0.0.1']),
      })
      await expect(guardedFetches(loopback)(limits)(plain, post)).rejects.toThrow()
      expect(sockets).toHaveLength(1)
    })

    it('times out when its server never completes the TLS handshake', async () => {
      server.removeAllListeners('connection').on('connection', (socket: Socket) => {
        sockets.push(socket.on('error', () => undefined))
      })
      const guard = createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup: resolver(['127.0.0.1']) })
      const response = guardedFetches(guard)({ ...limits, timeoutMs: 200 })(namedUrl(), post)
      await expect(response).rejects.toMatchObject({ name: 'TimeoutError' })
      await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true)
    })

    it('is connected at an allowed one of its addresses', async () => {
      const lookup = resolver(['169.254.169.254', '127.0.0.1'])
      await expect(
        guardedFetches(createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup }))(limits)(namedUrl(), post),
      ).rejects.toThrow()
      expect(sockets).toHaveLength(1)
    })
  })
})
