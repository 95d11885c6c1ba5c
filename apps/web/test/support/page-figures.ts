/**
 * How fast the pages of the built app show and stand still, measured by the browser itself: `npm run page-figures -w @nmg/web`. A slow
 * processor is simulated, the network is this machine's. Needs Chromium; CHROMIUM_PATH says where.
 */
import type { Page } from 'playwright-core'
import { newProfile } from './browser.ts'
import { withDemo } from './demo.ts'

/** About what lies between this machine and a phone of the middle class. */
const SLOWER = 4

/** A task longer than this keeps the page from answering. */
const LONG_TASK_MS = 50

/** Nothing late comes after this much quiet. */
const QUIET_MS = 1_500

interface Figures {
  firstByte: number
  largestPaint: number
  layoutShift: number
  blocked: number
}

declare global {
  interface Window {
    figures: Figures
  }
}

await withDemo(async ({ browser, webUrl, page }) => {
  await page.waitForURL('**/connection')
  const space = page.url().replace(/\/connection$/, '')
  const session = await page.context().storageState()
  process.stdout.write('page             first byte  largest paint  layout shift  blocked\n')
  for (const path of ['/sign-in', '/chat', '/tools', '/connection', '/members']) {
    const isPublic = path === '/sign-in'
    const fresh = await newProfile(browser, isPublic ? {} : { storageState: session })
    const found = await measure(fresh, (isPublic ? webUrl : space) + path)
    process.stdout.write(
      `${path.padEnd(16)} ${ms(found.firstByte)}    ${ms(found.largestPaint)}       ${found.layoutShift.toFixed(3)}         ${ms(found.blocked)}\n`,
    )
    await fresh.context().close()
  }
})

async function measure(page: Page, url: string): Promise<Figures> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
  await page.addInitScript((longTaskMs) => {
    window.figures = { firstByte: 0, largestPaint: 0, layoutShift: 0, blocked: 0 }
    const watch = (type: string, take: (entry: PerformanceEntry) => void) =>
      new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
    watch('navigation', (entry) => {
      window.figures.firstByte = (entry as PerformanceNavigationTiming).responseStart
    })
    watch('largest-contentful-paint', (entry) => {
      window.figures.largestPaint = entry.startTime
    })
    watch('layout-shift', (entry) => {
      const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean }
      if (!hadRecentInput) window.figures.layoutShift += value
    })
    watch('longtask', (entry) => {
      window.figures.blocked += Math.max(0, entry.duration - longTaskMs)
    })
  }, LONG_TASK_MS)
  await page.goto(url, { waitUntil: 'load' })
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await page.waitForTimeout(QUIET_MS)
  return page.evaluate(() => window.figures)
}

function ms(value: number): string {
  return `${String(Math.round(value)).padStart(5)} ms`
}
