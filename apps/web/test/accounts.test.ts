import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { chromiumPath, testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { accessibilityFaults } from '@/test/support/accessibility.ts'
import { complaintsOf, launchBrowser, newProfile } from '@/test/support/browser.ts'
import { startMailServer, type MailServer } from '@/test/support/mail-server.ts'
import { startOidcProvider, type OidcProvider } from '@/test/support/oidc-provider.ts'
import { newUser, newCookieClient, type UserClient } from '@/test/support/user.ts'
import { deploymentSecrets, freePort, startProcess, type RunningProcess } from '@/test/support/product.ts'
import { buildApp } from '@/test/support/built-app.ts'

const PASSWORD = 'a-good-password'
const NEW_PASSWORD = 'another-good-password'
const RESET_LINK = resolve(import.meta.dirname, '../reset-link.ts')

let web: RunningProcess
let webUrl: string
let databaseUrl: string
let database: Client
let mail: MailServer
let oidc: OidcProvider
let people = 0

beforeAll(async () => {
  await buildApp()
  databaseUrl = (await testDatabase()).url
  database = new Client({ connectionString: databaseUrl })
  await database.connect()
  const port = await freePort()
  webUrl = `http://localhost:${port}`
  mail = await startMailServer()
  oidc = await startOidcProvider(() => `${webUrl}/api/auth/callback/oidc`)
  web = await startProcess('apps/web/main.ts', '"web.listening"', {
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    ...deploymentSecrets,
    SMTP_URL: mail.url,
    MAIL_FROM: 'Notion Gateway <gateway@north.test>',
    OIDC_ISSUER: oidc.issuer,
    OIDC_CLIENT_ID: oidc.client.id,
    OIDC_CLIENT_SECRET: oidc.client.secret,
    OIDC_NAME: 'North',
  })
})

afterAll(async () => {
  await web?.kill()
  await oidc?.close()
  await mail?.close()
  await database?.end()
})

const address = (name: string) => `${name.toLowerCase()}-${++people}@north.test`
const user = (name: string) => newUser(webUrl, { name, email: address(name), password: PASSWORD })

const signIn = (email: string, password: string) =>
  newCookieClient(webUrl).post('/api/auth/sign-in/email', { email, password })

const askForReset = (email: string) => newCookieClient(webUrl).post('/api/auth/request-password-reset', { email })

const isSignedIn = async (who: Pick<UserClient, 'fetch'>) => (await who.fetch('/api/notion')).status !== 401

/** Somebody else's browser, signed in to the same account. */
async function elsewhere(who: UserClient): Promise<ReturnType<typeof newCookieClient>> {
  const cookieClient = newCookieClient(webUrl)
  const response = await cookieClient.post('/api/auth/sign-in/email', who.account)
  expect(response.status).toBe(200)
  return cookieClient
}

describe('a forgotten password', () => {
  const reset = (token: string, newPassword = NEW_PASSWORD) =>
    newCookieClient(webUrl).post('/api/auth/reset-password', { token, newPassword })
  const mailedToken = async (to: string) => {
    await expect.poll(() => mail.mails.some((each) => each.to.includes(to))).toBe(true)
    const { content } = mail.mails.findLast((each) => each.to.includes(to)) ?? { content: '' }
    // Long lines are folded for the way.
    return /\/reset-password#([\w-]+)/.exec(content.replaceAll('=\n', ''))?.[1] ?? ''
  }

  it('is reset with an emailed link that works once and ends all sessions', async () => {
    const ada = await user('Ada')
    expect((await askForReset(ada.account.email)).status).toBe(200)
    const token = await mailedToken(ada.account.email)
    expect(token).toMatch(/^[\w-]{20,}$/)
    expect((await reset(token)).status).toBe(200)
    expect(await isSignedIn(ada)).toBe(false)
    expect((await signIn(ada.account.email, PASSWORD)).status).toBe(401)
    expect((await signIn(ada.account.email, NEW_PASSWORD)).status).toBe(200)
    expect((await reset(token, 'a-third-password')).status).toBe(400)
    const { rows } = await database.query('select * from web.verification')
    expect(JSON.stringify(rows)).not.toContain(token)
    expect(web.output()).not.toContain(token)
  })

  it('gets the same response whether the account exists or not', async () => {
    const ben = await user('Ben')
    const [known, unknown] = await Promise.all([askForReset(ben.account.email), askForReset('nobody@north.test')])
    expect(unknown.status).toBe(known.status)
    expect(await unknown.text()).toBe(await known.text())
    await mailedToken(ben.account.email)
    expect(mail.mails.flatMap((each) => each.to)).not.toContain('nobody@north.test')
  })

  it('cannot be requested from another site', async () => {
    const response = await newCookieClient(webUrl).fetch('/api/auth/request-password-reset', {
      method: 'POST',
      origin: 'https://evil.example',
      headers: { 'content-type': 'application/json', cookie: 'a=b' },
      body: JSON.stringify({ email: 'ada@north.test' }),
    })
    expect(response.status).toBe(403)
  })

  it('is reset with an operator’s link that expires after an hour', { timeout: 60_000 }, async () => {
    const dora = await user('Dora')
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [RESET_LINK, ...args], {
        env: {
          NODE_ENV: 'test',
          PATH: process.env['PATH'],
          DATABASE_URL: databaseUrl,
          WEB_URL: webUrl,
          ...deploymentSecrets,
        },
      })
    const link = (await run(dora.account.email)).stdout.trim()
    expect(link).toMatch(new RegExp(`^${webUrl}/reset-password#[\\w-]{43}$`))
    const token = link.split('#')[1] ?? ''
    await database.query(`update web.verification set "expiresAt" = now() - interval '1 second'`)
    expect((await reset(token)).status).toBe(400)

    const second = (await run(dora.account.email)).stdout.trim().split('#')[1] ?? ''
    expect((await reset(second)).status).toBe(200)
    expect((await signIn(dora.account.email, NEW_PASSWORD)).status).toBe(200)

    await expect(run('nobody@north.test')).rejects.toMatchObject({
      code: 1,
      stderr: 'reset-link: No account has this email address.\n',
    })
    await expect(run()).rejects.toMatchObject({ stderr: expect.stringContaining('Pass the email address') as string })
  })
})

