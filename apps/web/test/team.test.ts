import { chromiumPath, testDatabase } from '@nmg/process/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  clickUntilVisible,
  complaintsOf,
  connect,
  goTo,
  launchBrowser,
  newProfile,
  searchNotion,
  signUp,
} from '@/test/support/browser.ts'
import { invite, newUser } from '@/test/support/user.ts'
import { startProduct, type Product } from '@/test/support/product.ts'

const PASSWORD = 'a-good-password'

describe.skipIf(!chromiumPath())('a team in the browser', () => {
  let product: Product
  let browser: Browser
  const open: Page[] = []

  beforeAll(async () => {
    product = await startProduct(
      { DATABASE_URL: (await testDatabase()).url },
      // The demo's scripted model stands in for a real one; what it calls is called.
      { web: { NOTION_GATEWAY_DEMO: '1' }, simulator: { profile: 'notion-2026-01' } },
    )
    browser = await launchBrowser(chromiumPath() ?? '')
  })

  afterEach(async () => {
    const complaints = open.flatMap((page) => complaintsOf(page))
    await Promise.all(open.splice(0).map((page) => page.context().close()))
    if (complaints.length > 0) throw new Error(`The browser complained:\n${complaints.join('\n')}`)
  })

  afterAll(async () => {
    await browser?.close()
    await product?.stop()
  })

  const profile = async () => {
    const page = await newProfile(browser)
    open.push(page)
    return page
  }

  const members = (page: Page) => page.getByRole('list', { name: 'Members', exact: true })

  it(
    'signs up, invites, joins, changes a role and removes, and an open page ends with that',
    { timeout: 120_000 },
    async () => {
      const ada = await profile()
      await signUp(ada, product.webUrl, { name: 'Ada', email: 'ada@north.test', password: PASSWORD })
      await connect(ada)

      await goTo(ada, 'Settings')
      expect(await ada.getByRole('button', { name: 'Leave space…' }).isDisabled()).toBe(true)
      await ada.getByLabel('Space name').fill('North')
      await ada.getByRole('button', { name: 'Save' }).click()
      await ada.getByText('Saved.').waitFor()
      await ada.getByRole('button', { name: 'Space: North' }).waitFor()

      await goTo(ada, 'Members')
      await ada.getByLabel('Email (optional)').fill('ben@north.test')
      await ada.getByRole('button', { name: 'Create invitation link' }).click()
      const link = await ada.getByLabel('Invitation link').inputValue()
      await ada.getByRole('list', { name: 'Pending invitations' }).getByText('ben@north.test').waitFor()

      const ben = await profile()
      await ben.goto(link)
      await ben.getByRole('heading', { name: 'Join North' }).waitFor()
      await ben.getByText('It’s for ben@north.test').waitFor()
      await ben.getByRole('link', { name: 'Create an account' }).click()
      await ben.getByLabel('Name').fill('Ben')
      await ben.getByLabel('Email').fill('ben@north.test')
      await ben.getByLabel('Password').fill(PASSWORD)
      await ben.getByRole('button', { name: 'Create account' }).click()
      await ben.getByRole('button', { name: 'Join space' }).click()
      await ben.getByRole('button', { name: 'Space: North' }).waitFor()

      await goTo(ben, 'Members')
      await members(ben).getByText('ada@north.test').waitFor()
      expect(await ben.getByRole('button', { name: /^Remove/ }).count()).toBe(0)
      expect(await ben.getByRole('button', { name: 'Create invitation link' }).count()).toBe(0)

      await ada.reload()
      await ada.getByLabel('Role of Ben').selectOption('Admin')
      await expect.poll(() => ben.reload().then(() => ben.getByLabel('Email (optional)').count())).toBe(1)

      await goTo(ben, 'Tools')
      await searchNotion(ben, 'launch plan')
      await ben.getByRole('heading', { name: 'Launch plan', exact: true }).waitFor()
      const streams = () =>
        product.simulator.recorded.mcpRequests.filter(
          (each) => each.httpMethod === 'GET' && each.status === 200 && !each.finishedAt && !each.abortedAt,
        )
      expect(streams()).not.toEqual([])

      await ada.getByRole('button', { name: 'Remove Ben' }).click()
      await ada.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
      await members(ada).getByText('ben@north.test').waitFor({ state: 'detached' })

      await ben.getByRole('heading', { name: 'Page not found' }).waitFor()
      await expect.poll(streams, { timeout: 10_000 }).toEqual([])
      await ben.getByRole('link', { name: 'Go to your space' }).click()
      await ben.getByRole('button', { name: "Space: Ben's space" }).waitFor()
    },
  )

  it(
    'signs up, invites, connects, finds a page by chat, approves a change, and sees it in the workspace',
    { timeout: 120_000 },
    async () => {
      const lia = await profile()
      await signUp(lia, product.webUrl, { name: 'Lia', email: 'lia@north.test', password: PASSWORD })
      await goTo(lia, 'Members')
      await lia.getByRole('button', { name: 'Create invitation link' }).click()
      const link = await lia.getByLabel('Invitation link').inputValue()
      await goTo(lia, 'Connection')
      await connect(lia)

      const max = await profile()
      await signUp(max, product.webUrl, { name: 'Max', email: 'max@north.test', password: PASSWORD })
      await max.goto(link)
      await max.getByRole('button', { name: 'Join space' }).click()
      await max.getByRole('button', { name: "Space: Lia's space" }).waitFor()
      await max.getByRole('button', { name: 'Find the launch plan' }).click()
      await max.getByRole('button', { name: 'Answer again' }).waitFor()

      const printer = () =>
        product.simulator.workspaces.some(({ pages }) =>
          JSON.stringify([...pages.values()]).includes('Call the printer'),
        )
      await max.getByRole('link', { name: 'New chat' }).click()
      await max.getByRole('button', { name: 'Add “Call the printer” to the launch plan' }).click()
      await max.getByRole('button', { name: 'Approve' }).waitFor()
      expect(printer()).toBe(false)
      await max.getByRole('button', { name: 'Approve' }).click()
      await expect.poll(printer).toBe(true)
    },
  )

  it('shows a user with another account whom the invitation is for and offers to sign out', async () => {
    const account = (name: string) => ({ name, email: `${name.toLowerCase()}@north.test`, password: PASSWORD })
    const host = await newUser(product.webUrl, account('Olga'))
    const guest = await newUser(product.webUrl, account('Gus'))
    const made = await host.post(`/api/spaces/${host.spaceId}/invitations`, {
      role: 'member',
      email: guest.account.email,
    })
    const { link } = (await made.json()) as { link: string }
    const page = await profile()
    await signUp(page, product.webUrl, account('Other'))
    await page.goto(link)
    await page.getByText('you’re signed in as other@north.test').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.getByLabel('Email').fill(guest.account.email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Join space' }).click()
    await page.waitForURL(`**/spaces/${host.spaceId}/**`)
    await page.goto(link)
    await page.getByRole('heading', { name: 'This invitation is no longer valid' }).waitFor()
  })

  it('switches the space and its URL, and opens it at the next visit', async () => {
    const host = await newUser(product.webUrl, { name: 'Hal', email: 'hal@north.test', password: PASSWORD })
    const page = await profile()
    const guest = { name: 'Ida', email: 'ida@north.test', password: PASSWORD }
    const user = await newUser(product.webUrl, guest)
    await invite(host, user, 'member')
    await page.context().addCookies([...user.cookies()].map(([name, value]) => ({ name, value, url: product.webUrl })))
    await page.goto(`${product.webUrl}/spaces/${host.spaceId}/members`)
    const switcher = page.getByRole('button', { name: /change space/ })
    const own = page.getByRole('menuitem', { name: "Ida's space" })
    await clickUntilVisible(switcher, own)
    await own.click()
    await page.waitForURL(`**/spaces/${user.spaceId}/members`)
    await page.goto(product.webUrl)
    await page.waitForURL(`**/spaces/${user.spaceId}/*`)

    const another = page.getByRole('menuitem', { name: 'New space…' })
    await clickUntilVisible(switcher, another)
    await another.click()
    await page.getByLabel('Space name').fill('Ida’s other space')
    await page.getByRole('button', { name: 'Create space' }).click()
    await page.getByRole('button', { name: 'Space: Ida’s other space' }).waitFor()
  })
})
