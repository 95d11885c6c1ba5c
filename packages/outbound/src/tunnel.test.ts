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
/** Takes everything, and answers when it is told to. */
let server: ReturnType<typeof createServer>
let secure: ReturnType<typeof createSecureServer>
let url: string
let received: string
let sockets: Socket[]
let isAnswering: boolean

beforeAll(async () => {
  setDefaultCACertificates([...getCACertificates(), certificate.cert])
  secure = createSecureServer(certificate, (_req, res) => res.end('secure')).listen(0, '127.0.0.1')
  await once(secure, 'listening')
})
beforeEach(async () => {
  proxy = await connectProxy()
  received = ''
  sockets = []
  isAnswering = true
  server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
    socket.on('data', (bytes) => {
      received += bytes.toString()
      if (isAnswering) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
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
    lookup: () => expect.unreachable('the proxy resolves names'),
  })
  return guardedFetches(guard, proxiesOf({ HTTPS_PROXY: address, HTTP_PROXY: address, ...env }))
}

describe('a request through a proxy', () => {
  it('reaches its server, on a connection of its own each time', async () => {
    const fetch = fetches()()
    for (let count = 1; count <= 2; count++) {
      expect(await (await fetch(url, post)).text()).toBe('ok')
      expect(proxy.visits).toEqual(Array<string>(count).fill(new URL(url).host))
      expect(sockets).toHaveLength(count)
    }
    expect(received).not.toMatch(/proxy-|CONNECT /i)
  })

  it('reaches a server with TLS, whose certificate is checked here', async () => {
    expect(await (await fetches()()(secureUrl())).text()).toBe('secure')
    await expect(fetches()()(secureUrl().replace('secure', 'other'))).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  it('goes through a proxy that itself has TLS', async () => {
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
  ])('to %s names %s', async (target, authority) => {
    proxy.refusal = 403
    await fetches()()(target).catch(() => undefined)
    expect(proxy.visits).toEqual([authority])
  })

  it('is not sent to a private address, and then the proxy is not asked either', async () => {
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

  it('still has its size limit', async () => {
    await expect(fetches()({ maxBodyBytes: 1 })(url)).rejects.toMatchObject({ name: 'BodyTooLarge' })
  })
})

describe('a refresh token behind a gate and a proxy', () => {
  it('is asked about once, when the tunnel is open and nothing has been sent through it', async () => {
    const order: string[] = []
    const hooks = {
      beforeSend: () => order.push(`asked, ${proxy.visits.length} tunnel, ${received.length} bytes`) > 0,
      onSend: () => order.push('leaves'),
      onFlushed: () => order.push('left'),
    }
    await fetches()({ hooks })(url, post)
    expect(order).toEqual(['asked, 1 tunnel, 0 bytes', 'leaves', 'left'])
    expect(received).toContain('grant_type=refresh_token')
  })

  it('stays here when the gate is closed', async () => {
    const hooks = { beforeSend: () => false, onSend: () => expect.unreachable() }
    await expect(fetches()({ hooks })(url, post)).rejects.toMatchObject({ name: 'RequestWithheld' })
    await expect.poll(() => sockets.length).toBe(1)
    expect(received).toBe('')
  })

  it('does not leave when the proxy refuses', async () => {
    proxy.refusal = 407
    const hooks = { beforeSend: () => expect.unreachable(), onSend: () => expect.unreachable() }
    await expect(fetches()({ hooks })(url, post)).rejects.toMatchObject({ name: 'ProxyFailed' })
  })

  it.each([
    ['the server is silent', () => (isAnswering = false)],
    ['the proxy is silent', () => (proxy.refusal = 'silence')],
  ])('is cut off with a reset when %s', async (_what, prepare) => {
    prepare()
    await expect(fetches()({ timeoutMs: 300 })(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect.poll(() => proxy.resets).toEqual(['ECONNRESET'])
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true)
  })
})

describe('a proxy that does not do its work', () => {
  it.each([
    [407, /HTTPS?_PROXY\) demands other credentials \(407\)\. Check the user name and password in HTTPS?_PROXY/],
    [403, /HTTPS?_PROXY\) refused to connect to the server \(403\)\. .*NO_PROXY/],
    [302, /HTTPS?_PROXY\) refused to connect to the server \(302\)/],
    [502, /HTTPS?_PROXY\) could not connect to the server \(502\)/],
  ])('and answers %d is named by its setting', async (status, message) => {
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

  it('because nobody is there, it is not a proxy, or it breaks off, is named by its setting', async () => {
    const breaking = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1')
    const talking = createServer((socket) => socket.on('error', () => undefined).end('220 mail\r\n')).listen(
      0,
      '127.0.0.1',
    )
    await Promise.all([once(breaking, 'listening'), once(talking, 'listening')])
    const ports = [breaking, talking].map((one) => (one.address() as AddressInfo).port)
    try {
      for (const port of [1, ...ports]) {
        const failing = fetches({ HTTPS_PROXY: `http://127.0.0.1:${port}` })()(secureUrl())
        await expect(failing).rejects.toMatchObject({ name: 'ProxyFailed', code: 'PROXY_UNREACHABLE' })
        await expect(failing).rejects.toThrow(/\(HTTPS_PROXY\) cannot be reached/)
      }
    } finally {
      breaking.close()
      talking.close()
    }
  })
})

it('a pooled connection goes through the proxy once, and is used again', async () => {
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
