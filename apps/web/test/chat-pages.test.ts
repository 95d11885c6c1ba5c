import { chromiumPath, testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { accessibilityFaults } from '@/test/support/accessibility.ts'
import { complaintsOf, connect, goTo, launchBrowser, newProfile, signUp } from '@/test/support/browser.ts'
import { startModelServer, type ModelServer } from '@/test/support/model-server.ts'
import { startProduct, type Product } from '@/test/support/product.ts'
import { forgetLimits } from '@/test/support/limits.ts'

describe.skipIf(!chromiumPath())('the chat', () => {
  let product: Product
  let model: ModelServer
  let browser: Browser
  let databaseUrl: string
  /** Ada, signed in. */
  let session: NonNullable<Exclude<BrowserContextOptions['storageState'], string>>
  const open: Page[] = []
  const ada = { name: 'Ada', email: 'ada@north.test', password: 'a-good-password' }

  beforeAll(async () => {
    model = await startModelServer()
    databaseUrl = (await testDatabase()).url
    product = await startProduct(
      { DATABASE_URL: databaseUrl },
      { web: { CHAT_MODEL: 'small,large', CHAT_BASE_URL: model.url } },
    )
    browser = await launchBrowser(chromiumPath() ?? '')
    const page = await newProfile(browser)
    await signUp(page, product.webUrl, ada)
    await connect(page)
    session = await page.context().storageState()
    await page.context().close()
  })

  beforeEach(() => forgetLimits(databaseUrl))

  afterEach(async () => {
    const complaints = open.flatMap((page) => complaintsOf(page))
    await Promise.all(open.splice(0).map((page) => page.context().close()))
    model.forget()
    if (complaints.length > 0) throw new Error(`The browser complained:\n${complaints.join('\n')}`)
  })

  afterAll(async () => {
    await browser?.close()
    await product?.stop()
    await model?.stop()
  })

  /** The page of a new chat. */
  const newChat = async (options?: BrowserContextOptions) => {
    const page = await newProfile(browser, { ...options, storageState: session })
    open.push(page)
    await page.goto(product.webUrl)
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor()
    return page
  }
  const send = async (page: Page, text: string) => {
    const input = page.getByRole('textbox', { name: 'Message', exact: true })
    await input.fill(text)
    await input.press('Enter')
  }
  const answers = (page: Page) => page.getByRole('article', { name: 'Answer' })
  const isReady = (page: Page) => page.getByRole('status').getByText('The answer is ready.').waitFor()
  const create = (title: string) =>
    ({ call: 'notion-create-pages', input: { pages: [{ properties: { title }, content: 'First line' }] } }) as const
  const pageTitles = () =>
    product.simulator.workspaces.flatMap(({ pages }) => [...pages.values()].map(({ title }) => title))

  it('finds a page: shows the action and the results, and answers in Markdown', async () => {
    const page = await newChat()
    model.answer(
      [{ say: 'Let me look. ' }, { call: 'notion-search', input: { query: 'launch plan' } }],
      [{ say: 'It is [there](https://app.notion.com/p/1). <b>bold</b> ![spy](https://spy.example/x.png)' }],
    )
    await send(page, 'Where is the launch plan?')
    await page.getByRole('button', { name: 'Searched Notion for “launch plan”' }).waitFor()
    const card = page.getByRole('list', { name: 'Pages' }).getByRole('article').first()
    await card.getByRole('link', { name: 'Launch plan' }).waitFor()
    expect(await card.textContent()).toMatch(/Product.*edited 1 day ago/)
    await isReady(page)
    const link = answers(page).getByRole('link', { name: 'there' })
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer nofollow')
    expect(await answers(page).textContent()).toContain('<b>bold</b>')
    expect(await page.getByRole('img').count()).toBe(0)
    await answers(page).getByText('small · 2 steps · 240 tokens').waitFor()
    await page.getByRole('heading', { level: 1, name: 'A title from the model' }).waitFor()
    await page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name: 'A title from' }).waitFor()
  })

  it('asks before a change and follows the decision', async () => {
    const page = await newChat()
    model.answer([create('Approved in the browser')], [{ say: 'Made.' }])
    await send(page, 'Create it')
    const decision = page.getByRole('region', { name: 'Decision needed: Create the page “Approved in the browser”?' })
    await decision.getByText('First line', { exact: true }).waitFor()
    expect(pageTitles()).not.toContain('Approved in the browser')
    await decision.getByRole('button', { name: 'Approve' }).click()
    await answers(page).getByText('Made.').waitFor()
    expect(pageTitles()).toContain('Approved in the browser')

    model.answer([create('Denied in the browser')], [{ say: 'Then not.' }])
    await send(page, 'And another')
    await page.getByRole('button', { name: 'Deny' }).click()
    await answers(page).getByText('Then not.').waitFor()
    await page.getByRole('button', { name: 'Denied: Create the page “Denied in the browser”' }).waitFor()
    expect(pageTitles()).not.toContain('Denied in the browser')
  })

  it('stops at Escape, and answers an edited question in place of the first', async () => {
    const page = await newChat()
    const gate = Promise.withResolvers<void>()
    model.answer([{ say: 'A long story ' }, { wait: gate.promise }, { say: 'without end.' }], [{ say: 'A short one.' }])
    await send(page, 'Tell me a story')
    await answers(page).getByText('A long story').waitFor()
    await page.keyboard.press('Escape')
    await answers(page).getByText('Stopped').waitFor()
    gate.resolve()

    await page.getByRole('article', { name: 'You' }).hover()
    await page.getByRole('button', { name: 'Edit and send again' }).click()
    await page.getByRole('textbox', { name: 'Edit your message' }).fill('Tell me a short story')
    await page.keyboard.press('Enter')
    await answers(page).getByText('A short one.').waitFor()
    expect(await page.getByRole('article', { name: 'You' }).allTextContents()).toEqual(['YouTell me a short story'])
    expect(await answers(page).count()).toBe(1)
  })

  it('continues after a reload during a run, without layout shifts', async () => {
    const page = await newChat()
    const gate = Promise.withResolvers<void>()
    model.answer([{ say: 'Before the reload. ' }, { wait: gate.promise }, { say: 'After the reload.\n\n'.repeat(40) }])
    await send(page, 'Answer slowly')
    await answers(page).getByText('Before the reload.').waitFor()
    await page.reload()
    await answers(page).getByText('Before the reload.').waitFor()
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    await page.evaluate(() => {
      const shifts: number[] = []
      Object.assign(window, { shifts })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value)
      }).observe({ type: 'layout-shift' })
    })
    gate.resolve()
    await isReady(page)
    expect(await answers(page).textContent()).toMatch(/Before the reload.*After the reload/)
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)
    expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.05)
  })

  it('shows why a run failed and retries', async () => {
    const page = await newChat()
    model.answer([{ status: 401 }], [{ say: 'Better now.' }])
    await send(page, 'Hello')
    await page.getByRole('alert').getByText('The model can’t be used').waitFor()
    await page.getByRole('status').getByText('The answer failed.').waitFor()
    expect(await page.getByText('The answer is ready.').count()).toBe(0)
    await page.getByRole('button', { name: 'Answer again' }).click()
    await answers(page).getByText('Better now.').waitFor()
  })

  it('is renamed, shared, found and deleted', async () => {
    const page = await newChat()
    model.answer([{ say: 'About penguins.' }])
    await send(page, 'Tell me')
    await isReady(page)
    const menu = async (item: string) => {
      await page.getByRole('button', { name: 'Conversation: more' }).click()
      await page.getByRole('menuitem', { name: item }).click()
    }
    await menu('Rename…')
    await page.getByLabel('Title').fill('Birds of the south')
    await page.getByRole('button', { name: 'Rename' }).click()
    const list = page.getByRole('navigation', { name: 'Conversations' })
    await list.getByRole('link', { name: 'Birds of the south' }).waitFor()
    await menu('Share with the space')
    await list.getByRole('link', { name: 'Birds of the south shared with the space' }).waitFor()
    await page.getByRole('searchbox', { name: 'Search conversations' }).fill('penguins')
    await expect
      .poll(() => list.getByRole('link').allTextContents())
      .toEqual([expect.stringContaining('Birds of the south')])
    await menu('Delete…')
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor()
    expect(await list.getByText('Birds of the south').count()).toBe(0)
  })

  it('stays smooth with two thousand messages, and with a result of 200 kB', { timeout: 120_000 }, async () => {
    const id = crypto.randomUUID()
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    await client.query(
      `insert into web.conversation (id, space_id, owner_id, title)
       select $1, member."organizationId", member."userId", 'A long one' from web.member limit 1`,
      [id],
    )
    const large = JSON.stringify({ rows: Array.from({ length: 2_000 }, (_, row) => ({ row, text: 'x'.repeat(80) })) })
    const parts = [
      { type: 'text', text: 'Here **it** is.' },
      {
        type: 'dynamic-tool',
        toolName: 'notion-query-data-sources',
        toolCallId: 'call',
        state: 'output-available',
        input: {},
        output: { content: [{ type: 'text', text: large }] },
      },
    ]
    await client.query(
      `insert into web.chat_message (conversation_id, position, id, role, format, parts, words)
       select $1, i, 'message-' || i, case when i % 2 = 0 then 'user' else 'assistant' end, 1,
         case when i = 1999 then $2::jsonb
              else jsonb_build_array(jsonb_build_object('type', 'text', 'text', 'Message ' || i || repeat(' word', i % 90))) end, ''
       from generate_series(0, 1999) i`,
      [id, JSON.stringify(parts)],
    )
    await client.end()

    const page = await newChat()
    await page.addInitScript(() => {
      const pauses: number[] = []
      Object.assign(window, { pauses })
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) pauses.push(duration)
      }).observe({ type: 'longtask' })
    })
    await page.goto(new URL(`${page.url().replace(/\/chat.*/, '')}/chat/${id}`).href)
    const messages = page.getByRole('region', { name: 'Messages' })
    await answers(page).getByText('Here it is.').waitFor()
    await messages.getByRole('button', { name: 'Queried a database' }).click()
    await page
      .getByRole('button', { name: /^Show all \d+ kB/ })
      .first()
      .waitFor()
    await messages.hover()
    const top = messages.getByText('Message 0', { exact: true })
    for (let i = 0; i < 400 && !(await top.isVisible()); i++) {
      await page.mouse.wheel(0, -4_000)
      await page.waitForFunction(() => new Promise((resolve) => requestAnimationFrame(() => resolve(true))))
    }
    await top.waitFor()
    // Only what is near the window is in the document.
    expect(await messages.getByRole('article').count()).toBeLessThan(60)
    const pauses = await page.evaluate(() => (window as unknown as { pauses: number[] }).pauses)
    expect(Math.max(0, ...pauses)).toBeLessThan(700)
  })

  it('shows that the connection was lost during a run', async () => {
    const page = await newChat()
    const gate = Promise.withResolvers<void>()
    model.answer([{ say: 'Wait. ' }, { wait: gate.promise }, { call: 'notion-search', input: { query: 'x' } }])
    await send(page, 'Search')
    await answers(page).getByText('Wait.').waitFor()
    product.simulator.admin.revokeGrants()
    product.simulator.admin.expireAccessTokens()
    gate.resolve()
    await page.getByRole('alert').getByText('Notion must be reconnected').waitFor()
    await page.getByRole('region', { name: 'Notion connection' }).getByText('Reconnect required').waitFor()
    await page.getByRole('button', { name: 'Reconnect Notion' }).click()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('heading', { name: 'MCP connected' }).waitFor()
  })

  it('shows a form for each tool’s schema in sync with its JSON, and keeps the last calls', async () => {
    const page = await newChat()
    await goTo(page, 'Tools')
    await page.getByLabel('query', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('alert').getByText('query').waitFor()
    await page.getByLabel('query', { exact: true }).fill('launch')
    await page.getByRole('button', { name: 'Add page_size' }).click()
    await page.getByLabel('page_size', { exact: true }).fill('3')
    await page.getByRole('tab', { name: 'JSON', exact: true }).click()
    const raw = page.getByRole('textbox', { name: 'Arguments (JSON)' })
    expect(JSON.parse(await raw.inputValue())).toEqual({ query: 'launch', page_size: 3 })
    await raw.fill('{"query": "roadmap", "filters": {"title_only": true}}')
    await page.getByRole('tab', { name: 'Form' }).click()
    expect(await page.getByLabel('query', { exact: true }).inputValue()).toBe('roadmap')
    await page.getByLabel('query', { exact: true }).press('Control+Enter')
    await page.getByRole('heading', { name: 'Product roadmap' }).waitFor()
    await page.getByRole('tab', { name: 'Tree' }).click()
    await page.getByRole('button', { name: 'results' }).waitFor()

    await page.getByRole('searchbox', { name: 'Filter tools' }).fill('create-pages')
    await page.getByRole('button', { name: /^notion-create-pages/ }).click()
    await page.getByRole('button', { name: 'Add parent' }).click()
    await page.getByLabel('Form of parent').selectOption({ index: 2 })
    await page.getByLabel('data_source_id', { exact: true }).waitFor()

    await page.reload()
    const past = page.getByRole('region', { name: 'Your last calls' })
    await past.getByRole('button', { name: /notion-search.*roadmap/ }).click()
    await expect.poll(() => page.getByLabel('query', { exact: true }).inputValue()).toBe('roadmap')
  })

  describe.each([
    ['light', { colorScheme: 'light', viewport: { width: 1400, height: 900 } }],
    ['dark', { colorScheme: 'dark', viewport: { width: 1400, height: 900 } }],
    ['small', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
  ] as const)('%s', (_, options) => {
    it('passes axe and never exceeds the width of the window', async () => {
      const page = await newChat({ ...options })
      const check = async (what: string) => {
        expect(await accessibilityFaults(page), what).toEqual([])
        const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement)
        expect(scrollWidth, what).toBe(clientWidth)
      }
      await check('empty')
      model.answer(
        [{ say: 'Let me look. ' }, { call: 'notion-search', input: { query: 'launch plan' } }],
        [{ say: '# Found\n\n| a | b |\n| - | -: |\n| 1 | `two` |\n\n- [x] done\n\n```\ncode\n```' }, create('A page')],
        [{ status: 404 }],
      )
      await send(page, 'Find it and create it')
      await page.getByRole('button', { name: 'Approve' }).waitFor()
      await page.getByRole('button', { name: 'Searched Notion' }).click()
      await check('a decision')
      await page.getByRole('button', { name: 'Deny' }).click()
      await page.getByRole('alert').waitFor()
      await check('a failure')
      await goTo(page, 'Tools')
      await page.getByLabel('query', { exact: true }).fill('launch')
      await page.getByRole('button', { name: 'Run' }).click()
      await page.getByRole('tab', { name: 'Tree' }).click()
      await check('tools')
    })
  })
})
