/** The pages about clients, in a real browser. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { chromiumPath } from '@nmg/process/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults } from '@/test/support/accessibility.ts'
import { complaintsOf, launchBrowser, newProfile, signIn } from '@/test/support/browser.ts'
import { describedClient, logIn, REDIRECT, registerClient } from './client-user.ts'
import { clientsScene } from './clients.ts'
import { documentSite, json, trusting } from './document-site.ts'

const PHONE = { viewport: { width: 360, height: 780 } }

describe.skipIf(!chromiumPath())('a person with a browser', () => {
  const site = documentSite()
  const on = clientsScene(trusting)
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser(chromiumPath() ?? '')
  })
  afterAll(() => browser?.close())

  const fitsAndIsAccessible = async (page: Page) => {
    expect(await accessibilityFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
  }

  it('signs in, sees the requesting client, allows less by keyboard, and returns to the client', async () => {
    // The client, listening where it wants to be answered.
    const answers: URL[] = []
    const listener = createServer((request, response) => {
      answers.push(new URL(request.url ?? '', 'http://127.0.0.1'))
      response.end('You can close this page.')
    }).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const redirect = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/callback`
    const client = await registerClient(on().webUrl, {
      // What turns text around must not turn the page around.
      client_name: 'Friendly\u202Eclient',
      redirect_uris: ['http://127.0.0.1/callback'],
    })
    const page = await newProfile(browser, PHONE)
    await page.goto(client.authorizeUrl(on().resource(), { redirect_uri: redirect }))
    await page.getByLabel('Email').fill(on().ada.account.email)
    await page.getByLabel('Password').fill(on().ada.account.password)
    await page.getByRole('button', { name: 'Sign in' }).click()

    await page.getByText('Friendly client', { exact: true }).waitFor()
    await page.getByText('Name not verified').waitFor()
    expect(await page.getByRole('region', { name: 'Requesting client' }).textContent()).toContain(
      new URL(redirect).host,
    )
    await page.getByText("Ada's space", { exact: true }).waitFor()
    await fitsAndIsAccessible(page)

    expect(await page.getByRole('radio', { name: 'Read only' }).isChecked()).toBe(true)
    await page.getByRole('radio', { name: 'Read and change' }).check()
    await page.getByRole('radio', { name: 'Read and change' }).focus()
    await page.keyboard.press('ArrowDown')
    expect(await page.getByRole('radio', { name: 'Read only' }).isChecked()).toBe(true)
    // A moment after the page has come, and no sooner.
    await page.locator('button:enabled', { hasText: 'Allow' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('You can close this page.', { exact: true }).waitFor()
    listener.close()

    const [answer] = answers
    const redeemed = await client.redeem(answer?.searchParams.get('code') ?? '', { redirect_uri: redirect })
    expect(await redeemed.json()).toMatchObject({ scope: 'notion:read offline_access' })
    expect(complaintsOf(page)).toEqual([])
    await page.context().close()
  })

  it('is warned about a foreign space, and chooses among their own where the resource names none', async () => {
    const ben = await on().newUser('Ben')
    expect((await ben.post('/api/spaces', { name: 'South' })).ok).toBe(true)
    const client = await registerClient(on().webUrl)
    const page = await newProfile(browser)
    await signIn(page, on().webUrl, ben.account)
    await page.goto(client.authorizeUrl(on().resource()))
    await page.getByText('You are not a member of this space').waitFor()
    expect(await page.getByRole('button', { name: 'Allow' }).count()).toBe(0)
    await fitsAndIsAccessible(page)

    await page.goto(client.authorizeUrl(`${on().gatewayUrl}/mcp/notion/proxy`))
    const spaces = page.getByRole('group', { name: 'Which space can it use?' })
    expect(await spaces.getByRole('radio').count()).toBe(2)
    expect(await page.getByText("Ada's space").count()).toBe(0)
    expect(await spaces.getByText('Not connected to Notion.').count()).toBe(2)
    await spaces.getByRole('radio', { name: 'South' }).check()
    // Nobody listens there: where the browser was sent is what counts.
    const sent = page.waitForRequest((request) => request.url().startsWith('http://127.0.0.1:33418/callback'))
    await page.getByRole('button', { name: 'Allow' }).click()
    expect(new URL((await sent).url()).searchParams.get('code')).toBeTruthy()
    await page.context().close()
  })

  it('signs in again before deciding if the session has ended', async () => {
    const client = await registerClient(on().webUrl)
    const page = await newProfile(browser, PHONE)
    await signIn(page, on().webUrl, on().ada.account)
    await page.goto(client.authorizeUrl(on().resource()))
    await page.getByRole('button', { name: 'Deny' }).waitFor()
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByLabel('Email').fill(on().ada.account.email)
    await page.getByLabel('Password').fill(on().ada.account.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    const sent = page.waitForRequest((request) => request.url().startsWith(REDIRECT))
    await page.getByRole('button', { name: 'Deny' }).click()
    expect(new URL((await sent).url()).searchParams.get('error')).toBe('access_denied')
    await page.context().close()
  })

  it('sees that a request has expired and cannot decide about it', async () => {
    const client = await registerClient(on().webUrl)
    const page = await newProfile(browser, PHONE)
    await signIn(page, on().webUrl, on().ada.account)
    await page.goto(client.authorizeUrl(on().resource()))
    await page.goto(page.url().replace(/(?<=[?&]state=)[^&]*/, 'of-somebody-else'))
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('This request has expired. Log in from the client again.').waitFor()
    expect(await page.getByRole('button', { name: /Allow|Deny/ }).count()).toBe(0)
    await fitsAndIsAccessible(page)
    await page.context().close()
  })

  it('sees what is wrong with a forged request', async () => {
    const client = await registerClient(on().webUrl)
    const page = await newProfile(browser, PHONE)
    for (const redirect of ['https://evil.test/callback', 'http://evil.test/callback', 'javascript:alert(1)', null]) {
      await page.goto(client.authorizeUrl(on().resource(), { redirect_uri: redirect }))
      await page.getByText('redirect address is missing or isn’t registered').waitFor()
      expect(new URL(page.url()).origin).toBe(on().webUrl)
    }
    await fitsAndIsAccessible(page)
    await page.context().close()
  })

  it('sees the host of a client’s metadata document, and a warning for local redirects', async () => {
    const { host } = new URL(site().origin)
    const clientId = site().publish({
      client_name: '<b>Planner</b>',
      redirect_uris: [REDIRECT, 'https://planner.test/callback'],
    })
    const client = await describedClient(on().webUrl, clientId)
    const page = await newProfile(browser, PHONE)
    await signIn(page, on().webUrl, on().ada.account)
    await page.goto(client.authorizeUrl(on().resource()))
    const asker = page.getByRole('region', { name: 'Requesting client' })
    await asker.getByText(host, { exact: true }).waitFor()
    await asker.getByText('<b>Planner</b>', { exact: true }).waitFor()
    await asker.getByText('Name not verified').waitFor()
    await asker.getByText(`Any program on this computer can pretend to be this client of ${host}.`).waitFor()
    await fitsAndIsAccessible(page)

    await page.goto(client.authorizeUrl(on().resource(), { redirect_uri: 'https://planner.test/callback' }))
    await asker.getByText(`Allow it only if you trust ${host}`).waitFor()
    await asker.getByText('planner.test', { exact: true }).waitFor()

    await logIn(on().ada, client, on().resource())
    await page.goto(`${on().webUrl}/account/clients`)
    await page.getByRole('listitem').filter({ hasText: 'Planner' }).getByText(host, { exact: true }).waitFor()
    await fitsAndIsAccessible(page)
    expect(complaintsOf(page)).toEqual([])
    await page.context().close()
  })

  it('signs in before an unknown client’s document is fetched, and then decides', async () => {
    const client = await describedClient(on().webUrl, site().publish({ client_name: 'A new planner' }))
    const page = await newProfile(browser)
    await page.goto(client.authorizeUrl(on().resource()))
    await page.getByLabel('Email').fill(on().ada.account.email)
    await page.getByLabel('Password').fill(on().ada.account.password)
    expect(site().visits).toEqual([])
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('A new planner', { exact: true }).waitFor()
    await page.context().close()
  })

  it.each([
    ['that does not exist', '/nowhere.json', 'metadata document isn’t valid'],
    ['of another client', '/other.json', 'describes a different client'],
    ['with an address that is none', '/a/../b.json', 'can’t be a client metadata document'],
  ])('sees what is wrong with a document: one %s', async (_, path, sentence) => {
    site().answers['/other.json'] = json({ client_id: 'https://<b>evil</b>.test/', redirect_uris: [REDIRECT] })
    const client = await describedClient(on().webUrl, site().origin + path)
    const page = await newProfile(browser, PHONE)
    await signIn(page, on().webUrl, on().ada.account)
    await page.goto(client.authorizeUrl(on().resource()))
    await page.getByText(sentence).waitFor()
    expect(await page.getByText('evil').count()).toBe(0)
    await fitsAndIsAccessible(page)
    await page.context().close()
  })

  it('creates a key, sees a client after its first call, and deletes the key', async () => {
    const page = await newProfile(browser, PHONE)
    await signIn(page, on().webUrl, on().ada.account)
    await page.goto(`${on().webUrl}/spaces/${on().ada.spaceId}/clients`)
    await page.getByText('No client has called yet').waitFor()
    await fitsAndIsAccessible(page)

    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('Name').fill('Nightly report')
    await page.getByRole('radio', { name: 'Read and change' }).check()
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.getByText('You won’t be able to see it again.').waitFor()
    const key = await page.getByText(/^nmg_\w{49}$/).textContent()
    // It stands in what there is to copy, too.
    await page.getByText('Gemini CLI', { exact: true }).click()
    expect(await page.getByRole('radio', { name: 'Gemini CLI' }).isChecked()).toBe(true)
    await page.getByText(`gemini mcp add --transport http --header "Authorization: Bearer ${key}"`).waitFor()
    await fitsAndIsAccessible(page)

    const called = await fetch(on().resource(), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'report', version: '3.1' } },
      }),
    })
    expect(called.status).toBe(200)
    await page.getByText('With the key Nightly report').waitFor()

    await page.reload()
    await page.getByText('Nightly report').first().waitFor()
    expect(await page.getByText(key ?? '').count()).toBe(0)
    // It scrolls within its frame: with keys in the list, the page once scrolled away into emptiness.
    expect(await page.evaluate(() => document.documentElement.scrollHeight <= window.innerHeight)).toBe(true)
    await page.getByRole('button', { name: 'Delete Nightly report' }).click()
    await page.getByRole('button', { name: 'Delete key' }).click()
    await page.getByText('No keys yet.').waitFor()
    await expect.poll(() => on().statusOf(key ?? '')).toBe(401)
    expect(complaintsOf(page)).toEqual([])
    await page.context().close()
  })

  it('revokes a grant, and the client loses access immediately', async () => {
    const client = await registerClient(on().webUrl, { client_name: 'Old laptop' })
    const tokens = await logIn(on().ada, client, on().resource())
    expect((await on().listTools(tokens.access_token)).status).toBe(200)

    const page = await newProfile(browser, PHONE)
    await signIn(page, on().webUrl, on().ada.account)
    await page.goto(`${on().webUrl}/account/clients`)
    await page.getByText("In Ada's space").first().waitFor()
    await fitsAndIsAccessible(page)
    await page.getByRole('button', { name: "Revoke Old laptop in Ada's space" }).click()
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByRole('button', { name: /Old laptop/ }).waitFor({ state: 'detached' })
    await expect.poll(() => on().statusOf(tokens.access_token)).toBe(401)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
    await page.context().close()
  })
})
