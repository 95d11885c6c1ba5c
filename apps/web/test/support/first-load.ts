/**
 * How much script a browser downloads until a page of the built app can be used: `npm run first-load -w @nmg/web`. Needs Chromium;
 * CHROMIUM_PATH says where.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { answerConsent, launchBrowser, newProfile, signIn } from './browser.ts'
import { startProduct } from './product.ts'

const ADA = { name: 'Ada', email: 'ada@demo.test', password: 'demo-password' }

const data = mkdtempSync(join(tmpdir(), 'nmg-first-load-'))
const product = await startProduct({ DATA_DIR: data }, { web: { NOTION_GATEWAY_DEMO: '1' } })
const browser = await launchBrowser(process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium')
try {
  const page = await newProfile(browser)
  await signIn(page, product.webUrl, ADA)
  await answerConsent(page, 'Connect Notion')
  await page.getByRole('heading', { name: 'MCP connected' }).waitFor()
  await page.goto(product.webUrl)
  await page.getByRole('button', { name: 'Find the launch plan' }).click()
  await page.getByRole('button', { name: 'Answer again' }).waitFor()
  const space = page.url().replace(/\/chat.*/, '')
  const session = await page.context().storageState()
  for (const [what, url] of [
    ['a new chat', `${space}/chat`],
    ['a conversation', page.url()],
    ['the tools', `${space}/tools`],
  ] as const) {
    const fresh = await newProfile(browser, { storageState: session })
    process.stdout.write(`${what}: ${await firstLoad(fresh, url)}\n`)
    await fresh.context().close()
  }
} finally {
  await browser.close()
  await product.stop()
  rmSync(data, { recursive: true, force: true })
}

/** The scripts that a page needs to be shown and used, and those that it fetches when it has nothing else to do. */
async function firstLoad(page: Page, url: string): Promise<string> {
  const sizes = { first: 0, later: 0 }
  let isInteractive = false
  page.on('response', async (answer) => {
    if (answer.request().resourceType() !== 'script') return
    const phase = isInteractive ? 'later' : 'first'
    const body = await answer.body().catch(() => Buffer.alloc(0))
    sizes[phase] += gzipSync(body, { level: 6 }).length
  })
  await page.goto(url, { waitUntil: 'load' })
  isInteractive = true
  await page.waitForLoadState('networkidle')
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`
  return `${kilobytes(sizes.first)} of compressed script, then ${kilobytes(sizes.later)} when idle; first paint after ${Math.round(paint)} ms`
}
