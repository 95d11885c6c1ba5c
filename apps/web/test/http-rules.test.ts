import { createServer, IncomingMessage, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { Socket, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { authEndpoint, isNavigable } from '@/lib/auth-endpoints.ts'
import { databaseFailure } from '@/lib/database-failure.ts'
import { causeOf } from '@/lib/log.ts'
import { isJson, mayLeaveApi } from '@/lib/media-types.ts'
import { isNavigation, letOnlyDataOut } from '@/server/api-guard.ts'
import { setClientAddress } from '@/server/client-address.ts'

function requestWith(headers: IncomingHttpHeaders, { method = 'GET', peer = '192.0.2.1' } = {}): IncomingMessage {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: peer })
  return Object.assign(new IncomingMessage(socket), { headers, method })
}

describe('a media type', () => {
  it.each([
    'application/json',
    'application/json;charset=utf8',
    'Application/JSON',
    'application/problem+json',
    ' application/ld+json ; x',
  ])('%s is JSON', (type) => expect(isJson(type)).toBe(true))
  it.each([
    null,
    '',
    'text/plain',
    'text/json',
    'text/plain; application/json',
    'application/jsonp',
    'application/xhtml+xml',
    'application/json, text/html',
  ])('%s is not JSON', (type) => expect(isJson(type)).toBe(false))
  it.each([
    'text/html',
    'image/svg+xml',
    'text/event-stream2',
    'application/javascript',
    'application/xml',
    'text/plain',
    'application/pdf',
  ])('%s does not leave the API', (type) => expect(mayLeaveApi(type)).toBe(false))
  it('of events leaves the API', () => expect(mayLeaveApi('text/event-stream; charset=utf-8')).toBe(true))
})

describe('a response of the API', () => {
  let close = () => {}
  afterEach(() => close())

  const answerOf = async (handle: RequestListener, init?: RequestInit) => {
    const server = createServer((request, response) => {
      letOnlyDataOut(response, async () => 'GET, HEAD')
      handle(request, response)
    }).listen(0)
    close = () => void server.close()
    await once(server, 'listening')
    return fetch(`http://localhost:${(server.address() as AddressInfo).port}`, { redirect: 'manual', ...init })
  }

  const foreign = [
    'text/html',
    'image/svg+xml',
    'text/plain; charset=utf-8',
    'application/javascript',
    'text/html; application/json',
  ]
  const ways: Record<string, (status: number, type: string) => RequestListener> = {
    'by setHeader and end': (status, type) => (_, response) => {
      response.statusCode = status
      response.setHeader('content-type', type)
      response.end('<script>alert(1)</script>')
    },
    'by writeHead': (status, type) => (_, response) =>
      void response
        .writeHead(status, { 'Content-Type': type, 'Content-Length': '25' })
        .end('<script>alert(1)</script>'),
    'by writeHead with a list': (status, type) => (_, response) =>
      void response.writeHead(status, 'OK', ['Content-Type', type]).end('<script>alert(1)</script>'),
    'in pieces': (status, type) => (_, response) => {
      response.writeHead(status, { 'content-type': type })
      response.write('<script>')
      response.write('alert(1)')
      response.end('</script>')
    },
    'after its head': (status, type) => (_, response) => {
      response.statusCode = status
      response.setHeader('content-type', type)
      response.flushHeaders()
      setImmediate(() => response.end('<script>alert(1)</script>'))
    },
  }

  describe.each(Object.entries(ways))('%s', (_, way) => {
    it.each(foreign)('is replaced if it is %s', async (type) => {
      const answer = await answerOf(way(200, type))
      expect(answer.status).toBe(502)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(await answer.json()).toMatchObject({ status: 502, code: 'unexpected_response' })
    })

    it('keeps the status of an error', async () => {
      const answer = await answerOf(way(404, 'text/html'))
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ status: 404, code: 'not_found' })
    })

    it('is sent if it is data', async () => {
      const answer = await answerOf(way(200, 'application/json'))
      expect(answer.status).toBe(200)
      expect(await answer.text()).toBe('<script>alert(1)</script>')
    })
  })

  it.each([204, 202, 304])('with %i is not replaced', async (status) => {
    const answer = await answerOf((_, response) => void response.writeHead(status).end())
    expect(answer.status).toBe(status)
  })

  it('may redirect', async () => {
    const answer = await answerOf((_, response) => void response.writeHead(302, { location: '/sign-in' }).end())
    expect(answer.status).toBe(302)
  })

  it('with 405 names the supported methods', async () => {
    const answer = await answerOf((_, response) => void response.writeHead(405).end())
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect(await answer.json()).toMatchObject({ code: 'method_not_allowed' })
  })

  it('that fails without a body is a problem document', async () => {
    const answer = await answerOf((_, response) => void response.writeHead(500).end())
    expect(await answer.json()).toMatchObject({ status: 500, code: 'internal' })
  })
})

