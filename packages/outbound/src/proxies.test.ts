import { EnvHttpProxyAgent } from 'undici'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { proxiesFrom, proxySettings } from './proxies.ts'

const Settings = z.object(proxySettings)
const settingFor = (env: Record<string, string>, url: string) => proxiesFrom(Settings.parse(env))(new URL(url))?.setting

describe('the proxy for a URL', () => {
  const [one, two] = ['http://one.test:3128', 'http://two.test:3128']

  it.each<[Record<string, string>, string | undefined, string | undefined]>([
    [{}, undefined, undefined],
    [{ HTTPS_PROXY: one }, 'HTTPS_PROXY', undefined],
    [{ HTTP_PROXY: one }, 'HTTP_PROXY', 'HTTP_PROXY'],
    [{ HTTPS_PROXY: one, HTTP_PROXY: two }, 'HTTPS_PROXY', 'HTTP_PROXY'],
    [{ https_proxy: one, HTTPS_PROXY: two, http_proxy: two }, 'https_proxy', 'http_proxy'],
    [{ NO_PROXY: 'x' }, undefined, undefined],
  ])('is selected by the scheme: %j', (env, secure, plain) => {
    expect([settingFor(env, 'https://a.test'), settingFor(env, 'http://a.test')]).toEqual([secure, plain])
  })

  it('is never used for loopback addresses', () => {
    for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.8.9.1', '[::1]']) {
      expect(settingFor({ HTTPS_PROXY: one, HTTP_PROXY: one }, `http://${host}:9000`)).toBeUndefined()
      expect(settingFor({ HTTPS_PROXY: one }, `https://${host}`)).toBeUndefined()
    }
  })
})

describe('a proxy', () => {
  it.each([
    ['http://proxy.test:3128', 'http://proxy.test:3128/', undefined],
    ['proxy.test:3128', 'http://proxy.test:3128/', undefined],
    ['https://proxy.test', 'https://proxy.test/', undefined],
    ['http://10.0.0.1:8080/', 'http://10.0.0.1:8080/', undefined],
    ['http://ada:secret@proxy.test:3128', 'http://proxy.test:3128/', 'ada:secret'],
    ['ada:s%40cret@proxy.test:3128', 'http://proxy.test:3128/', 'ada:s@cret'],
    ['http://ada@proxy.test', 'http://proxy.test/', 'ada:'],
  ])('%s has the origin %s', (HTTPS_PROXY, href, credentials) => {
    const proxy = proxiesFrom(Settings.parse({ HTTPS_PROXY }))(new URL('https://a.test'))
    expect(proxy?.url.href).toBe(href)
    const [scheme, base64 = ''] = proxy?.authorization()?.split(' ') ?? []
    expect([scheme, Buffer.from(base64, 'base64').toString() || undefined]).toEqual([
      credentials && 'Basic',
      credentials,
    ])
    expect(JSON.stringify(proxy)).not.toMatch(/ada|secret|Basic/)
  })

  it.each(['socks5://proxy.test', 'http://', 'ftp://proxy.test', 'http://a:%@proxy.test', 'not a url', ':3128'])(
    'rejects %s',
    (value) => {
      for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']) {
        const { error } = Settings.safeParse({ [name]: value })
        expect(error?.issues).toMatchObject([{ path: [name], message: expect.stringContaining('HTTP proxy') }])
      }
    },
  )
})

describe('NO_PROXY', () => {
  /** undici agrees on these. */
  const COMMON: [string, string, boolean][] = [
    ['', 'https://a.test', false],
    ['*', 'https://a.test', true],
    [' * ', 'https://a.test', true],
    ['a.test', 'https://a.test', true],
    ['A.Test', 'https://a.TEST', true],
    ['a.test', 'https://b.a.test', true],
    ['a.test', 'https://xa.test', false],
    ['a.test', 'https://a.test.evil', false],
    ['.a.test', 'https://a.test', true],
    ['.a.test', 'https://b.a.test', true],
    ['*.a.test', 'https://b.a.test', true],
    ['x.test,a.test', 'https://a.test', true],
    ['x.test, a.test', 'https://a.test', true],
    ['x.test a.test', 'https://a.test', true],
    [',, ,', 'https://a.test', false],
    ['a.test:443', 'https://a.test', true],
    ['a.test:443', 'https://a.test:8443', false],
    ['a.test:8443', 'https://a.test:8443', true],
    ['a.test:80', 'http://a.test', true],
    ['10.0.0.1', 'https://10.0.0.1', true],
    ['10.0.0.1', 'https://10.0.0.10', false],
    ['10.0.0.1:8443', 'https://10.0.0.1:8443', true],
    ['[fd00::1]', 'https://[fd00::1]', true],
    ['[fd00::1]:8443', 'https://[fd00::1]:8443', true],
    ['[fd00::1]:8443', 'https://[fd00::1]', false],
  ]
  /** curl supports these, undici does not. */
  const MORE: [string, string, boolean][] = [
    ['fd00::1', 'https://[fd00::1]', true],
    ['10.0.0.0/8', 'https://10.9.8.7', true],
    ['10.0.0.0/8', 'https://11.9.8.7', false],
    ['fd00::/8', 'https://[fd00::7]', true],
    ['10.0.0.0/33', 'https://10.0.0.1', false],
    ['10.0.0.0/8', 'https://a.test', false],
    ['a.test.', 'https://a.test', true],
    ['a.test', 'https://a.test.', true],
    ['bücher.test', 'https://xn--bcher-kva.test', true],
  ]

  it.each([...COMMON, ...MORE])('%j for %s: direct %s', (NO_PROXY, url, isDirect) => {
    const env = { HTTPS_PROXY: 'http://proxy.test', HTTP_PROXY: 'http://proxy.test' }
    expect(settingFor({ ...env, NO_PROXY }, url) === undefined).toBe(isDirect)
    expect(settingFor({ ...env, no_proxy: NO_PROXY, NO_PROXY: 'other' }, url) === undefined).toBe(isDirect)
  })

  it.each(COMMON)('%j is interpreted as by undici for %s', async (noProxy, url, isDirect) => {
    const ways: string[] = []
    const record = (way: string) => {
      ways.push(way)
      throw new Error('recorded')
    }
    const agent = new EnvHttpProxyAgent({
      httpProxy: 'http://proxy.test',
      httpsProxy: 'http://proxy.test',
      noProxy: noProxy.trim(),
      clientFactory: () => ({ connect: () => record('proxy') }) as never,
      connect: () => record('direct'),
    })
    await agent.request({ origin: url, path: '/', method: 'GET' }).catch(() => undefined)
    expect(ways[0]).toBe(isDirect ? 'direct' : 'proxy')
  })
})
