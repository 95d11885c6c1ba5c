/**
 * How much script a browser downloads until a page of the built app can be used: `npm run first-load -w @nmg/web`. Needs Chromium;
 * CHROMIUM_PATH says where.
 */
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { newProfile } from './browser.ts'
import { withDemo } from './demo.ts'

await withDemo(async ({ browser, webUrl, page }) => {
  await page.goto(webUrl)
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
})

/** The scripts that a page needs to be shown and used, and those that it fetches when it has nothing else to do. */
async function firstLoad(page: Page, url: string): Promise<string> {
  const sizes = { first: 0, later: 0 }
  let isInteractive = false
  page.on('response', async (response) => {
    if (response.request().resourceType() !== 'script') return
    const phase = isInteractive ? 'later' : 'first'
    const body = await response.body().catch(() => Buffer.alloc(0))
    sizes[phase] += gzipSync(body, { level: 6 }).length
  })
  await page.goto(url, { waitUntil: 'load' })
  isInteractive = true
  await page.waitForLoadState('networkidle')
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`
  return `${kilobytes(sizes.first)} of compressed script, then ${kilobytes(sizes.later)} when idle; first paint after ${Math.round(paint)} ms`
}
