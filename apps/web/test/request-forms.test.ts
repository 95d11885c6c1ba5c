import { expectedStatus, requestForms, sendForm, testDatabase, type FormTarget } from '@nmg/process/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '@/test/support/built-app.ts'
import { deploymentSecrets, freePort, startProcess, type RunningProcess } from '@/test/support/product.ts'

const MOST = 64 * 1024
const ORIGIN = 'http://localhost:3000'

let web: RunningProcess
let port: number

beforeAll(async () => {
  await buildApp()
  port = await freePort()
  web = await startProcess('apps/web/main.ts', '"web.listening"', {
    PORT: String(port),
    WEB_URL: ORIGIN,
    DATABASE_URL: (await testDatabase()).url,
    ...deploymentSecrets,
  })
  // Next takes over upgrades with its first request, if it is let.
  await fetch(`http://localhost:${port}/sign-in`)
})

afterAll(() => web?.kill())

const target = (post: Pick<FormTarget['post'], 'path' | 'body' | 'status'>, get = '/sign-in'): FormTarget => ({
  port,
  host: `localhost:${port}`,
  get: { path: get, status: 200 },
  post: { ...post, most: MOST, headers: [`Origin: ${ORIGIN}`] },
})

const targets = {
  'a route of this app': () => target({ path: '/api/notion/oauth/start', body: '{}', status: 401 }),
  'an endpoint of better-auth': () =>
    target(
      {
        path: '/api/auth/sign-in/email',
        body: '{"email":"nobody@north.test","password":"no-good-password"}',
        status: 401,
      },
      '/api/auth/get-session',
    ),
  'the registration of clients': () =>
    target(
      { path: '/api/auth/oauth2/register', body: '{"redirect_uris":["http://127.0.0.1/callback"]}', status: 201 },
      '/.well-known/oauth-authorization-server',
    ),
}

describe.each(Object.entries(targets))('%s', (_, targetNow) => {
  it.each(requestForms)('gives $name the right response', async (form) => {
    const response = await sendForm(targetNow(), form)
    expect(expectedStatus(form, targetNow()), response.body).toContain(response.status)
    if (form.isEmpty) expect(response.body).toBe('')
    if (response.status === 405) expect(response.headers.get('allow')).toBeTruthy()
  })
})

describe('the token endpoint', () => {
  const post = { path: '/api/auth/oauth2/token', body: 'grant_type=authorization_code&code=x', status: 400 }
  const form = (headers: string, body: string) => ({
    name: 'a form',
    bytes: () =>
      `POST ${post.path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n${headers}\r\n\r\n${body}`,
    status: [400],
  })

  it('takes forms with a length and in chunks alike', async () => {
    const { body } = post
    const withLength = await sendForm(target(post), form(`Content-Length: ${body.length}`, body))
    const chunked = await sendForm(
      target(post),
      form('Transfer-Encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`),
    )
    expect(chunked.status).toBe(withLength.status)
    const errorIn = (text: string) => /"error":"(\w+)"/.exec(text)?.[1]
    expect(errorIn(chunked.body)).toBe(errorIn(withLength.body))
    expect(errorIn(chunked.body)).toMatch(/^invalid_/)
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
