import { requestForms, sendRaw, testDatabase, type FormTarget } from '@nmg/process/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildApp } from '@/test/support/built-app.ts'
import { forgetLimits } from '@/test/support/limits.ts'
import { deploymentSecrets, freePort, startProcess, type RunningProcess } from '@/test/support/product.ts'

const MAX_BODY_BYTES = 64 * 1024
const ORIGIN = 'http://localhost:3000'

let web: RunningProcess
let port: number
let databaseUrl: string

beforeAll(async () => {
  await buildApp()
  port = await freePort()
  databaseUrl = (await testDatabase()).url
  web = await startProcess('apps/web/main.ts', '"web.listening"', {
    PORT: String(port),
    WEB_URL: ORIGIN,
    DATABASE_URL: databaseUrl,
    ...deploymentSecrets,
  })
  // Next takes over upgrades with its first request, if it is let.
  await fetch(`http://localhost:${port}/sign-in`)
})

afterAll(() => web?.kill())

// The forms together are more sign-in attempts than a minute allows.
beforeEach(() => forgetLimits(databaseUrl))

interface Endpoint {
  readonly target: FormTarget
  /** Statuses of the responses to the plain forms. */
  readonly status: { readonly get: number; readonly post: number }
}

const endpoint = (
  post: { readonly path: string; readonly body: string; readonly status: number },
  get = '/sign-in',
): Endpoint => ({
  target: {
    port,
    host: `localhost:${port}`,
    get: { path: get },
    post: { path: post.path, body: post.body, maxBodyBytes: MAX_BODY_BYTES, headers: [`Origin: ${ORIGIN}`] },
  },
  status: { get: 200, post: post.status },
})

const endpoints = {
  'a route of this app': () => endpoint({ path: '/api/notion/oauth/start', body: '{}', status: 401 }),
  'an endpoint of better-auth': () =>
    endpoint(
      {
        path: '/api/auth/sign-in/email',
        body: '{"email":"nobody@north.test","password":"no-good-password"}',
        status: 401,
      },
      '/api/auth/get-session',
    ),
  'the registration of clients': () =>
    endpoint(
      { path: '/api/auth/oauth2/register', body: '{"redirect_uris":["http://127.0.0.1/callback"]}', status: 201 },
      '/.well-known/oauth-authorization-server',
    ),
}

describe.each(Object.entries(endpoints))('%s', (_, endpointNow) => {
  it.each(requestForms)('responds to $name as HTTP requires', async ({ on, request, expected, headers = {} }) => {
    const { target, status } = endpointNow()
    const count = 'served' in expected ? expected.served : 1
    const responses = await sendRaw(port, request(target), count)
    expect(responses).toHaveLength(count)
    const statuses = 'served' in expected ? [status[on]] : expected.statuses
    for (const response of responses) expect(statuses, response.body).toContain(response.status)
    for (const [name, pattern] of Object.entries(headers)) expect(responses[0]?.headers[name]).toMatch(pattern)
    if (responses[0]?.status === 405) expect(responses[0].headers['allow']).toBeTruthy()
  })
})

describe('the token endpoint', () => {
  it('takes forms with a length and in chunks alike', async () => {
    const body = 'grant_type=authorization_code&code=x'
    const send = async (framing: string, sent: string) => {
      const head = `POST /api/auth/oauth2/token HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded`
      const [response] = await sendRaw(port, { method: 'POST', bytes: `${head}\r\n${framing}\r\n\r\n${sent}` })
      return { status: response?.status, error: /"error":"(\w+)"/.exec(response?.body ?? '')?.[1] }
    }
    const withLength = await send(`Content-Length: ${body.length}`, body)
    expect(withLength.error).toMatch(/^invalid_/)
    expect(await send('Transfer-Encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)).toEqual(
      withLength,
    )
  })
})

describe('a method that a route does not have', () => {
  it.each([
    ['PUT', '/api/notion/oauth/start', 'POST'],
    ['HEAD', '/api/spaces', 'POST'],
    ['PATCH', '/api/notion', 'DELETE'],
    ['DELETE', '/api/auth/sign-in/email', 'POST'],
    ['GET', '/api/auth/sign-in/email', 'POST'],
  ])('is refused with those that it has (%s %s)', async (method, path, one) => {
    const answer = await fetch(`http://localhost:${port}${path}`, { method, headers: { origin: ORIGIN } })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toContain(one)
  })
})