describe('a password', () => {
  it('requires the current password to change and ends other sessions', async () => {
    const eve = await user('Eve')
    const other = await elsewhere(eve)
    const change = (currentPassword: string) =>
      eve.post('/api/auth/change-password', { currentPassword, newPassword: NEW_PASSWORD, revokeOtherSessions: true })
    expect((await change('not-the-password')).status).toBe(400)
    expect(await isSignedIn(other)).toBe(true)
    expect((await change(PASSWORD)).status).toBe(200)
    expect(await isSignedIn(other)).toBe(false)
    expect(await isSignedIn(eve)).toBe(true)
    expect((await signIn(eve.account.email, PASSWORD)).status).toBe(401)
  })
})

describe('sessions', () => {
  const idsOf = async (who: UserClient) => {
    const { rows } = await database.query<{ id: string }>(
      'select id from web.session where "userId" = $1 order by "createdAt"',
      [who.id],
    )
    return rows.map((row) => row.id)
  }
  const end = (who: Pick<UserClient, 'fetch'>, id = '', origin = webUrl) =>
    who.fetch(`/api/account/sessions${id && `/${id}`}`, { method: 'DELETE', origin })

  it('are listed with their device and revoked one by one or all but the current one', async () => {
    const fay = await user('Fay')
    const others = [await elsewhere(fay), await elsewhere(fay), await elsewhere(fay)]
    const page = await (await fay.fetch('/account', { headers: { 'user-agent': 'test' } })).text()
    expect(page.match(/Unknown device/g)?.length).toBeGreaterThanOrEqual(4)
    const [, first = ''] = await idsOf(fay)
    expect((await end(fay, first)).status).toBe(204)
    expect(await Promise.all(others.map(isSignedIn))).toEqual([false, true, true])
    expect((await end(fay)).status).toBe(204)
    expect(await Promise.all(others.map(isSignedIn))).toEqual([false, false, false])
    expect(await isSignedIn(fay)).toBe(true)
  })

  it('cannot be revoked by another user', async () => {
    const [gus, mallory] = [await user('Gus'), await user('Mallory')]
    const [own = ''] = await idsOf(gus)
    expect((await end(mallory, own)).status).toBe(204)
    await end(mallory)
    expect(await isSignedIn(gus)).toBe(true)
    expect((await end(gus, own, 'https://evil.example')).status).toBe(403)
    expect((await end(newCookieClient(webUrl), own)).status).toBe(401)
    expect((await end(gus, "x' or true --")).status).toBe(204)
    expect(await isSignedIn(gus)).toBe(true)
  })
})

