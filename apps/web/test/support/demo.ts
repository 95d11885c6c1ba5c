import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, newProfile, signIn, submitConsent } from './browser.ts'
import { startProduct } from './product.ts'

interface Demo {
  readonly browser: Browser
  readonly webUrl: string
  /** Signed in, in a space that is connected. */
  readonly page: Page
}

/** Runs `work` with the demo in Chromium, for programs that measure it. */
export async function withDemo(work: (demo: Demo) => Promise<void>): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'nmg-demo-'))
  const product = await startProduct({ DATA_DIR: data }, { web: { NOTION_GATEWAY_DEMO: '1' } })
  const browser = await launchBrowser(process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium')
  try {
    const page = await newProfile(browser)
    await signIn(page, product.webUrl, { name: 'Ada', email: 'ada@demo.test', password: 'demo-password' })
    await submitConsent(page, 'Connect Notion')
    await page.getByRole('heading', { name: 'MCP connected' }).waitFor()
    await work({ browser, webUrl: product.webUrl, page })
  } finally {
    await browser.close()
    await product.stop()
    rmSync(data, { recursive: true, force: true })
  }
}
