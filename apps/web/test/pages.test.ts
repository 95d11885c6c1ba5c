import { authorizationErrors } from '@nmg/contract'
import { chromiumPath, testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { accessibilityFaults } from '@/test/support/accessibility.ts'
import {
  complaintsOf,
  connect,
  goTo,
  launchBrowser,
  newProfile,
  openDialog,
  searchNotion,
  signIn,
  signUp,
} from '@/test/support/browser.ts'
import { startProduct, type Product } from '@/test/support/product.ts'
import { forgetLimits } from '@/test/support/limits.ts'

describe.skipIf(!chromiumPath())('the pages', () => {
  let product: Product
  let browser: Browser
  let databaseUrl: string
  const open: Page[] = []

  beforeAll(async () => {
    databaseUrl = (await testDatabase()).url
    product = await startProduct({ DATABASE_URL: databaseUrl }, { web: { NOTION_GATEWAY_DEMO: '1' } })
    browser = await launchBrowser(chromiumPath() ?? '')
  })

  beforeEach(() => forgetLimits(databaseUrl))

  afterEach(async () => {
    const complaints = open.flatMap((page) => complaintsOf(page))
    await Promise.all(open.splice(0).map((page) => page.context().close()))
    if (complaints.length > 0) throw new Error(`The browser complained:\n${complaints.join('\n')}`)
  })

  afterAll(async () => {
    await browser?.close()
    await product?.stop()
  })

  const profile = async (options?: BrowserContextOptions) => {
    const page = await newProfile(browser, options)
    open.push(page)
    return page
  }

  const demo = { name: 'Ada', email: 'ada@demo.test', password: 'demo-password' }

  describe('of a demo', () => {
    it('state on every page that this is a simulation', async () => {
      const page = await profile()
      const banner = page.getByRole('complementary', { name: 'Simulation' })
      for (const path of [
        '/sign-in',
        '/sign-up',
        '/no-such-page',
        '/integrations/notion/callback?status=error&error=internal',
      ]) {
        await page.goto(product.webUrl + path)
        await banner.getByText('this is not the real Notion').waitFor()
      }
      await signIn(page, product.webUrl, demo)
      await banner.getByText('this is not the real Notion').waitFor()
    })

    it('sign in the demo user with one click', async () => {
      const page = await profile()
      await page.goto(product.webUrl)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Space: Demo team – change space' }).waitFor()
    })
  })

  it('of the chat follow a labelled script in the demo and really call the simulation', async () => {
    const page = await profile()
    await signIn(page, product.webUrl, demo)
    await connect(page)
    await page.getByRole('navigation', { name: 'Space' }).getByRole('link', { name: 'Chat' }).click()
    await page.getByText('Scripted demo model.').waitFor()
    await page.getByRole('button', { name: 'Add “Call the printer” to the launch plan' }).click()
    await page.getByRole('region', { name: 'Decision needed: Change “Launch plan”?' }).waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('status').getByText('The answer is ready.').waitFor()
    await page.getByText('scripted demo · 3 steps').waitFor()
    const [workspace] = product.simulator.workspaces
    const plan = [...(workspace?.pages.values() ?? [])].find(({ title }) => title === 'Launch plan')
    expect(plan?.content).toContain('- [ ] Call the printer')
    // The next step of the README's walk: the change is seen.
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('Summarize the launch plan')
    await page.keyboard.press('Enter')
    await page.getByRole('article', { name: 'Answer' }).last().getByText('Call the printer', { exact: true }).waitFor()
    const [, space] = /spaces\/([^/]+)/.exec(page.url()) ?? []
    await page.evaluate((id) => fetch(`/api/notion?spaceId=${id}`, { method: 'DELETE' }), space)
  })

  describe('of accounts', () => {
    const grace = { name: 'Grace Hopper', email: 'grace@south.test', password: 'a-good-password' }

    it('create an account with a first space, sign out and sign in again', async () => {
      const page = await profile()
      await signUp(page, product.webUrl, grace)
      await page.getByRole('button', { name: 'Account of Grace Hopper' }).click()
      await page.getByRole('menu').getByText(grace.email).waitFor()
      await page.getByRole('menuitem', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
      await page.goto(product.webUrl)
      await page.waitForURL('**/sign-in')
      await signIn(page, product.webUrl, grace)
      await page.getByRole('button', { name: "Space: Grace Hopper's space – change space" }).waitFor()
      await page.goto(`${product.webUrl}/sign-in`)
      await page.waitForURL('**/spaces/*/connection')
    })

    it('show what is wrong', async () => {
      const page = await profile()
      await page.goto(`${product.webUrl}/sign-in`)
      await page.getByLabel('Email').fill('nobody@south.test')
      await page.getByLabel('Password').fill('not-the-password')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').getByText('Incorrect email or password.').waitFor()
      expect(await page.getByRole('button', { name: 'Sign in' }).evaluate((it) => it === document.activeElement)).toBe(
        true,
      )
      await page.getByLabel('Password').press('Enter')
      await page.getByRole('alert').getByText('Incorrect email or password.').waitFor()
      expect(await page.getByLabel('Password').evaluate((it) => it === document.activeElement)).toBe(true)

      await page.getByRole('link', { name: 'Create an account' }).click()
      await page.getByLabel('Name').fill('Somebody')
      await page.getByLabel('Email').fill(demo.email)
      await page.getByLabel('Password').fill('a-good-password')
      await page.getByRole('button', { name: 'Create account' }).click()
      await page.getByRole('alert').getByText('An account with this email already exists').waitFor()
    })

    it('help a user without a space', async () => {
      const page = await profile()
      await signUp(page, product.webUrl, { name: 'Iris', email: 'iris@south.test', password: 'a-good-password' })
      const client = new Client({ connectionString: databaseUrl })
      await client.connect()
      await client.query(
        `delete from web.member where "userId" = (select id from web."user" where email = 'iris@south.test')`,
      )
      await client.end()
      await page.reload()
      await page.getByRole('link', { name: 'Go to your space' }).click()
      await page.getByRole('heading', { name: 'You’re not in any space' }).waitFor()
      await page.getByLabel('Space name').fill('Iris’ new space')
      await page.getByRole('button', { name: 'Create space' }).click()
      await page.getByRole('button', { name: 'Space: Iris’ new space – change space' }).waitFor()
      await page.getByRole('button', { name: 'Connect Notion' }).waitFor()
    })
  })

  describe('of the callback from Notion', () => {
    it('show each error with advice', async () => {
      const page = await profile()
      await signIn(page, product.webUrl, demo)
      const told = new Map<string, string>()
      for (const code of authorizationErrors) {
        await page.goto(`${product.webUrl}/integrations/notion/callback?status=error&error=${code}`)
        const title = (await page.getByRole('heading', { level: 1 }).textContent()) ?? ''
        const advice = (await page.getByRole('main').getByRole('alert').textContent()) ?? ''
        expect(advice, code).toMatch(/(try|start) again/i)
        expect(`${title} ${advice}`, code).not.toContain(code)
        await page.getByRole('button', { name: 'Try again' }).waitFor()
        told.set(code, title)
      }
      expect(new Set(told.values()).size).toBe(authorizationErrors.length)
    })

    it('show nothing of a forged query', async () => {
      const page = await profile()
      await page.goto(
        `${product.webUrl}/integrations/notion/callback?status=error&error=${encodeURIComponent('<img src=x onerror=alert(1)>')}`,
      )
      await page.getByRole('heading', { name: 'Notion refused the request' }).waitFor()
      expect(await page.content()).not.toContain('onerror=alert')
    })

    it('redirect home without a result', async () => {
      const page = await profile()
      await signIn(page, product.webUrl, demo)
      await page.goto(`${product.webUrl}/integrations/notion/callback`)
      await page.waitForURL('**/spaces/*/connection')
    })
  })

  describe('of a space', () => {
    it('are found again after signing in', async () => {
      const page = await profile()
      await signIn(page, product.webUrl, demo)
      await goTo(page, 'Tools')
      const address = page.url()
      await page.context().clearCookies()
      await page.goto(address)
      await page.waitForURL('**/sign-in?next=*')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL(address)
      await page.getByRole('heading', { name: 'Tools', level: 1 }).waitFor()
    })

    it.each(['/\\evil.example', '/.//evil.example'])('are where sign-in redirects to, instead of %s', async (next) => {
      const page = await profile()
      await page.goto(`${product.webUrl}/sign-in?${new URLSearchParams({ next })}`)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL(`${product.webUrl}/spaces/*/connection`)
    })

    it('respond with 404 to non-members, whether the space exists or not', async () => {
      const page = await profile()
      await signIn(page, product.webUrl, demo)
      const address = page.url()
      const other = await profile()
      await signUp(other, product.webUrl, { name: 'Otto', email: 'otto@south.test', password: 'a-good-password' })
      const seen: unknown[] = []
      for (const path of [new URL(address).pathname, `/spaces/${crypto.randomUUID()}/connection`]) {
        const response = await other.goto(product.webUrl + path)
        await other.getByRole('heading', { name: 'Page not found' }).waitFor()
        seen.push([response?.status(), await other.title(), await other.getByRole('main').innerHTML()])
      }
      expect(seen[0]).toEqual(seen[1])
      expect(seen[0]).toEqual([404, 'Page not found · Notion MCP Gateway', expect.any(String)])
    })
  })

  describe.each([
    ['light', { colorScheme: 'light', viewport: { width: 1200, height: 800 } }],
    ['dark', { colorScheme: 'dark', viewport: { width: 1200, height: 800 } }],
    ['small', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
  ] as const)('%s', (_, options) => {
    it('pass axe and never exceed the width of the window', { timeout: 120_000 }, async () => {
      const page = await profile({ ...options })
      const check = async (what: string) => {
        expect(await accessibilityFaults(page), what).toEqual([])
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        expect(overflow, what).toBe(0)
      }
      for (const path of [
        '/sign-up',
        '/forgot-password',
        '/reset-password',
        '/no-such-page',
        '/invitations/not-good-any-more',
        '/integrations/notion/callback?status=error&error=access_denied',
        '/sign-in?error=account_not_linked',
      ]) {
        await page.goto(product.webUrl + path)
        await check(path)
      }
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Connect Notion' }).waitFor()
      await check('not connected')
      await openDialog(page)
      await check('dialog: not connected')
      await page.keyboard.press('Escape')
      await connect(page)
      await check('connected')
      await goTo(page, 'Tools')
      await searchNotion(page, 'launch')
      await page.getByRole('list', { name: 'Search results' }).waitFor()
      await check('search results')
      await page.getByRole('tab', { name: 'Raw JSON' }).click()
      await check('raw result')
      await goTo(page, 'Connection')
      const dialog = await openDialog(page)
      await dialog.getByRole('button', { name: 'Disconnect…' }).click()
      await check('dialog: disconnecting')
      await dialog.getByRole('button', { name: 'Disconnect', exact: true }).click()
      await page.getByRole('dialog').getByText('Disconnected', { exact: true }).waitFor()
      await page.keyboard.press('Escape')
      await goTo(page, 'Members')
      await page.getByRole('button', { name: 'Create invitation link' }).click()
      await page.getByLabel('Invitation link').waitFor()
      await check('members')
      const link = await page.getByLabel('Invitation link').inputValue()
      await goTo(page, 'Settings')
      await check('settings')
      for (const path of ['/account', '/spaces/new', new URL(link).pathname]) {
        await page.goto(product.webUrl + path)
        await check(path)
      }
      await page.goto(product.webUrl)
      await goTo(page, 'Tools')
      await page.getByText('Tools appear here').waitFor()
      await check('tools without a connection')
      const drawer = page.getByRole('button', { name: 'Open navigation' })
      if (await drawer.isVisible()) {
        await drawer.click()
        await check('drawer')
        await page.keyboard.press('Escape')
      }
      await page.getByRole('button', { name: 'Account of Ada' }).click()
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
      await check('menu')
    })
  })

  it('show progress while the next page loads', async () => {
    const page = await profile()
    await signIn(page, product.webUrl, demo)
    const held = Promise.withResolvers<void>()
    await page.route('**/members?_rsc=*', async (route) => {
      await held.promise
      await route.continue()
    })
    // Before its scripts run, a page follows links by itself, and the browser shows that.
    await page.waitForLoadState('networkidle')
    const link = page.getByRole('navigation', { name: 'Space' }).getByRole('link', { name: 'Members' })
    await link.click()
    await link.getByRole('status').getByText('Loading').waitFor()
    held.resolve()
    await page.getByRole('heading', { name: 'Members', level: 1 }).waitFor()
    expect(await link.getByRole('status').count()).toBe(0)
  })

  it('work with the keyboard alone', async () => {
    const page = await profile()
    await page.goto(`${product.webUrl}/sign-in`)
    await page.getByLabel('Password').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Connect Notion' }).waitFor()
    const details = page.getByRole('button', { name: /^Notion: / })
    await details.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Notion' }).waitFor()
    expect(await focused(page)).toBe('Notion')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Close')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await focused(page)).toMatch(/^Notion: /)
  })
})

const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '')