describe('an invitation', () => {
  it('is emailed only to its recipient, whatever addresses a name contains', async () => {
    const hal = await user('Hal')
    const to = address('Ida')
    const made = await hal.post(`/api/spaces/${hal.spaceId}/invitations`, { role: 'member', email: to })
    const { link, mail: state } = (await made.json()) as { link: string; mail: string }
    expect(state).toBe('sent')
    const { content, to: recipients, from } = mail.mails.findLast((each) => each.to.includes(to)) ?? {}
    expect([from, recipients]).toEqual(['gateway@north.test', [to]])
    // Long lines are folded for the way.
    expect(content?.replaceAll('=\n', '')).toContain(link)
  })
})

describe('single sign-on', () => {
  /** From the button to the end, as a browser goes. */
  async function arrive(
    cookieClient = newCookieClient(webUrl),
    path = '/sign-in/social',
    body: object = {},
  ): Promise<URL> {
    const begun = await cookieClient.post(`/api/auth${path}`, {
      provider: 'oidc',
      callbackURL: '/account',
      errorCallbackURL: '/sign-in',
      ...body,
    })
    expect(begun.status).toBe(200)
    const { url } = (await begun.json()) as { url: string }
    const consented = await fetch(url, { redirect: 'manual' })
    const callback = new URL(consented.headers.get('location') ?? 'about:blank')
    const ended = await cookieClient.fetch(callback.pathname + callback.search)
    return new URL(ended.headers.get('location') ?? 'about:blank', webUrl)
  }
  const accounts = async (email: string) => {
    const { rows } = await database.query<{ providerId: string }>(
      `select "providerId" from web.account join web."user" person on person.id = "userId" where email = $1 order by 1`,
      [email],
    )
    return rows.map((row) => row.providerId)
  }

  beforeEach(() => {
    oidc.lie({})
    oidc.lieInUserInfo({})
  })

  it('shows a button with the configured name', async () => {
    expect(await (await fetch(`${webUrl}/sign-in`)).text()).toMatch(/Continue with(<!-- -->)? (<!-- -->)?North/)
  })

  it('creates an account at the first sign-in and reuses it afterwards', async () => {
    const email = address('Jon')
    oidc.become({ sub: 'jon', email, email_verified: true, name: 'Jon Snow' })
    for (let n = 0; n < 2; n++) {
      const cookieClient = newCookieClient(webUrl)
      expect((await arrive(cookieClient)).pathname).toBe('/account')
      expect(await (await cookieClient.fetch('/account')).text()).toContain('Jon Snow')
    }
    expect(await accounts(email)).toEqual(['oidc'])
    expect(oidc.refusals).toEqual([])
  })

  it.each([true, false])(
    'does not open the account that somebody made with a password (email verified there: %s)',
    async (email_verified) => {
      const kim = await user('Kim')
      oidc.become({ sub: `mallory-${email_verified}`, email: kim.account.email, email_verified })
      const cookieClient = newCookieClient(webUrl)
      const end = await arrive(cookieClient)
      expect([end.pathname, end.searchParams.get('error')]).toEqual(['/sign-in', 'account_not_linked'])
      expect(await isSignedIn(cookieClient)).toBe(false)
      expect(await accounts(kim.account.email)).toEqual(['credential'])
    },
  )

  it('connects to an existing account only while signed in and with the same email', async () => {
    const lea = await user('Lea')
    oidc.become({ sub: 'lea-else', email: 'else@north.test', email_verified: true })
    expect((await arrive(lea, '/link-social', { errorCallbackURL: '/account' })).searchParams.get('error')).toBeTruthy()
    expect(await accounts(lea.account.email)).toEqual(['credential'])
    oidc.become({ sub: 'lea', email: lea.account.email, email_verified: true })
    expect((await arrive(lea, '/link-social')).searchParams.get('error')).toBeNull()
    expect(await accounts(lea.account.email)).toEqual(['credential', 'oidc'])
    const cookieClient = newCookieClient(webUrl)
    expect((await arrive(cookieClient)).pathname).toBe('/account')
    expect(await (await cookieClient.fetch('/account')).text()).toContain(lea.account.email)
  })

  it.each([
    ['for another client', { aud: 'somebody-else' }, undefined],
    ['of another issuer', { iss: 'https://evil.example' }, undefined],
    ['of another attempt', { nonce: 'replayed' }, undefined],
    ['signed by somebody else', {}, 'another'],
  ] as const)('takes no token %s', async (_, claims, key) => {
    oidc.become({ sub: 'ned', email: address('Ned'), email_verified: true })
    oidc.lie(claims, key)
    const cookieClient = newCookieClient(webUrl)
    const end = await arrive(cookieClient)
    expect(end.searchParams.get('error')).toBeTruthy()
    expect(await isSignedIn(cookieClient)).toBe(false)
  })

  it('accepts UserInfo only for the subject of the ID token (OIDC Core §5.3.2)', async () => {
    oidc.become({ sub: 'pia', email: address('Pia'), email_verified: true, name: 'Pia' })
    // Without an address in the ID token, UserInfo is asked for it.
    oidc.lie({ email: undefined })
    const pia = newCookieClient(webUrl)
    expect((await arrive(pia)).searchParams.get('error')).toBeNull()
    expect(await isSignedIn(pia)).toBe(true)
    for (const claims of [{ sub: 'somebody-else' }, { sub: undefined }, { sub: '' }]) {
      oidc.lieInUserInfo(claims)
      const cookieClient = newCookieClient(webUrl)
      expect((await arrive(cookieClient)).searchParams.get('error')).toBeTruthy()
      expect(await isSignedIn(cookieClient)).toBe(false)
    }
  })

  it('reports a declined sign-in and rejects a callback from another browser', async () => {
    oidc.become(undefined)
    expect((await arrive()).searchParams.get('error')).toBe('access_denied')

    oidc.become({ sub: 'olga', email: address('Olga'), email_verified: true })
    const victim = newCookieClient(webUrl)
    const begun = await newCookieClient(webUrl).post('/api/auth/sign-in/social', { provider: 'oidc', callbackURL: '/' })
    const consented = await fetch(((await begun.json()) as { url: string }).url, { redirect: 'manual' })
    const callback = new URL(consented.headers.get('location') ?? 'about:blank')
    await victim.fetch(callback.pathname + callback.search)
    expect(await isSignedIn(victim)).toBe(false)
  })

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example'])(
    'does not lead on to %s',
    async (callbackURL) => {
      oidc.become({ sub: 'pia', email: address('Pia'), email_verified: true })
      const response = await newCookieClient(webUrl).post('/api/auth/sign-in/social', { provider: 'oidc', callbackURL })
      expect(response.status).toBe(403)
    },
  )

  it('fails at startup with wrong settings', { timeout: 60_000 }, async () => {
    const start = (settings: Record<string, string>) =>
      startProcess('apps/web/main.ts', '"web.listening"', {
        PORT: '3000',
        DATABASE_URL: databaseUrl,
        ...deploymentSecrets,
        OIDC_CLIENT_ID: 'nmg',
        OIDC_CLIENT_SECRET: 'a-hidden-word',
        ...settings,
      }).then(
        () => 'started',
        (error: Error) => error.message,
      )
    const [other, plain, half] = await Promise.all([
      start({ OIDC_ISSUER: oidc.issuer.replace('localhost', '127.0.0.1') }),
      start({ OIDC_ISSUER: 'http://login.example.com' }),
      start({ GITHUB_CLIENT_ID: 'x' }),
    ])
    expect(other).toContain(`calls itself ${oidc.issuer}`)
    expect(plain).toContain('OIDC_ISSUER: must be an https URL')
    expect(half).toContain('OIDC_ISSUER: is needed together with OIDC_CLIENT_ID and OIDC_CLIENT_SECRET')
    expect(half).toContain('GITHUB_CLIENT_ID: is needed together with GITHUB_CLIENT_SECRET')
    for (const message of [other, plain, half]) expect(message).not.toContain('a-hidden-word')
  })
})

