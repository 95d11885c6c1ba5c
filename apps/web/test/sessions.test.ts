import { chromiumPath, testDatabase } from '@nmg/process/testing'
import { expect, it } from 'vitest'
import { complaintsOf, connect, goTo, launchBrowser, newProfile, searchNotion, signUp } from '@/test/support/browser.ts'
import { startProduct } from '@/test/support/product.ts'

it.skipIf(!chromiumPath())(
  'a Notion that keeps MCP sessions — is used through one, with its stream open, and through a new one when it forgot the old',
  { timeout: 120_000 },
  async () => {
    const product = await startProduct(
      { DATABASE_URL: (await testDatabase()).url },
      { simulator: { profile: 'notion-2026-01' } },
    )
    const browser = await launchBrowser(chromiumPath() ?? '')
    try {
      const page = await newProfile(browser)
      await signUp(page, product.webUrl, { name: 'Ada', email: 'ada@north.test', password: 'a-good-password' })
      await connect(page)
      await goTo(page, 'Tools')
      await searchNotion(page, 'launch plan')
      await page.getByRole('heading', { name: 'Launch plan', exact: true }).waitFor()
      const requests = product.simulator.recorded.mcpRequests
      const calls = () => requests.filter((each) => each.tool === 'notion-search')
      expect(calls().map((each) => each.headers['mcp-session-id'])).toEqual([expect.stringMatching(/./)])
      const streams = () => requests.filter((each) => each.httpMethod === 'GET' && each.status === 200)
      expect(streams()).not.toEqual([])

      await product.simulator.admin.forgetSessions()
      await searchNotion(page, 'roadmap')
      await page.getByRole('heading', { name: 'Product roadmap' }).waitFor()

      expect(calls().map((each) => each.status)).toEqual([200, 404, 200])

      await page.close()
      await expect.poll(() => streams().filter((each) => !each.finishedAt && !each.abortedAt)).toEqual([])
      expect(complaintsOf(page)).toEqual([])
    } finally {
      await browser.close()
      await product.stop()
    }
  },
)
