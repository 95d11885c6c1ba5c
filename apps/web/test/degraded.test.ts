import { DegradedReason, PreviousConsent } from '@nmg/contract'
import { chromiumPath } from '@nmg/process/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { accessibilityFaults } from '@/test/support/accessibility.ts'
import { complaintsOf, goTo, launchBrowser, newProfile, openDialog } from '@/test/support/browser.ts'
import type { GatewayStub } from '@/test/support/gateway-stub.ts'
import { invite, newUser, type UserClient } from '@/test/support/user.ts'
import { startStubbedApp, type StubbedApp } from '@/test/support/stubbed-app.ts'
import { degradedTexts } from '@/features/integrations/degraded.ts'

const degraded = (reason: DegradedReason) => ({
  since: '2026-05-03T10:00:00Z',
  reason,
  lastError: 'HTTP 503',
  nextAttemptAt: '2026-05-03T11:00:00Z',
})

describe.skipIf(!chromiumPath())('a connection that does not work as it should', () => {
  let gateway: GatewayStub
  let app: StubbedApp
  let webUrl: string
  let browser: Browser
  let owner: UserClient
  let page: Page

  beforeAll(async () => {
    app = await startStubbedApp()
    ;({ gateway, webUrl, user: owner } = app)
    browser = await launchBrowser(chromiumPath() ?? '')
    page = await pageOf(owner)
  })

  afterAll(async () => {
    await browser?.close()
    await app?.stop()
  })

  beforeEach(() => {
    gateway.connection = {}
    gateway.receipt = {}
    gateway.startRefusal = undefined
  })

  async function pageOf(user: UserClient): Promise<Page> {
    const opened = await newProfile(browser)
    await opened.context().addCookies([...user.cookies()].map(([name, value]) => ({ name, value, url: webUrl })))
    return opened
  }

  const show = (path: string, on = page) => on.goto(`${webUrl}/spaces/${owner.spaceId}/${path}`)
  /** As when somebody comes back to the window, which asks at once instead of at its next poll. */
  const lookAgain = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  const banner = (on = page) => on.getByRole('region', { name: 'Notion connection' })
  const card = (on = page) => on.getByRole('region', { name: 'Notion', exact: true })
  const reconnect = (on = page) => on.getByRole('button', { name: 'Reconnect Notion' })

  it('is shown on every page of the space, without a reload', async () => {
    await show('settings')
    await page.getByRole('button', { name: 'Notion: MCP connected' }).waitFor()
    expect(await banner().count()).toBe(0)

    gateway.connection = { degraded: degraded('renewal_refused') }
    await lookAgain()
    for (const destination of ['settings', 'members', 'clients', 'tools', 'chat']) {
      await page.locator(`nav a[href="/spaces/${owner.spaceId}/${destination}"]`).click()
      await page.waitForURL(`**/${destination}`)
      await banner().getByText('Notion: Degraded.').waitFor()
      await page.getByRole('button', { name: 'Notion: Degraded' }).waitFor()
      await reconnect().waitFor()
    }
    await goTo(page, 'Connection')
    await card().getByText('Degraded', { exact: true }).waitFor()
    await reconnect().waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    const dialog = await openDialog(page)
    await dialog.getByText(degradedTexts.renewal_refused.what).waitFor()
    await page.keyboard.press('Escape')
    expect(complaintsOf(page)).toEqual([])
  })

  it('explains for every reason what happened, since when and what to do', async () => {
    await show('connection')
    for (const reason of DegradedReason.options) {
      gateway.connection = { degraded: degraded(reason) }
      await lookAgain()
      const { what, remedy, canReconnect } = degradedTexts[reason]
      await card().getByText(what).waitFor()
      const text = await card().textContent()
      expect(text).toContain(remedy)
      expect(text).toContain('last error: HTTP 503')
      expect(await card().locator('time[datetime="2026-05-03T10:00:00Z"]').count()).toBe(1)
      expect(await card().locator('time[datetime="2026-05-03T11:00:00Z"]').count()).toBe(1)
      expect([reason, await reconnect().count()]).toEqual([reason, canReconnect ? 1 : 0])
    }
  })

  it('shows a member whom to ask', async () => {
    const member = await newUser(webUrl, { name: 'Ben', email: 'ben@north.test', password: 'a-good-password' })
    await invite(owner, member, 'member')
    const theirs = await pageOf(member)
    gateway.connection = { degraded: degraded('credential_unreadable') }
    await show('members', theirs)
    await banner(theirs)
      .getByText(/Ask Ada to do this/)
      .waitFor()
    expect(await reconnect(theirs).count()).toBe(0)
    gateway.connection = { degraded: degraded('client_rejected') }
    await show('members', theirs)
    await banner(theirs)
      .getByText(/Ask your administrator to check NOTION_MCP_CLIENT_ID/)
      .waitFor()
    expect(
      await banner(theirs)
        .getByText(/Ask Ada/)
        .count(),
    ).toBe(0)
    await theirs.context().close()
  })

  it('shows on the tools page why calls fail, with the next step', async () => {
    gateway.connection = { degraded: degraded('upstream_refuses_token') }
    gateway.callRefusal = {
      status: 502,
      code: 'upstream_refuses_token',
      detail: 'Notion refuses new access tokens. Reconnect the space.',
    }
    await show('tools')
    await page.getByRole('main').getByText('Notion refuses new access tokens. Reconnect the space.').waitFor()
    await reconnect().waitFor()
  })

  it('shows when to try again after too many consents', async () => {
    gateway.connection = { status: 'disconnected' }
    gateway.startRefusal = { status: 429, code: 'rate_limited', detail: 'Too many.', retryAfter: '1500' }
    await show('connection')
    await page.getByRole('button', { name: 'Connect Notion' }).click()
    await card().getByText('Try again in 25 minutes.').waitFor()

    const refused = await owner.post('/api/notion/oauth/start', { spaceId: owner.spaceId })
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('1500')
    expect(await refused.json()).toMatchObject({
      code: 'rate_limited',
      detail: 'This space has started connecting to Notion too many times. Try again in 25 minutes.',
    })
  })

  it.each(PreviousConsent.options)('shows what happened to the previous consent (%s)', async (outcome) => {
    const query = new URLSearchParams({ status: 'success', spaceId: owner.spaceId, previousConsent: outcome })
    await page.goto(`${webUrl}/integrations/notion/callback?${query}`)
    if (outcome !== 'revoked') {
      await page.getByRole('alert').getByText('Settings → Connections').waitFor()
      // It stays until the user goes on.
      await page.getByRole('link', { name: 'Continue', exact: true }).click()
    }
    await page.waitForURL(`**/spaces/${owner.spaceId}/connection`)
  })

  it('counts the earlier consents that may still be valid, before and after disconnecting', async () => {
    gateway.connection = { unrevokedConsents: 2 }
    gateway.receipt = { unrevokedConsents: 3 }
    await show('connection')
    await card().getByText('2 earlier consents of this space may still be valid.').waitFor()
    await card().getByRole('button', { name: 'Disconnect…' }).click()
    await card().getByRole('button', { name: 'Disconnect', exact: true }).click()
    await card().getByText('3 earlier consents of this space may still be valid.').waitFor()
    await card().getByText('Disconnected', { exact: true }).waitFor()
  })
})