describe('a single sign-on provider that does not respond at startup', () => {
  it('does not block other sign-in methods, explains the outage, and works once the provider responds', async () => {
    const [port, oidcPort] = [await freePort(), await freePort()]
    const web = await startProcess('apps/web/main.ts', '"web.listening"', {
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      ...deploymentSecrets,
      OIDC_ISSUER: `http://localhost:${oidcPort}`,
      OIDC_CLIENT_ID: 'nmg',
      OIDC_CLIENT_SECRET: 'a-hidden-word',
    })
    const url = `http://localhost:${port}`
    const press = async () =>
      newCookieClient(url).post('/api/auth/sign-in/social', {
        provider: 'oidc',
        callbackURL: '/',
        errorCallbackURL: '/',
      })
    let looks = 0
    const down = createServer((socket) => {
      looks++
      socket.destroy()
    })
    let late: OidcProvider | undefined
    try {
      expect((await fetch(`${url}/sign-in`)).status).toBe(200)
      const refused = await press()
      expect([refused.status, await refused.json()]).toEqual([
        404,
        expect.objectContaining({ code: 'PROVIDER_NOT_FOUND' }),
      ])
      await once(down.listen(oidcPort), 'listening')
      await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(0)
      await new Promise((resolve) => down.close(resolve))
      late = await startOidcProvider(() => `${url}/api/auth/callback/oidc`, oidcPort)
      await expect.poll(async () => (await press()).status, { timeout: 20_000, interval: 250 }).toBe(200)
      expect(web.output().match(/single_sign_on\.\w+/g)).toEqual(['single_sign_on.silent', 'single_sign_on.available'])
      expect(web.output()).not.toContain('a-hidden-word')
    } finally {
      await web.stop()
      await late?.close()
      down.close()
    }
  })
})