describe('a request to the API', () => {
  it.each([
    ['a navigation', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, true],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, true],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, true],
    ['a script', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }, true],
    ['an object', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'embed' }, true],
    ['a call of a page', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, false],
    ['a client without a browser', {}, false],
  ])('of %s is a navigation: %s %s', (_, headers, is) => {
    expect(isNavigation(requestWith(headers), '/api/mcp')).toBe(is)
    expect(isNavigation(requestWith(headers, { method: 'POST' }), '/api/spaces')).toBe(is)
  })

  it('may be a navigation to paths that browsers must open', () => {
    expect(isNavigable('GET', '/api/auth/oauth2/authorize')).toBe(true)
    expect(isNavigable('GET', '/api/auth/callback/oidc')).toBe(true)
    expect(isNavigable('POST', '/api/auth/callback/google')).toBe(true)
    expect(isNavigable('POST', '/api/auth/oauth2/authorize')).toBe(false)
    expect(isNavigable('POST', '/api/auth/sign-in/email')).toBe(false)
    expect(isNavigable('GET', '/api/auth/callback/../sign-out')).toBe(false)
  })
})

describe('an endpoint of accounts', () => {
  it.each([
    ['POST', '/verify-password'],
    ['POST', '/sign-in/email/'],
    ['POST', '/sign-in%2Femail'],
    ['POST', '//sign-in/email'],
    ['POST', '/sign-in/magic-link'],
    ['GET', '/reset-password/some-token'],
    ['GET', '/callback/a/b'],
    ['POST', '/constructor'],
    ['GET', ''],
  ])('is not found if it is not listed (%s %s)', (method, path) => {
    expect(authEndpoint(method, `/api/auth${path}`)).toBeUndefined()
  })

  it('lists its methods', () => {
    expect(authEndpoint('GET', '/api/auth/sign-in/email')).toEqual({ allow: ['POST'] })
    expect(authEndpoint('OPTIONS', '/api/auth/oauth2/token')).toEqual({ endpoint: { isOpen: true } })
    expect(authEndpoint('OPTIONS', '/api/auth/sign-in/email')).toEqual({ allow: ['POST'] })
  })
})

describe('the address of a client', () => {
  it.each([
    ['without proxies is that of the connection', [], undefined, '192.0.2.1', '192.0.2.1'],
    ['without proxies is not what it says', [], '203.0.113.5', '192.0.2.1', '192.0.2.1'],
    ['behind a proxy is what that says', ['192.0.2.0/24'], '203.0.113.5', '192.0.2.1', '203.0.113.5'],
    [
      'behind a proxy is the last that is not ours',
      ['192.0.2.0/24'],
      '10.0.0.1, 203.0.113.5, 192.0.2.7',
      '192.0.2.1',
      '203.0.113.5',
    ],
    ['is the proxy’s when that says nothing', ['192.0.2.1'], undefined, '192.0.2.1', '192.0.2.1'],
    ['is the proxy’s when that says nonsense', ['192.0.2.1'], 'unknown', '192.0.2.1', '192.0.2.1'],
    ['that does not come by the proxy is its own', ['192.0.2.0/24'], '203.0.113.5', '198.51.100.1', '198.51.100.1'],
    ['in IPv6 form is the IPv4 one', [], undefined, '::ffff:192.0.2.1', '192.0.2.1'],
  ])('%s', (_, proxies, forwarded, peer, expected) => {
    const request = requestWith(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }, { peer })
    setClientAddress(request, proxies)
    expect(request.headers['x-forwarded-for']).toBe(expected)
  })
})

describe('a cause in the log', () => {
  const networkError = new TypeError('fetch failed', {
    cause: new AggregateError([Object.assign(new Error(''), { code: 'ECONNREFUSED' })], ''),
  })
  const diskFull = Object.assign(new Error('could not extend file'), { code: '53100', severity: 'ERROR' })

  it.each([networkError, new Error(''), '', undefined, null, 7, { a: 1 }, new AggregateError([])])(
    'is never empty (%#)',
    (error) => {
      expect(causeOf(error).cause).toMatch(/\w/)
    },
  )

  it('names the underlying cause', () => {
    expect(causeOf(networkError).cause).toBe('TypeError: fetch failed <- AggregateError <- Error: ECONNREFUSED')
  })

  it('has the SQLSTATE of the database', () => {
    expect(causeOf(new Error('query', { cause: diskFull }))).toMatchObject({ sqlstate: '53100' })
  })

  it.each([
    ['53100', 'database.disk_full'],
    ['53300', 'database.too_many_connections'],
    ['53400', 'database.out_of_resources'],
    ['25006', 'database.read_only'],
    ['57P01', 'database.unreachable'],
    ['08006', 'database.unreachable'],
    ['28P01', 'database.login_refused'],
    ['3D000', 'database.missing'],
    ['23505', undefined],
    ['42P01', undefined],
  ])('with SQLSTATE %s is %s', (code, event) => {
    expect(databaseFailure(Object.assign(new Error('x'), { code, severity: 'ERROR' }))?.event).toBe(event)
  })

  it('of an unavailable gateway is not attributed to the database', () => {
    expect(databaseFailure(new Error('Unexpected', { cause: new Error('x') }))).toBeUndefined()
  })
})
