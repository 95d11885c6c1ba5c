import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { testDatabase } from '@nmg/process/testing'
import { Client, Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMailServer, type MailServer } from '@/test/support/mail-server.ts'
import { newUser, newCookieClient, type UserClient } from '@/test/support/user.ts'
import { deploymentSecrets, freePort, startProcess, type RunningProcess } from '@/test/support/product.ts'
import { buildApp } from '@/test/support/built-app.ts'
import { openAuth } from '@/lib/auth.ts'
import { authEndpoint } from '@/lib/auth-endpoints.ts'

const PASSWORD = 'a-good-password'
const SCRIPT = '<script>fetch("/api/spaces")</script>'

let database: Client
let mail: MailServer
/** Two processes of one deployment. The second one trusts no proxy. */
let web: RunningProcess
let second: RunningProcess
let webUrl: string
let secondUrl: string
let databaseUrl: string
/** In the gateway's place: answers as upstream made it. */
let gateway: Server
let upstream: { status: number; type: string | undefined; body: string } = { status: 200, type: undefined, body: '' }
let people = 0

beforeAll(async () => {
  await buildApp()
  databaseUrl = (await testDatabase()).url
  database = new Client({ connectionString: databaseUrl })
  await database.connect()
  mail = await startMailServer()
  gateway = createServer((request, response) => {
    request.resume()
    const { status, type, body } = upstream
    response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body)
  }).listen(0)
  await once(gateway, 'listening')
  const [port, secondPort] = [await freePort(), await freePort()]
  webUrl = `http://localhost:${port}`
  secondUrl = `http://localhost:${secondPort}`
  const start = (listen: number, env: Record<string, string>) =>
    startProcess('apps/web/main.ts', '"web.listening"', {
      PORT: String(listen),
      WEB_URL: webUrl,
      DATABASE_URL: databaseUrl,
      CUDU_ENDPOINT: `http://localhost:${(gateway.address() as AddressInfo).port}`,
      SMTP_URL: mail.url,
      MAIL_FROM: 'Notion Gateway <gateway@north.test>',
      CHAT_BASE_URL: 'http://localhost:9/v1',
      CHAT_MODEL: 'a-model',
      ...deploymentSecrets,
      ...env,
    })
  web = await start(port, { TRUSTED_PROXIES: '127.0.0.0/8,::1' })
  second = await start(secondPort, {})
})

afterAll(async () => {
  await web?.kill()
  await second?.kill()
  await mail?.close()
  gateway?.closeAllConnections()
  gateway?.close()
  await database?.end()
})

const user = (name: string) => {
  people += 1
  return newUser(webUrl, { name, email: `${name.toLowerCase()}-${people}@north.test`, password: PASSWORD })
}

/** The same user, at the other process, or as if from another address. */
const sendAs = (who: UserClient, path: string, init: RequestInit & { url?: string; address?: string } = {}) => {
  const { url = webUrl, address, ...rest } = init
  const headers = new Headers(rest.headers)
  headers.set('origin', webUrl)
  headers.set('cookie', [...who.cookies()].map(([name, value]) => `${name}=${value}`).join('; '))
  if (address) headers.set('x-forwarded-for', address)
  if (typeof rest.body === 'string' && !headers.has('content-type')) headers.set('content-type', 'application/json')
  return fetch(url + path, { ...rest, headers, redirect: 'manual' })
}

const post = (who: UserClient, path: string, body: unknown, at: { url?: string; address?: string } = {}) =>
  sendAs(who, path, { method: 'POST', body: JSON.stringify(body), ...at })

async function expectLimited(answer: Response): Promise<void> {
  expect(answer.status).toBe(429)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(await answer.json()).toMatchObject({
    code: 'too_many_attempts',
    detail: expect.stringMatching(/Try again in \d+ (second|minute|hour)s?\.$/),
  })
}

const mailsTo = (to: string) => mail.mails.filter((each) => each.to.join().toLowerCase() === to).length