describe.skipIf(!chromiumPath())('in the browser', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchBrowser(chromiumPath() ?? '')
  })

  afterAll(() => browser?.close())

  it('resets a password with the emailed link, changes it, and lists and revokes sessions', async () => {
    const account = { name: 'Quin', email: address('Quin'), password: PASSWORD }
    const quin = await newUser(webUrl, account)
    const page = await newProfile(browser)
    await page.goto(`${webUrl}/sign-in`)
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor()
    await page.getByLabel('Email').fill(account.email)
    await page.getByRole('button', { name: 'Send reset link' }).click()
    await page.getByText('a reset link is on its way').waitFor()
    await expect.poll(() => mail.mails.some((each) => each.to.includes(account.email))).toBe(true)
    const { content = '' } = mail.mails.findLast((each) => each.to.includes(account.email)) ?? {}
    const [link = ''] = /http\S+\/reset-password#[\w-]+/.exec(content.replaceAll('=\n', '')) ?? []
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url() + (request.headers()['referer'] ?? '')))
    await page.goto(link)
    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Set new password' }).click()
    await page.getByText('Password changed.').waitFor()
    expect(page.url()).toBe(`${webUrl}/reset-password`)
    expect(asked.join()).not.toContain(link.split('#')[1])
    // Used: the page says so before anybody chooses a password.
    const again = await page.context().newPage()
    await again.goto(link)
    await again.getByText('This link no longer works').waitFor()
    expect(await again.getByLabel('New password').count()).toBe(0)
    await again.close()
    expect(await isSignedIn(quin)).toBe(false)

    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.getByLabel('Email').fill(account.email)
    await page.getByLabel('Password').fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: /^Account of/ }).click()
    const other = newCookieClient(webUrl)
    expect((await other.post('/api/auth/sign-in/email', { email: account.email, password: NEW_PASSWORD })).status).toBe(
      200,
    )
    await page.getByRole('menuitem', { name: 'Your account' }).click()
    const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem')
    await sessions.getByText('Chrome on Linux').waitFor()
    expect(await sessions.count()).toBe(2)
    await page.getByRole('button', { name: 'Sign out Unknown device' }).click()
    await expect.poll(() => sessions.count()).toBe(1)
    expect(await isSignedIn(other)).toBe(false)

    await page.getByLabel('Current password').fill('not-the-password')
    await page.getByLabel('New password').fill('a-third-password')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('Incorrect current password.').waitFor()
    await page.getByLabel('Current password').fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('You’re signed out everywhere else.').waitFor()
    await page.getByLabel('Your name').fill('Quinn')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Account of Quinn' }).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(complaintsOf(page)).toEqual([])
  })

  it('single sign-on leads from the button to the space', async () => {
    oidc.lie({})
    oidc.become({ sub: 'rae', email: address('Rae'), email_verified: true, name: 'Rae' })
    const page = await newProfile(browser)
    await page.goto(`${webUrl}/sign-in?next=/account`)
    await page.getByRole('button', { name: 'Continue with North' }).click()
    await page.waitForURL(`${webUrl}/account`)
    await page.getByText('Connected', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: 'Disconnect North' }).isDisabled()).toBe(true)
    expect(await accessibilityFaults(page)).toEqual([])

    oidc.become(undefined)
    await page.context().clearCookies()
    await page.goto(`${webUrl}/sign-in`)
    await page.getByRole('button', { name: 'Continue with North' }).click()
    await page.getByText('Sign-in was declined.').waitFor()
    expect(complaintsOf(page)).toEqual([])
  })
})

// The last, because nobody here gets mail for a while after it.
describe('an address of the network', () => {
  it('can trigger only a few emails a minute', async () => {
    const cem = await user('Cem')
    const statuses: number[] = []
    for (let n = 0; n < 8; n++) statuses.push((await askForReset(cem.account.email)).status)
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(5)
    expect(statuses.at(-1)).toBe(429)
  })
})
