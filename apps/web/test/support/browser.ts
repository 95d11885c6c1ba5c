import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from 'playwright-core'

/** What a page complained about on its console: script errors and what the Content-Security-Policy stopped. */
const complaints = new WeakMap<BrowserContext, string[]>()

export const launchBrowser = (executablePath: string): Promise<Browser> =>
  // No sandbox: it needs privileges that containers do not have, and the pages are our own.
  chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })

/** A browser profile of its own, as on another machine. */
export async function newProfile(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Vienna', ...options })
  context.setDefaultTimeout(30_000)
  const heard: string[] = []
  complaints.set(context, heard)
  context.on('weberror', (error) => heard.push(String(error.error())))
  context.on('console', (message) => {
    // Chromium logs each answer above 399; those are tested by what the page shows.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) heard.push(message.text())
  })
  return context.newPage()
}

export const complaintsOf = (page: Page): readonly string[] => complaints.get(page.context()) ?? []

export interface Account {
  readonly name: string
  readonly email: string
  readonly password: string
}

export async function signUp(page: Page, webUrl: string, { name, email, password }: Account): Promise<void> {
  await page.goto(`${webUrl}/sign-up`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('button', { name: `Account of ${name}` }).waitFor()
}

export async function signIn(page: Page, webUrl: string, { email, password }: Account): Promise<void> {
  await page.goto(`${webUrl}/sign-in`)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: /^Account of/ }).waitFor()
}

/** Clicks again where nothing followed: a click on a page that React has not taken over yet does nothing. */
export async function clickUntilVisible(button: Locator, expected: Locator): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    await button.click({ timeout: 2000 }).catch(() => undefined)
    const isVisible = await expected.waitFor({ timeout: 5000 }).then(
      () => true,
      () => false,
    )
    if (isVisible) return
    if (performance.now() > deadline)
      throw new Error(`${String(expected)} does not appear after a click on ${String(button)}`)
  }
}

/** From the button on the connection's page (or in the banner of others) to the way back, allowing (or not) on the consent page. */
export async function submitConsent(
  page: Page,
  button: 'Connect Notion' | 'Reconnect Notion',
  decision: 'Allow' | 'Deny' = 'Allow',
): Promise<void> {
  const decide = page.getByRole('button', { name: decision })
  await clickUntilVisible(page.getByRole('button', { name: button }), decide)
  await decide.click()
}

/** Connects the space that was just entered, up to the page that says so. */
export async function connect(page: Page): Promise<void> {
  await submitConsent(page, 'Connect Notion')
  await page.getByRole('link', { name: 'Continue now' }).click()
  await page.getByRole('region', { name: 'Notion' }).getByText('MCP connected', { exact: true }).waitFor()
}

/** To another page of the space by the navigation, which small windows keep in a drawer. */
export async function goTo(page: Page, destination: string): Promise<void> {
  const drawer = page.getByRole('button', { name: 'Open navigation' })
  if (await drawer.isVisible()) await drawer.click()
  await page.getByRole('navigation', { name: 'Space' }).getByRole('link', { name: destination }).click()
  await page.getByRole('heading', { name: destination, level: 1 }).waitFor()
}

/** Opens the dialog about the connection, which each page of a space has. */
export async function openDialog(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: /^Notion: / }).click()
  return page.getByRole('dialog', { name: 'Notion' })
}

/** Searches Notion on the page of the tools. */
export async function searchNotion(page: Page, words: string): Promise<void> {
  await page.getByLabel('query', { exact: true }).fill(words)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
}