describe('the mail of invitations', () => {
  const inviteTo = (who: UserClient, email: string, at = {}) =>
    post(who, `/api/spaces/${who.spaceId}/invitations`, { role: 'member', email }, at)

  it('is rate-limited per recipient across addresses and processes, even if each invitation is cancelled', async () => {
    const mallory = await user('Mallory')
    const accomplice = await user('Eve')
    const victim = 'victim@south.test'
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) {
      const who = n % 3 === 2 ? accomplice : mallory
      const spelled = n % 2 ? victim : 'Victim@South.Test'
      const answer = await inviteTo(who, spelled, n % 4 === 3 ? { url: secondUrl } : { address: `203.0.113.${n}` })
      statuses.push(answer.status)
      if (answer.status === 429) {
        await expectLimited(answer)
        continue
      }
      const { id } = (await answer.json()) as { id: string }
      expect((await sendAs(who, `/api/spaces/${who.spaceId}/invitations/${id}`, { method: 'DELETE' })).status).toBe(204)
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(5)
    expect(statuses.at(-1)).toBe(429)
    expect(mailsTo(victim)).toBe(5)
  })

  it('is rate-limited across recipients', async () => {
    const mallory = await user('Mallory')
    const statuses: number[] = []
    for (let n = 0; n < 45; n++) {
      statuses.push((await inviteTo(mallory, `crowd-${n}@south.test`, { address: `198.51.100.${n}` })).status)
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(40)
    await expectLimited(await inviteTo(mallory, 'one-more@south.test'))
  })

  it('is not limited for copied links', async () => {
    const ada = await user('Ada')
    for (let n = 0; n < 8; n++) {
      expect((await post(ada, `/api/spaces/${ada.spaceId}/invitations`, { role: 'member' })).status).toBe(201)
    }
  })

  let ada: UserClient | undefined
  it.each([
    ['line breaks', 'Ada\n\nYour account is locked. Go to http://evil.example/login\n'],
    ['an address', 'http://evil.example/login or www.evil.example'],
    ['quotes', 'Ada”. Your account is locked. Write to help@evil.example “'],
    ['bidi marks', '\u202egnp.exe'],
    ['a header', 'Ada\r\nBcc: everybody@south.test\r\n'],
  ])('keeps its structure for any stored name: %s', async (_, name) => {
    ada ??= await user('Ada')
    await database.query('update web."user" set name = $2 where id = $1', [ada.id, name])
    await database.query('update web.organization set name = $2 where id = $1', [ada.spaceId, name])
    const to = `shaped-${++people}@south.test`
    expect((await inviteTo(ada, to)).status).toBe(201)
    const { content = '', to: recipients } = mail.mails.find((each) => each.to.includes(to)) ?? {}
    expect(recipients).toEqual([to])
    const [head = '', ...body] = content.split('\n\n')
    expect(head).not.toMatch(/^bcc:/im)
    const text = decoded(head, body.join('\n\n'))
    expect(text.split('\n\n').map((each) => each.slice(0, 12))).toEqual([
      'You’re invit',
      'The space is',
      'Join here:\nh',
      'The link wor',
    ])
    // Nothing in it but our own link is made a link by a mail program.
    expect(text.replaceAll(/http:\/\/localhost:\d+\/\S+/g, '').replaceAll(/\([^)]*@north\.test\)/g, '')).not.toMatch(
      /https?:\/\/|www\.\w|\w@\w|\w\.example|\u202e/,
    )
  })
})

