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

/** A server that takes everything and says nothing. */
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

describe('a refresh token on its way out', () => {
  it('stays here when the gate is closed in the moment in which the connection is ready', async () => {
    let asked = 0
    const hooks = { beforeSend: () => ++asked < 0, onSend: () => expect.unreachable() }
    await expect(fetches({ hooks, timeoutMs: 2_000 })(url, post)).rejects.toMatchObject({ name: 'RequestWithheld' })
    expect(asked).toBe(1)
    expect(sockets).toHaveLength(1)
    expect(received).toBe('')
  })

  it('is asked about once, before the first byte, and reported gone after the last', async () => {
    const order: string[] = []
    const hooks = {
      beforeSend: () => order.push(`asked, ${received.length} bytes`) > 0,
      onSend: () => order.push('leaves'),
      onFlushed: () => order.push('left'),
    }
    await expect(fetches({ hooks, timeoutMs: 300 })(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(order).toEqual(['asked, 0 bytes', 'leaves', 'left'])
    expect(received).toContain('grant_type=refresh_token')
  })

  it('is cut off with its connection when it is given up: a reset, which takes back what has not left this machine', async () => {
    const hooks = { beforeSend: () => true, onSend: () => {} }
    const begun = performance.now()
    await expect(fetches({ hooks, timeoutMs: 300 })(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - begun).toBeLessThan(1_500)
    await expect.poll(() => ends).toEqual(['ECONNRESET'])
  })

  it('is given up in time, and kept for good, when the time is over before the connection is there', async () => {
    let isAsked = false
    const hooks = { beforeSend: () => (isAsked = true), onSend: () => {} }
    const begun = performance.now()
    const given = fetches({ hooks, timeoutMs: 1 })(url.replace('127.0.0.1', 'localhost'), post)
    // Stands still until the time is over; when it goes on, that is the first thing that it notices.
    while (performance.now() - begun < 50);
    await expect(given).rejects.toMatchObject({ name: 'TimeoutError' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(isAsked).toBe(false)
    expect(received).toBe('')
  })
})

describe('an answer', () => {
  it.each([
    [20, 'taken'],
    [19, 'BodyTooLarge'],
  ])('of 20 bytes, where there may be %d: %s', async (maxBodyBytes, outcome) => {
    server.on('connection', (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n${'x'.repeat(20)}`))
    const answer = fetches({ maxBodyBytes })(url)
    const seen = await answer.then(
      () => 'taken',
      (error: Error) => error.name,
    )
    expect(seen).toBe(outcome)
  })
})

describe('an answer in an odd form', () => {
  const json = '{"access_token":"a"}'
  const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()
  const answering = (head: string, body: Buffer) =>
    server.on('connection', (socket) => {
      socket.write(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n`)
      socket.end(body)
    })

  it.each<[string, Buffer]>([
    ['UTF-16LE', Buffer.from(json, 'utf16le')],
    ['UTF-16LE with a byte order mark', Buffer.from(`\ufeff${json}`, 'utf16le')],
    ['UTF-16BE', utf16be(json)],
    ['UTF-16BE with a byte order mark', utf16be(`\ufeff${json}`)],
    ['UTF-8 that is called UTF-16', Buffer.from(json)],
  ])('of %s is read', async (_name, body) => {
    answering('200 OK\r\ncontent-type: application/json; charset=utf-16', body)
    expect(await (await fetches()(url)).text()).toBe(json)
  })

  it('with 40 KiB of headers is read', async () => {
    answering(
      `200 OK\r\n${Array.from({ length: 40 }, (_, i) => `x-${i}: ${'x'.repeat(1000)}`).join('\r\n')}`,
      Buffer.from(json),
    )
    expect(await (await fetches()(url)).text()).toBe(json)
  })

  it('with a status that does not exist is an answer', async () => {
    answering('999 Odd', Buffer.from(json))
    expect((await fetches()(url)).status).toBe(599)
  })
})

describe('an answer that is compressed without being asked for', () => {
  const text = '{"access_token":"a"}'
  const answering = (encoding: string, body: Buffer, status = 200) =>
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
    // In truth not compressed.
    ['gzip', Buffer.from(text), 200],
  ])('with %s is read', async (encoding, body, status) => {
    answering(encoding, body, status)
    const answer = await fetches()(url)
    expect([answer.status, await answer.text(), answer.headers.get('content-encoding')]).toEqual([status, text, null])
  })

  it('is no way around the limit', async () => {
    answering('gzip', gzipSync(' '.repeat(100_000)))
    await expect(fetches({ maxBodyBytes: 99_999 })(url)).rejects.toMatchObject({ name: 'BodyTooLarge' })
  })
})

describe('a name', () => {
  const hooks = { beforeSend: () => true, onSend: () => {} }
  const named = () => `https://somewhere.test:${new URL(url).port}/token`
  let asked: number
  /** What the owner of the name answers, each time something else; the last of it for ever. */
  const names = (...answers: string[][]): LookupFunction => {
    asked = 0
    return (_name, _options, done) => {
      const addresses = answers[Math.min(asked++, answers.length - 1)] ?? []
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }
  }
  beforeEach(() => server.on('connection', (socket) => socket.once('data', () => socket.destroy())))

  describe.each([
    ['of a fetch', {}],
    ['of a fetch behind a gate', { hooks }],
  ])('%s', (_, limits) => {
    it.each(['127.0.0.1', '::ffff:127.0.0.1', '10.0.0.1', '169.254.169.254', 'fe80::1', '::'])(
      'that leads to %s leads nowhere',
      async (address) => {
        const fetch = guardedFetches(createSsrfGuard({ alsoAllow: [], lookup: names([address]) }))(limits)
        await expect(fetch(named(), post)).rejects.toMatchObject({ name: 'ForbiddenUrl' })
        expect(sockets).toEqual([])
      },
    )

    it('is asked once, so that it cannot lead elsewhere the second time', async () => {
      const lookup = names(['127.0.0.1'], ['169.254.169.254'])
      await expect(
        guardedFetches(createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup }))(limits)(named(), post),
      ).rejects.toThrow()
      expect([asked, sockets.length]).toEqual([1, 1])
    })

    it('leads where the operator has said, wherever that is', async () => {
      const guard = createSsrfGuard({
        alsoAllow: [],
        trustedOrigins: [new URL(named()).origin],
        lookup: names(['127.0.0.1']),
      })
      await expect(guardedFetches(guard)(limits)(named(), post)).rejects.toThrow()
      expect(sockets).toHaveLength(1)
    })

    it('that the operator has said leads to no secrets of the cloud all the same, and at another port only where all may', async () => {
      const trustedOrigins = [new URL(named()).origin]
      const toCloud = createSsrfGuard({ alsoAllow: [], trustedOrigins, lookup: names(['169.254.169.254']) })
      await expect(guardedFetches(toCloud)(limits)(named(), post)).rejects.toMatchObject({ reason: 'reserved' })
      const near = createSsrfGuard({
        alsoAllow: [],
        trustedOrigins: ['https://somewhere.test'],
        lookup: names(['127.0.0.1']),
      })
      await expect(guardedFetches(near)(limits)(named(), post)).rejects.toMatchObject({ reason: 'loopback' })
      expect(sockets).toEqual([])
    })

    it('of this machine, and so without TLS, leads nowhere else', async () => {
      const plain = named().replace('https://somewhere.test', 'http://somewhere.localhost')
      const elsewhere = createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup: names(['1.1.1.1', '10.0.0.1']) })
      await expect(guardedFetches(elsewhere)(limits)(plain, post)).rejects.toMatchObject({ name: 'ForbiddenUrl' })
      const here = createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup: names(['1.1.1.1', '127.0.0.1']) })
      await expect(guardedFetches(here)(limits)(plain, post)).rejects.toThrow()
      expect(sockets).toHaveLength(1)
    })

    it('is given up in time when its server never says hello', async () => {
      server.removeAllListeners('connection').on('connection', (socket: Socket) => {
        sockets.push(socket.on('error', () => undefined))
      })
      const guard = createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup: names(['127.0.0.1']) })
      const given = guardedFetches(guard)({ ...limits, timeoutMs: 200 })(named(), post)
      await expect(given).rejects.toMatchObject({ name: 'TimeoutError' })
      await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true)
    })

    it('leads to those of its addresses that are allowed', async () => {
      const lookup = names(['169.254.169.254', '127.0.0.1'])
      await expect(
        guardedFetches(createSsrfGuard({ alsoAllow: ['private', 'loopback'], lookup }))(limits)(named(), post),
      ).rejects.toThrow()
      expect(sockets).toHaveLength(1)
    })
  })
})
