import { ReconnectReason } from '@nmg/contract'
import { chromiumPath, testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  clickUntilVisible,
  submitConsent,
  complaintsOf,
  connect,
  goTo,
  launchBrowser,
  newProfile,
  openDialog,
  searchNotion,
  signIn,
} from '@/test/support/browser.ts'
import type { SpaceConnection } from '@/features/integrations/connection-response.ts'
import { reconnectReasons } from '@/features/integrations/connection-view.ts'
import { consent, invite, newUser } from '@/test/support/user.ts'
import { startProduct, type Product } from '@/test/support/product.ts'

const DAY_MS = 24 * 3_600_000

describe.skipIf(!chromiumPath())('connecting Notion in the browser', () => {
  let product: Product
  let database: Client
  let browser: Browser
  let people = 0
  const open: Page[] = []

  beforeAll(async () => {
    const { url } = await testDatabase()
    database = new Client({ connectionString: url })
    await database.connect()
    product = await startProduct({ DATABASE_URL: url })
    browser = await launchBrowser(chromiumPath() ?? '')
  })

  afterEach(async () => {
    const complaints = open.flatMap((page) => complaintsOf(page))
    await Promise.all(open.splice(0).map((page) => page.context().close()))
    await product.simulator.reset()
    if (complaints.length > 0) throw new Error(`The browser complained:\n${complaints.join('\n')}`)
  })

  afterAll(async () => {
    await browser?.close()
    await database?.end()
    await product?.stop()
  })

  const profile = async () => {
    const page = await newProfile(browser)
    open.push(page)
    return page
  }

  /** Somebody new, in a browser of their own, at the home of their own space. */
  const newcomer = async (name = 'Ada') => {
    const account = { name, email: `${name.toLowerCase()}-${++people}@north.test`, password: 'a-good-password' }
    const user = await newUser(product.webUrl, account)
    const page = await profile()
    await page
      .context()
      .addCookies([...user.cookies()].map(([key, value]) => ({ name: key, value, url: product.webUrl })))
    await page.goto(product.webUrl)
    return { page, account, user }
  }

  const card = (page: Page) => page.getByRole('region', { name: 'Notion' })
  const state = (page: Page, text: string) => card(page).getByText(text, { exact: true })

  it('leads from a click to “MCP connected”, and a tool call shows its result', async () => {
    const { page } = await newcomer()
    await state(page, 'Not connected').waitFor()

    await page.getByRole('button', { name: 'Connect Notion' }).click()
    await page.getByRole('radio', { name: /Acme/ }).first().check()
    await page.getByRole('button', { name: 'Allow' }).click()

    await page.getByRole('heading', { name: 'MCP connected' }).waitFor()
    // Nobody presses anything: the page goes back by itself.
    await state(page, 'MCP connected').waitFor()
    await card(page)
      .getByText(/Acme, connected by Ada on/)
      .waitFor()

    await goTo(page, 'Tools')
    await searchNotion(page, 'launch plan')
    const results = page.getByRole('list', { name: 'Search results' })
    await results.getByRole('heading', { name: 'Launch plan', exact: true }).waitFor()

    await page.getByRole('tab', { name: 'Raw JSON' }).click()
    // The text of a result is text there, whatever is in it.
    await page.getByRole('tabpanel', { name: 'Raw JSON' }).getByText('\\"title\\":\\"Launch plan\\"').waitFor()

    await page.getByRole('tab', { name: 'Result' }).click()
    await page.getByRole('button', { name: 'Read Launch plan' }).click()
    await page.getByRole('heading', { name: 'Launch plan', exact: true }).waitFor()
    await page.getByText('Before we press the button').waitFor()
  })

  it('shows workspace, user, start and expiry in the dialog', async () => {
    const { page } = await newcomer()
    await connect(page)
    const dialog = await openDialog(page)
    await dialog.getByText('MCP connected', { exact: true }).waitFor()
    const facts = await dialog.getByRole('definition').allTextContents()
    const names = await dialog.getByRole('term').allTextContents()
    expect(names).toEqual(['Workspace', 'Connected by', 'Since', 'Next renewal', 'Reconnect by'])
    expect(facts.slice(0, 2)).toEqual(['Acme', 'Ada'])
    const reconnectBy = Date.parse((await dialog.locator('dd').last().locator('time').getAttribute('datetime')) ?? '')
    expect(Math.round((reconnectBy - Date.now()) / DAY_MS)).toBe(180)
  })

  it('runs any other listed tool with JSON arguments', async () => {
    const { page } = await newcomer()
    await connect(page)
    await goTo(page, 'Tools')
    await page
      .getByRole('list', { name: 'Tools' })
      .getByRole('button', { name: /^notion-fetch/ })
      .click()
    await page.getByRole('tab', { name: 'JSON', exact: true }).click()
    await page.getByLabel('Arguments (JSON)').fill('{"id": "self"')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('alert').getByText('Enter valid JSON.').waitFor()
    await page.getByLabel('Arguments (JSON)').fill('{"id": "self"}')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('tab', { name: 'Raw JSON' }).click()
    await page.getByRole('tabpanel', { name: 'Raw JSON' }).getByText('workspace').waitFor()
  })

  it('offers the chat only with a configured model, and names the setting', async () => {
    const { page } = await newcomer()
    await page.getByRole('navigation', { name: 'Space' }).getByRole('link', { name: 'Chat' }).click()
    await page.getByRole('status').getByText('CHAT_MODEL').waitFor()
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('Hello')
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
  })

  it('explains a tool error and a rate limit', async () => {
    const { page } = await newcomer()
    await connect(page)
    await goTo(page, 'Tools')
    product.simulator.setOptions({
      mcpFaults: [
        {
          kind: 'tool-error',
          tool: 'notion-search',
          code: 'restricted_resource',
          status: 403,
          message: 'You may not see this.',
        },
      ],
    })
    await searchNotion(page, 'secret')
    await page.getByText('You may not see this.').waitFor()
    product.simulator.setOptions({
      mcpFaults: [{ kind: 'tool-rate-limit', tool: 'notion-search', retryAfterSeconds: 17 }],
    })
    await searchNotion(page, 'everything')
    await page.getByText('Try again in 17 seconds').waitFor()
  })

  it('connects nothing when the user denies, and offers a retry', async () => {
    const { page } = await newcomer()
    await submitConsent(page, 'Connect Notion', 'Deny')
    await page.getByRole('heading', { name: 'Access was declined' }).waitFor()
    await page.getByText('Nothing was connected.').waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('button', { name: 'Allow' }).click()
    await state(page, 'MCP connected').waitFor()
  })

  it('connects nothing when another browser finishes the authorization', async () => {
    const { page } = await newcomer()
    await page.getByRole('button', { name: 'Connect Notion' }).click()
    await page.getByRole('button', { name: 'Allow' }).waitFor()

    const victim = (await newcomer('Vera')).page
    await victim.goto(page.url())
    await victim.getByRole('button', { name: 'Allow' }).click()
    await victim.getByRole('heading', { name: 'Finished in another browser' }).waitFor()

    for (const each of [page, victim]) {
      await each.goto(product.webUrl)
      await state(each, 'Not connected').waitFor()
    }
    expect(product.simulator.admin.grants().filter((grant) => grant.generation !== null)).toEqual([])
  })

  it('can be cancelled while it is under way', async () => {
    const { page } = await newcomer()
    product.simulator.setOptions({ mcpFaults: [], metadata: { delayMs: 3_000 } })
    await page.route('**/api/notion/oauth/start', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 2_000))
      // The page may have given up meanwhile, which is what this is about.
      await route.continue().catch(() => undefined)
    })
    await page.getByRole('button', { name: 'Connect Notion' }).click()
    await state(page, 'Connecting').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await state(page, 'Not connected').waitFor()
    expect(new URL(page.url()).origin).toBe(product.webUrl)
  })

  it('is offered again after coming back from Notion with the Back button', async () => {
    const { page } = await newcomer()
    await page.getByRole('button', { name: 'Connect Notion' }).click()
    await page.getByRole('button', { name: 'Allow' }).waitFor()
    await page.goBack()
    await page.getByRole('button', { name: 'Connect Notion' }).waitFor()
    await state(page, 'Not connected').waitFor()
  })

  describe('a grant that is gone', () => {
    it('shows a reconnect button with the reason, and reconnecting repairs it', async () => {
      const { page } = await newcomer()
      await connect(page)
      await goTo(page, 'Tools')
      await page.getByLabel('query', { exact: true }).waitFor()
      product.simulator.admin.revokeGrants()

      await searchNotion(page, 'launch')
      const banner = page.getByRole('region', { name: 'Notion connection' })
      await banner.getByText(/Reconnect required.*someone removed it in Notion’s settings/).waitFor()
      await banner.getByRole('button', { name: 'Reconnect Notion' }).waitFor()
      await goTo(page, 'Connection')
      await state(page, 'Reconnect required').waitFor()
      await card(page)
        .getByText(/someone removed it in Notion’s settings/)
        .waitFor()
      await openDialog(page)
      await page.getByRole('dialog').getByRole('button', { name: 'Reconnect Notion' }).waitFor()
      await page.keyboard.press('Escape')

      const refreshes = () =>
        product.simulator.recorded.tokenRequests.filter((each) => each.grantType === 'refresh_token').length
      const before = refreshes()
      await page.reload()
      await state(page, 'Reconnect required').waitFor()
      expect(refreshes()).toBe(before)

      await submitConsent(page, 'Reconnect Notion')
      await state(page, 'MCP connected').waitFor()
      await goTo(page, 'Tools')
      await searchNotion(page, 'launch plan')
      await page.getByRole('heading', { name: 'Launch plan', exact: true }).waitFor()
    })

    it('has a text for every reason', async () => {
      const { page } = await newcomer()
      await connect(page)
      for (const reason of ReconnectReason.options) {
        // Not every reason can be brought about from outside within a test: the real answer, as it would be then.
        await changeConnection(page, { status: 'reconnect_required', reason })
        await lookAgain(page)
        await state(page, 'Reconnect required').waitFor()
        await card(page).getByText(reconnectReasons[reason]).waitFor()
        await card(page).getByRole('button', { name: 'Reconnect Notion' }).waitFor()
      }
    })

    it('shows that renewal is paused while the server may run on a copy', async () => {
      const { page } = await newcomer()
      await connect(page)
      await changeConnection(page, { hold: { since: new Date().toISOString(), reasons: ['restored_dump'] } })
      await lookAgain(page)
      await state(page, 'Renewal paused').waitFor()
      await card(page)
        .getByText(/restored or copied/)
        .waitFor()
    })

    it('shows that the registration is lost', async () => {
      const { page } = await newcomer()
      await connect(page)
      await goTo(page, 'Tools')
      await page.getByLabel('query', { exact: true }).waitFor()
      product.simulator.admin.forgetClients()
      product.simulator.admin.expireAccessTokens()
      await searchNotion(page, 'launch')
      await page.getByRole('region', { name: 'Notion connection' }).getByText('Reconnect required').waitFor()
      await goTo(page, 'Connection')
      await state(page, 'Reconnect required').waitFor()
      await card(page)
        .getByText(/no longer recognizes this app’s registration/)
        .waitFor()
    })
  })

  describe('disconnecting', () => {
    it('asks for confirmation, then shows “Disconnected” in every window', async () => {
      const { page } = await newcomer()
      await connect(page)
      const other = await page.context().newPage()
      await other.goto(page.url())
      await state(other, 'MCP connected').waitFor()

      await page.bringToFront()
      const dialog = await openDialog(page)
      await dialog.getByRole('button', { name: 'Disconnect…' }).click()
      await dialog.getByRole('button', { name: 'Keep connected' }).click()
      await dialog.getByText('MCP connected', { exact: true }).waitFor()

      await dialog.getByRole('button', { name: 'Disconnect…' }).click()
      await dialog.getByRole('button', { name: 'Disconnect', exact: true }).click()
      await dialog.getByText('Disconnected', { exact: true }).waitFor()
      await other.bringToFront()
      await state(other, 'Disconnected').waitFor()
      expect(product.simulator.admin.grants().map((grant) => grant.status)).toEqual(['revoked'])
    })

    it('shows that Notion did not confirm the revocation', async () => {
      const { page } = await newcomer()
      await connect(page)
      product.simulator.setOptions({ tokenFaults: [{ kind: 'server-error', on: 'revocation', times: 'always' }] })
      const dialog = await openDialog(page)
      await dialog.getByRole('button', { name: 'Disconnect…' }).click()
      await dialog.getByRole('button', { name: 'Disconnect', exact: true }).click()
      await dialog.getByText(/Notion did not confirm/).waitFor()
      await dialog.getByText('Disconnected', { exact: true }).waitFor()
    })
  })

  it('warns before the access ends and offers to renew it', async () => {
    const { page } = await newcomer()
    await connect(page)
    // Half a year does not pass in a test: the real answer, as it would be then.
    await changeConnection(page, { notice: { kind: 'reconnect_now', days: 2 } })
    await lookAgain(page)
    await card(page)
      .getByText(/Access ends in 2 days/)
      .waitFor()
    await state(page, 'MCP connected').waitFor()
    await card(page).getByRole('button', { name: 'Reconnect Notion' }).waitFor()
  })

  it('shows that a call needs more permissions until they are granted', async () => {
    const { page } = await newcomer()
    await connect(page)
    await goTo(page, 'Tools')
    await page.getByLabel('query', { exact: true }).waitFor()
    product.simulator.setOptions({
      mcpFaults: [{ kind: 'insufficient-scope', scope: 'pages:write', method: 'tools/call' }],
    })
    await searchNotion(page, 'launch')
    await page
      .getByRole('main')
      .getByText(/Notion asks for more permissions/)
      .waitFor()
    await page
      .getByRole('region', { name: 'Notion connection' })
      .getByText(/More permissions needed/)
      .waitFor()
    await goTo(page, 'Connection')
    await submitConsent(page, 'Reconnect Notion')
    await state(page, 'MCP connected').waitFor()
    expect(product.simulator.recorded.authorizations.at(-1)?.parameters['scope']).toBe('default pages:write')
  })

  it('follows changes made elsewhere without a reload', async () => {
    const { page, account } = await newcomer()
    await state(page, 'Not connected').waitFor()
    const elsewhere = await profile()
    await signIn(elsewhere, product.webUrl, account)
    await connect(elsewhere)
    await page.bringToFront()
    await state(page, 'MCP connected').waitFor()
    await goTo(page, 'Tools')
    await page.getByLabel('query', { exact: true }).waitFor()
  })

  it('shows that Notion is unreachable while the connection is healthy, until the next poll', async () => {
    const { page } = await newcomer()
    await connect(page)
    await goTo(page, 'Tools')
    await page.getByRole('searchbox', { name: 'Filter tools' }).waitFor()
    product.simulator.setOptions({ mcpFaults: [{ kind: 'lost-request', times: 'always' }] })
    await searchNotion(page, 'launch')
    const banner = page.getByRole('region', { name: 'Notion connection' })
    await banner.getByText('Notion: Notion unreachable.').waitFor()
    const dialog = await openDialog(page)
    await dialog.getByText('Notion can’t be reached right now.').waitFor()
    await dialog.getByRole('button', { name: 'Try again' }).click()
    await dialog.getByText('MCP connected', { exact: true }).waitFor()
    await banner.waitFor({ state: 'detached' })
  })

  it('shows its history with user and time, filtered by kind and page by page', async () => {
    const { page, user } = await newcomer()
    product.simulator.setOptions({ autoApprove: true })
    for (let round = 0; round < 13; round++) {
      if (round > 0) await user.fetch(`/api/notion?spaceId=${user.spaceId}`, { method: 'DELETE' })
      // The gateway lets a space begin to connect ten times an hour.
      await database.query('delete from gateway.registration_counts')
      const started = await user.post('/api/notion/oauth/start', { spaceId: user.spaceId })
      await consent(user, ((await started.json()) as { authorizeUrl: string }).authorizeUrl)
    }
    await state(page, 'MCP connected').waitFor()
    product.simulator.admin.revokeGrants()
    await goTo(page, 'Tools')
    await page.getByRole('region', { name: 'Notion connection' }).getByText('Reconnect required').waitFor()
    await goTo(page, 'Connection')
    const history = page.getByRole('list', { name: 'Events' })
    const entries = history.getByRole('listitem')
    await entries.first().getByText('Refused by Notion').waitFor()
    expect(await entries.count()).toBe(20)
    await page.getByRole('button', { name: 'Show older' }).click()
    await expect.poll(() => entries.count()).toBe(26)
    expect(await entries.last().textContent()).toContain('Connected by Ada')
    await page.getByRole('button', { name: 'Disconnected', exact: true }).click()
    await expect.poll(() => entries.count()).toBe(12)
    expect(await history.textContent()).not.toContain('Connected by')
    await page.getByRole('button', { name: 'Renewed', exact: true }).click()
    await page.getByText('No events of this kind yet.').waitFor()
  })

  it('asks for confirmation when a reconnect reaches another workspace', async () => {
    const { page, user } = await newcomer()
    await connect(page)
    await goTo(page, 'Tools')
    await page.getByRole('searchbox', { name: 'Filter tools' }).waitFor()
    product.simulator.admin.revokeGrants()
    await searchNotion(page, 'launch')
    await page.getByRole('region', { name: 'Notion connection' }).getByText('Reconnect required').waitFor()
    await page.getByRole('button', { name: 'Reconnect Notion' }).click()
    await page
      .getByRole('radio', { name: /Northwind/ })
      .first()
      .check()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('heading', { name: 'Another workspace' }).waitFor()
    await state(page, 'Another workspace').waitFor()
    await card(page)
      .getByText(/Ada connected Northwind, but this space used Acme before/)
      .waitFor()
    expect(await (await user.fetch('/api/notion')).json()).toMatchObject({ connected: false })

    const guest = await newUser(product.webUrl, {
      name: 'Gus',
      email: `gus-${++people}@north.test`,
      password: 'a-good-password',
    })
    await invite(user, guest, 'member')
    const { integration } = (await (await user.fetch('/api/notion')).json()) as { integration: SpaceConnection }
    const decision = { spaceId: user.spaceId, id: integration.waiting?.id, accept: true }
    expect((await guest.post('/api/notion/waiting', decision)).status).toBe(403)

    await card(page).getByRole('button', { name: 'Use Northwind' }).click()
    await state(page, 'MCP connected').waitFor()
    await card(page)
      .getByText(/Northwind, connected by Ada on/)
      .waitFor()
    await page.getByText('to another workspace, confirmed by Ada').waitFor()
    expect((await user.post('/api/notion/waiting', decision)).status).toBe(404)
  })

  it('shows that the gateway is unreachable and recovers automatically', async () => {
    const { page } = await newcomer()
    await connect(page)
    await product.gateway().stop()
    await state(page, 'Gateway unreachable').waitFor()
    await card(page)
      .getByText(/The gateway isn’t responding/)
      .waitFor()
    await product.startGateway()
    await state(page, 'MCP connected').waitFor()
  })

  it('is reserved to owners and admins; shows a member whom to ask', async () => {
    const ada = await newUser(product.webUrl, {
      name: 'Ada',
      email: `ada-${++people}@north.test`,
      password: 'a-good-password',
    })
    const ben = await newUser(product.webUrl, {
      name: 'Ben',
      email: `ben-${++people}@north.test`,
      password: 'a-good-password',
    })
    await invite(ada, ben, 'member')
    const page = await profile()
    await signIn(page, product.webUrl, ben.account)
    const there = page.getByRole('menuitem', { name: "Ada's space" })
    // A page that is still being rendered after sign-in closes its menus.
    await clickUntilVisible(page.getByRole('button', { name: /change space/ }), there)
    await there.click()
    await page.waitForURL(`**/spaces/${ada.spaceId}/connection`)
    await card(page).getByText('Ask Ada to do this. Only owners and admins can connect Notion.').waitFor()
    expect(await page.getByRole('button', { name: 'Connect Notion' }).count()).toBe(0)

    const owner = await profile()
    await signIn(owner, product.webUrl, ada.account)
    await connect(owner)
    await page.bringToFront()
    await state(page, 'MCP connected').waitFor()
    await goTo(page, 'Tools')
    await searchNotion(page, 'launch plan')
    await page.getByRole('heading', { name: 'Launch plan', exact: true }).waitFor()
    await goTo(page, 'Connection')
    await openDialog(page)
    expect(
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /Disconnect/ })
        .count(),
    ).toBe(0)
  })

  it('closes a popup window', async () => {
    const { page } = await newcomer()
    const popup = page.waitForEvent('popup')
    await page.evaluate(() => window.open('/integrations/notion/callback?status=success', 'notion', 'popup'))
    await (await popup).waitForEvent('close')
  })

  it('redirects to sign-in when the user is signed out elsewhere', async () => {
    const { page } = await newcomer()
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
  })
})

/** As when somebody comes back to the window, which asks at once instead of at its next poll. */
const lookAgain = (page: Page) => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))

/** What the page is told about its connection from now on differs from the truth in these members. */
async function changeConnection(page: Page, changes: Partial<SpaceConnection>): Promise<void> {
  await page.route('**/api/notion?*', async (route) => {
    const answer = await route.fetch()
    const { integration } = (await answer.json()) as { integration: SpaceConnection }
    const changed = { ...integration, ...changes }
    await route.fulfill({ response: answer, json: { connected: changed.status === 'connected', integration: changed } })
  })
}