describe('guessing', () => {
  it('the password of a signed-in user is rate-limited across processes', async () => {
    const ada = await user('Ada')
    const guess = (n: number) =>
      post(
        ada,
        '/api/auth/change-password',
        { currentPassword: `guess-number-${n}`, newPassword: 'the-new-password' },
        n % 2 ? { url: secondUrl } : { address: `203.0.113.${n}` },
      )
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) statuses.push((await guess(n)).status)
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429])
    await expectLimited(await guess(13))
    expect((await post(ada, '/api/auth/verify-password', { password: PASSWORD })).status).toBe(404)
  })

  it('a password from many addresses of one IPv6 network counts as one address', async () => {
    const cookieClient = newCookieClient(webUrl)
    const guess = (n: number) =>
      cookieClient.fetch('/api/auth/request-password-reset', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `2001:db8:5:6::${n.toString(16)}` },
        body: JSON.stringify({ email: `nobody-${n}@north.test` }),
      })
    const statuses: number[] = []
    for (let n = 1; n <= 8; n++) statuses.push((await guess(n)).status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(5)
  })

  it('invitation links is rate-limited', async () => {
    const mallory = await user('Mallory')
    const answers: Response[] = []
    for (let n = 0; n < 125; n++) answers.push(await post(mallory, `/api/invitations/guess-${n}`, {}))
    expect(answers.filter(({ status }) => status === 404).length).toBeLessThan(125)
    await expectLimited(answers.at(-1) ?? new Response())
  })

  it('client secrets is rate-limited with an OAuth error', async () => {
    const ask = () =>
      fetch(`${webUrl}/api/auth/oauth2/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.200' },
        body: '{}',
      })
    let answer = await ask()
    for (let n = 0; n < 61 && answer.status !== 429; n++) answer = await ask()
    expect(answer.status).toBe(429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.json()).toMatchObject({
      error: 'temporarily_unavailable',
      error_description: expect.stringContaining('Try again in'),
    })
  })
})

describe('the configured model', () => {
  it('is rate-limited per user', async () => {
    upstream = { status: 404, type: 'application/json', body: '{}' }
    const ada = await user('Ada')
    const ask = () =>
      post(ada, `/api/spaces/${ada.spaceId}/chat`, {
        type: 'ask',
        conversationId: crypto.randomUUID(),
        message: { id: crypto.randomUUID(), text: 'What is new?' },
      })
    const answers = await Promise.all(Array.from({ length: 45 }, ask))
    const refused = answers.filter(({ status }) => status === 429)
    for (const answer of answers) if (answer.status !== 429) await answer.body?.cancel()
    expect(refused.length).toBeGreaterThanOrEqual(3)
    await expectLimited(refused[0] ?? new Response())
  })
})

describe('a name', () => {
  const bad = [
    'Ada\nLovelace',
    'Ada\u0000',
    'Ada\u0085',
    'Ada\u2028Lovelace',
    '\u202eada',
    'Ada\u2066',
    'Ada\ud800',
    'Ada\u200b',
    '\u3164',
    '',
    'A'.repeat(101),
  ]

  it('is rejected by every form if it is invalid', async () => {
    const ada = await user('Ada')
    const entrances: Record<string, (name: string) => Promise<Response>> = {
      'signing up': (name) =>
        newCookieClient(webUrl).fetch('/api/auth/sign-up/email', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.201' },
          body: JSON.stringify({ name, email: `bad-${++people}@north.test`, password: PASSWORD }),
        }),
      'changing one’s name': (name) => post(ada, '/api/auth/update-user', { name }),
      'making a space': (name) => post(ada, '/api/spaces', { name }),
      'renaming a space': (name) =>
        sendAs(ada, `/api/spaces/${ada.spaceId}`, { method: 'PATCH', body: JSON.stringify({ name }) }),
      'making a key': (name) => post(ada, `/api/spaces/${ada.spaceId}/keys`, { name, scope: 'notion:read', days: 30 }),
    }
    for (const [entrance, enter] of Object.entries(entrances)) {
      for (const name of bad) expect((await enter(name)).status, `${entrance} as ${JSON.stringify(name)}`).toBe(400)
    }
    const { rows } = await database.query<{ name: string }>('select name from web."user" where id = $1', [ada.id])
    expect(rows).toEqual([{ name: 'Ada' }])
  })
})

describe('a form of another site', () => {
  const jsonRoutes = (who: UserClient): [string, string][] => [
    ['POST', `/api/spaces/${who.spaceId}/invitations`],
    ['POST', '/api/spaces'],
    ['PATCH', `/api/spaces/${who.spaceId}`],
    ['POST', `/api/spaces/${who.spaceId}/chat`],
    ['POST', `/api/spaces/${who.spaceId}/keys`],
    ['POST', `/api/spaces/${who.spaceId}/handover`],
    ['POST', `/api/spaces/${who.spaceId}/tool-calls`],
    ['PATCH', `/api/spaces/${who.spaceId}/members/${who.id}`],
    ['POST', '/api/notion/oauth/start'],
    ['POST', '/api/notion/waiting'],
    ['POST', '/api/oauth/consent'],
    ['POST', `/api/mcp?spaceId=${who.spaceId}`],
    ['POST', '/api/auth/sign-in/email'],
    ['POST', '/api/auth/update-user'],
    ['POST', '/api/auth/change-password'],
  ]

  it('with JSON as text/plain has no effect', async () => {
    const mallory = await user('Mallory')
    const body = JSON.stringify({ role: 'admin', name: 'x', type: 'x', a: '=' })
    for (const [method, path] of jsonRoutes(mallory)) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
        const answer = await sendAs(mallory, path, { method, body, headers: { 'content-type': type } })
        expect(answer.status, `${method} ${path} as ${type}`).toBe(415)
      }
    }
    expect(
      (await database.query('select from web.space_invitation where invited_by = $1', [mallory.id])).rowCount,
    ).toBe(0)
  })

  it('has no effect as a navigation', async () => {
    const ada = await user('Ada')
    for (const [method, path] of jsonRoutes(ada)) {
      const answer = await sendAs(ada, path, {
        method,
        body: '{"role":"admin"}',
        headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      })
      expect(answer.status, path).toBe(403)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
    }
    expect((await database.query('select from web.space_invitation where invited_by = $1', [ada.id])).rowCount).toBe(0)
  })
})

describe('an upstream response', () => {
  let ada: UserClient
  beforeAll(async () => {
    ada = await user('Ada')
  })
  const foreign = [
    'text/html',
    'text/html; charset=utf-8',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/plain',
    'application/javascript',
    'application/pdf',
    undefined,
  ]

  it.each(foreign)('is not forwarded as %s', async (type) => {
    for (const status of [200, 201, 404, 500, 503]) {
      upstream = { status, type, body: SCRIPT }
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await sendAs(ada, `/api/mcp?spaceId=${ada.spaceId}`, {
          method,
          headers: { accept: 'application/json, text/event-stream' },
          ...(method === 'POST' && { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }),
        })
        expect(answer.headers.get('content-type')).toBe('application/problem+json')
        expect(answer.headers.get('content-security-policy')).toMatch(/; sandbox$/)
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
        expect(answer.status).toBe(status < 400 ? 502 : status)
        const text = await answer.text()
        expect(text).not.toContain('script')
        if (status < 400) expect(text).toContain('may have applied')
      }
    }
  })

  it.each([
    ['application/json', 200, '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ['text/event-stream', 200, 'data: {}\n\n'],
    ['application/json', 400, '{"error":"x"}'],
  ])('is forwarded unchanged as data (%s)', async (type, status, body) => {
    upstream = { status, type, body }
    const answer = await post(ada, `/api/mcp?spaceId=${ada.spaceId}`, { jsonrpc: '2.0', id: 1, method: 'ping' })
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([status, type, body])
  })

  it('may be empty', async () => {
    upstream = { status: 202, type: undefined, body: '' }
    const answer = await post(ada, `/api/mcp?spaceId=${ada.spaceId}`, {
      jsonrpc: '2.0',
      method: 'notifications/initialized',
    })
    expect(answer.status).toBe(202)
  })
})

describe('the library’s endpoints', () => {
  it('are disabled unless this app uses them', async () => {
    const pool = new Pool({ connectionString: databaseUrl })
    const auth = await openAuth({
      pool,
      webUrl,
      secret: deploymentSecrets.AUTH_SECRET,
      providers: { offered: [], oidc: undefined, social: {} },
      sendMail: undefined,
    })
    const ada = await user('Ada')
    const endpoints = Object.values(
      auth.api as unknown as Record<string, { path?: string; options?: { method?: string | string[] } }>,
    )
      .filter(({ path }) => path !== undefined)
      .flatMap(({ path = '', options }) =>
        [options?.method ?? 'GET'].flat().map((method) => ({ method, path: path.replaceAll(/:\w+/g, 'x') })),
      )
    expect(endpoints.length).toBeGreaterThan(40)
    let closed = 0
    for (const { method, path } of endpoints) {
      if (method === '*' || authEndpoint(method, `/api/auth${path}`) !== undefined) continue
      const answer = await sendAs(ada, `/api/auth${path}`, { method, ...(method === 'GET' ? {} : { body: '{}' }) })
      expect(answer.status, `${method} ${path}`).toBe(404)
      closed++
    }
    expect(closed).toBeGreaterThan(30)
    await pool.end()
  })

  it('respond to unknown API paths with a problem document', async () => {
    for (const path of ['/api', '/api/nothing', '/api/spaces/x/nothing', '/api/auth/nothing']) {
      const answer = await fetch(webUrl + path)
      expect([answer.status, answer.headers.get('content-type')], path).toEqual([404, 'application/problem+json'])
    }
  })
})

describe('a proxy missing from TRUSTED_PROXIES', () => {
  it('causes one warning', async () => {
    for (let n = 0; n < 3; n++) await fetch(`${secondUrl}/healthz`, { headers: { 'x-forwarded-for': '203.0.113.1' } })
    const lines = second
      .output()
      .split('\n')
      .filter((line) => line.includes('proxy.not_trusted'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('TRUSTED_PROXIES')
    expect(web.output()).not.toContain('proxy.not_trusted')
  })
})

/** A mail's text, as the recipient's program decodes it. */
function decoded(head: string, body: string): string {
  if (/content-transfer-encoding: base64/i.test(head)) return Buffer.from(body, 'base64').toString().trim()
  if (!/content-transfer-encoding: quoted-printable/i.test(head)) return body.trim()
  const bytes = body
    .replaceAll('=\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString().trim()
}
