import { once } from 'node:events'
import { createServer as createSecureServer } from 'node:https'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { certificateFor, connectProxy, type ConnectProxy } from '@nmg/process/testing'
import { Agent, fetch as undiciFetch } from 'undici'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardedFetches } from './guarded-fetch.ts'
import { proxiesFrom, proxySettings } from './proxies.ts'
import { createSsrfGuard } from './ssrf-guard.ts'
import { throughProxy } from './tunnel.ts'

const proxiesOf = (env: Record<string, string>) => proxiesFrom(z.object(proxySettings).parse(env))
const post = { method: 'POST', body: 'grant_type=refresh_token' }
const certificate = certificateFor('secure.test', 'localhost')

let proxy: ConnectProxy
/** Reads everything, and responds while `isResponding`. */
let server: ReturnType<typeof createServer>
let secure: ReturnType<typeof createSecureServer>
let url: string
let received: string
let sockets: Socket[]
let isResponding: boolean

beforeAll(async () => {
  setDefaultCACertificates([...getCACertificates(), certificate.cert])
  secure = createSecureServer(certificate, (_req, res) => res.end('secure')).listen(0, '127.0.0.1')
  await once(secure, 'listening')
})
beforeEach(async () => {
  proxy = await connectProxy()
  received = ''
  sockets = []
  isResponding = true
  server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
    socket.on('data', (bytes) => {
      received += bytes.toString()
      if (isResponding) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://plain.test:${(server.address() as AddressInfo).port}/token`
})
afterEach(() => {
  proxy.close()
  for (const socket of sockets) socket.destroy()
  server.close()
})
afterAll(() => secure.close())

const secureUrl = () => `https://secure.test:${(secure.address() as AddressInfo).port}/`

function fetches(env: Record<string, string> = {}) {
  const address = `http://127.0.0.1:${proxy.port}`
  const guard = createSsrfGuard({
    trustedOrigins: [new URL(url).origin],
    lookup: () => expect.unreachable('the proxy must resolve names'),
  })
  return guardedFetches(guard, proxiesOf({ HTTPS_PROXY: address, HTTP_PROXY: address, ...env }))
}

describe('a request through a proxy', () => {
  it('reaches its server, each time on a new connection', async () => {
    const fetch = fetches()()
    for (let count = 1; count <= 2; count++) {
      expect(await (await fetch(url, post)).text()).toBe('ok')
      expect(proxy.visits).toEqual(Array<string>(count).fill(new URL(url).host))
      expect(sockets).toHaveLength(count)
    }
    expect(received).not.toMatch(/proxy-|CONNECT /i)
  })

  it('checks the certificate of a server with TLS', async () => {
    expect(await (await fetches()()(secureUrl())).text()).toBe('secure')
    await expect(fetches()()(secureUrl().replace('secure', 'other'))).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  it('uses a proxy with TLS', async () => {
    const secured = await connectProxy({ tls: certificate, credentials: 'ada:secret' })
    try {
      const HTTPS_PROXY = `https://ada:secret@localhost:${secured.port}`
      expect(await (await fetches({ HTTPS_PROXY })()(secureUrl())).text()).toBe('secure')
      expect(secured.visits).toEqual([new URL(secureUrl()).host])
    } finally {
      secured.close()
    }
  })

  it.each([
    ['https://secure.test/', 'secure.test:443'],
    ['https://[2606:4700::1111]/', '[2606:4700::1111]:443'],
    ['https://[2606:4700::1111]:8443/', '[2606:4700::1111]:8443'],
  ])('to %s sends CONNECT %s', async (target, authority) => {
    proxy.refusal = 403
    await fetches()()(target).catch(() => undefined)
    expect(proxy.visits).toEqual([authority])
  })

  it('to a private address is rejected before it reaches the proxy', async () => {
    for (const target of [
      'https://10.0.0.1/',
      'https://127.0.0.1/',
      'https://169.254.169.254/',
      'http://other.test/',
    ]) {
      await expect(fetches()()(target, post)).rejects.toMatchObject({ name: 'ForbiddenUrl' })
    }
    expect(proxy.visits).toEqual([])
  })

  it('has the same size limit', async () => {
    await expect(fetches()({ maxBodyBytes: 1 })(url)).rejects.toMatchObject({ name: 'BodyTooLarge' })
  })
})

describe('a request with hooks through a proxy', () => {
  it('calls beforeSend once, when the tunnel is open and unused', async () => {
    const order: string[] = []
    const hooks = {
      beforeSend: () => order.push(`beforeSend, ${proxy.visits.length} tunnel, ${received.length} bytes`) > 0,
      onSend: () => order.push('onSend'),
      onFlushed: () => order.push('onFlushed'),
    }
    await fetches()({ hooks })(url, post)
    expect(order).toEqual(['beforeSend, 1 tunnel, 0 bytes', 'onSend', 'onFlushed'])
    expect(received).toContain('grant_type=refresh_token')
  })

  it('is not sent when beforeSend returns false', async () => {
    const hooks = { beforeSend: () => false, onSend: () => expect.unreachable() }
    await expect(fetches()({ hooks })(url, post)).rejects.toMatchObject({ name: 'RequestWithheld' })
    await expect.poll(() => sockets.length).toBe(1)
    expect(received).toBe('')
  })

  it('is not sent when the proxy refuses', async () => {
    proxy.refusal = 407
    const hooks = { beforeSend: () => expect.unreachable(), onSend: () => expect.unreachable() }
    await expect(fetches()({ hooks })(url, post)).rejects.toMatchObject({ name: 'ProxyFailed' })
  })

  it.each([
    ['the server is silent', () => (isResponding = false)],
    ['the proxy is silent', () => (proxy.refusal = 'silence')],
  ])('is aborted with a reset when %s', async (_what, prepare) => {
    prepare()
    await expect(fetches()({ timeoutMs: 300 })(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect.poll(() => proxy.resets).toEqual(['ECONNRESET'])
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true)
  })
})

describe('the error for a failing proxy', () => {
  it.each([
    [407, /HTTPS?_PROXY\) demands other credentials \(407\)\. Check the user name and password in HTTPS?_PROXY/],
    [403, /HTTPS?_PROXY\) refused to connect to the server \(403\)\. .*NO_PROXY/],
    [302, /HTTPS?_PROXY\) refused to connect to the server \(302\)/],
    [502, /HTTPS?_PROXY\) could not connect to the server \(502\)/],
  ])('names its setting after a response with status %d', async (status, message) => {
    proxy.refusal = status
    for (const target of [url, secureUrl()]) {
      const failing = fetches({ HTTPS_PROXY: `http://ada:secret@127.0.0.1:${proxy.port}` })()(target)
      await expect(failing).rejects.toMatchObject({
        name: 'ProxyFailed',
        code: `PROXY_${status}`,
        message: expect.stringMatching(message),
      })
      await expect(failing).rejects.not.toThrow(/secret|127\.0\.0\.1/)
    }
  })

  it('names its setting when the proxy is not running, speaks no HTTP, or closes the connection', async () => {
    const closing = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1')
    const greeting = createServer((socket) => socket.on('error', () => undefined).end('220 mail\r\n')).listen(
      0,
      '127.0.0.1',
    )
    await Promise.all([once(closing, 'listening'), once(greeting, 'listening')])
    const ports = [closing, greeting].map((one) => (one.address() as AddressInfo).port)
    try {
      for (const port of [1, ...ports]) {
        const failing = fetches({ HTTPS_PROXY: `http://127.0.0.1:${port}` })()(secureUrl())
        await expect(failing).rejects.toMatchObject({ name: 'ProxyFailed', code: 'PROXY_UNREACHABLE' })
        await expect(failing).rejects.toThrow(/\(HTTPS_PROXY\) cannot be reached/)
      }
    } finally {
      closing.close()
      greeting.close()
    }
  })
})

it('reuses a pooled connection through the proxy', async () => {
  const found = proxiesOf({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })(new URL(secureUrl()))!
  const dispatcher = new Agent({ connections: 1, connect: throughProxy(found) })
  try {
    for (let count = 0; count < 3; count++) {
      expect(await (await undiciFetch(secureUrl(), { dispatcher })).text()).toBe('secure')
    }
    expect(proxy.visits).toHaveLength(1)
  } finally {
    await dispatcher.destroy()
  }
})
