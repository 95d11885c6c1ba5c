/** Takes the README's pictures of the product as it is: `npm run screenshots -w @nmg/web`. Needs Chromium; CHROMIUM_PATH says where. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { registerClient } from '../clients/client-user.ts'
import { goTo, launchBrowser, newProfile, openDialog, searchNotion, signIn } from './browser.ts'
import { newUser } from './user.ts'
import { startProduct, type Product } from './product.ts'

const FOLDER = resolve(import.meta.dirname, '../../../../docs/screenshots')
const ADA = { name: 'Ada', email: 'ada@demo.test', password: 'demo-password' }
/** Where a client on the user's own machine waits for the answer. */
const CLIENT_REDIRECT = 'http://127.0.0.1:33418/callback'
const DESKTOP = { viewport: { width: 1120, height: 820 }, deviceScaleFactor: 1.5 } satisfies BrowserContextOptions
const PHONE = { viewport: { width: 390, height: 1000 }, deviceScaleFactor: 1.5 } satisfies BrowserContextOptions

mkdirSync(FOLDER, { recursive: true })
const data = mkdtempSync(join(tmpdir(), 'nmg-screenshots-'))
const product = await startProduct({ DATA_DIR: data }, { web: { NOTION_GATEWAY_DEMO: '1' } })
const browser = await launchBrowser(process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium')
try {
  await journey(product, browser)
  for (const [name, options] of [
    ['tools', DESKTOP],
    ['tools-dark', { ...DESKTOP, colorScheme: 'dark' }],
    ['tools-phone', PHONE],
  ] as const) {
    const page = await newProfile(browser, options)
    await signIn(page, product.webUrl, ADA)
    await goTo(page, 'Tools')
    await search(page)
    await picture(page, name)
    await page.context().close()
  }
  for (const [name, options] of [
    ['chat', DESKTOP],
    ['chat-dark', { ...DESKTOP, colorScheme: 'dark' }],
    ['chat-phone', PHONE],
  ] as const) {
    const page = await newProfile(browser, options)
    await signIn(page, product.webUrl, ADA)
    await page.getByRole('button', { name: 'Add “Call the printer” to the launch plan' }).click()
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.mouse.move(0, 0)
    await picture(page, name)
    await page.context().close()
  }
  for (const [name, options] of [
    ['connection', DESKTOP],
    ['connection-phone', PHONE],
  ] as const) {
    const page = await newProfile(browser, options)
    await signIn(page, product.webUrl, ADA)
    await goTo(page, 'Connection')
    await page.getByRole('list', { name: 'Events' }).getByText('Connected').waitFor()
    await picture(page, name)
    await page.context().close()
  }
  await team(product, browser)
  await ownClients(product, browser)
  await lostGrant(product, browser)
} finally {
  await browser.close()
  await product.stop()
  rmSync(data, { recursive: true, force: true })
}

/** From the sign-in page to a connection. */
async function journey({ webUrl }: Product, chromium: Browser): Promise<void> {
  const page = await newProfile(chromium, DESKTOP)
  await page.goto(webUrl)
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  await picture(page, 'sign-in')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Connect Notion' }).waitFor()
  await picture(page, 'connection-none')
  await page.getByRole('button', { name: 'Connect Notion' }).click()
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await picture(page, 'consent')
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.getByRole('heading', { name: 'MCP connected' }).waitFor()
  await picture(page, 'callback')
  await openDialog(page)
  await picture(page, 'dialog-connected')
  await page.context().close()
}

/** Who is in the space, and who is invited. */
async function team({ webUrl }: Product, chromium: Browser): Promise<void> {
  const user = (name: string) =>
    newUser(webUrl, { name, email: `${name.toLowerCase()}@demo.test`, password: 'demo-password' })
  const page = await newProfile(chromium, { ...DESKTOP, colorScheme: 'dark' })
  await signIn(page, webUrl, ADA)
  await page.goto(webUrl)
  const spaceId = /spaces\/([^/]+)/.exec(page.url())?.[1] ?? ''
  const invited = (email: string, role: string) =>
    page.request.post(`${webUrl}/api/spaces/${spaceId}/invitations`, {
      data: { email, role },
      headers: { origin: webUrl },
    })
  for (const [name, role] of [
    ['Ben', 'admin'],
    ['Cleo', 'member'],
  ] as const) {
    const guest = await user(name)
    const { link } = (await (await invited(guest.account.email, role)).json()) as { link: string }
    await guest.post(new URL(link).pathname.replace('/invitations/', '/api/invitations/'), {})
  }
  await invited('dora@demo.test', 'member')
  await goTo(page, 'Members')
  await page.getByText('dora@demo.test').waitFor()
  await picture(page, 'members-dark')
  await page.context().close()
}

/** How one's own client gets to the space. */
async function ownClients({ webUrl, gatewayUrl }: Product, chromium: Browser): Promise<void> {
  const page = await newProfile(chromium, DESKTOP)
  await signIn(page, webUrl, ADA)
  await page.getByRole('link', { name: 'Clients', exact: true }).first().click()
  await page.getByText('claude mcp login').waitFor()
  await picture(page, 'clients')

  const client = await registerClient(webUrl, { client_name: 'Claude Code', redirect_uris: [CLIENT_REDIRECT] })
  const spaceId = /spaces\/([^/]+)/.exec(page.url())?.[1] ?? ''
  const resource = `${gatewayUrl}/mcp/notion/spaces/${spaceId}`
  await page.goto(client.authorizeUrl(resource, { redirect_uri: CLIENT_REDIRECT }))
  await page.locator('button:enabled', { hasText: 'Allow' }).waitFor()
  await picture(page, 'client-consent')
  await page.context().close()
}

async function lostGrant({ webUrl, simulator }: Product, chromium: Browser): Promise<void> {
  const page = await newProfile(chromium, DESKTOP)
  await signIn(page, webUrl, ADA)
  await goTo(page, 'Tools')
  await page.getByLabel('query', { exact: true }).waitFor()
  simulator.admin.revokeGrants()
  await searchNotion(page, 'launch plan')
  await page.getByRole('button', { name: 'Reconnect Notion' }).waitFor()
  await picture(page, 'reconnect-required')
}

async function search(page: Page): Promise<void> {
  await searchNotion(page, 'launch plan')
  await page.getByRole('list', { name: 'Search results' }).waitFor()
  // The pointer leaves what it pressed.
  await page.mouse.move(0, 0)
}

async function picture(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' })
}
