import { chromiumPath, testDatabase } from '@nmg/process/testing'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { complaintsOf, goTo, launchBrowser, newProfile } from '@/test/support/browser.ts'
import { answered, ask, opened } from '@/test/support/chat-client.ts'
import { startModelServer, type ModelServer } from '@/test/support/model-server.ts'
import { startOddGateway, type OddGateway } from '@/test/support/odd-gateway.ts'
import { consent, invite, newUser, type UserClient } from '@/test/support/user.ts'
import { startProduct, type Product } from '@/test/support/product.ts'
import { forgetLimits } from '@/test/support/limits.ts'
import { textOf } from '@/features/chat/chat-message.ts'

describe.skipIf(!chromiumPath())('what people type into the chat', () => {
  let product: Product
  let model: ModelServer
  let odd: OddGateway
  let databaseUrl: string
  let browser: Browser
  let ada: UserClient
  let ben: UserClient
  const contexts: BrowserContext[] = []

  beforeAll(async () => {
    model = await startModelServer()
    odd = await startOddGateway()
    databaseUrl = (await testDatabase()).url
    product = await startProduct(
      { DATABASE_URL: databaseUrl },
      { web: { CHAT_MODEL: 'small', CHAT_BASE_URL: model.url, CUDU_ENDPOINT: odd.url } },
    )
    odd.target = product.gatewayUrl
    product.simulator.setOptions({ autoApprove: true })
    const user = (name: string) =>
      newUser(product.webUrl, { name, email: `${name.toLowerCase()}@north.test`, password: 'a-good-password' })
    ada = await user('Ada')
    ben = await user('Ben')
    await invite(ada, ben, 'member')
    const started = await ada.post('/api/notion/oauth/start', { spaceId: ada.spaceId })
    await consent(ada, ((await started.json()) as { authorizeUrl: string }).authorizeUrl)
    browser = await launchBrowser(chromiumPath() ?? '')
  })

  beforeEach(() => forgetLimits(databaseUrl))

  afterEach(async () => {
    const complaints = contexts.flatMap((context) => context.pages().flatMap((page) => complaintsOf(page)))
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    model.forget()
    odd.results = {}
    if (complaints.length > 0) throw new Error(`The browser complained:\n${complaints.join('\n')}`)
  })

  afterAll(async () => {
    await browser?.close()
    await product?.stop()
    await odd?.stop()
    await model?.stop()
  })

  const newId = () => crypto.randomUUID()
  const chatPath = (id = '') => `/spaces/${ada.spaceId}/chat${id && `/${id}`}`
  const cookiesOf = (user: UserClient) =>
    [...user.cookies()].map(([name, value]) => ({ name, value, url: product.webUrl }))
  /** A page of somebody who is signed in. */
  const pageOf = async (user: UserClient, path: string, prepare?: (page: Page) => Promise<void>) => {
    const page = await newProfile(browser)
    contexts.push(page.context())
    await page.context().addCookies(cookiesOf(user))
    await prepare?.(page)
    await page.goto(product.webUrl + path)
    await isInteractive(page)
    return page
  }
  /** A page of the chat takes the focus once it is. Readers have nothing to write into. */
  const isInteractive = async (page: Page) => {
    if ((await field(page).count()) > 0) {
      await expect.poll(() => field(page).evaluate((element) => element === document.activeElement)).toBe(true)
    }
  }
  const field = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true })
  const typedIn = (page: Page) => field(page).inputValue()
  const send = async (page: Page, text: string) => {
    await field(page).fill(text)
    await field(page).press('Enter')
  }
  const answers = (page: Page) => page.getByRole('article', { name: 'Answer' })
  const conversationIn = async (page: Page) => {
    await page.waitForURL(/\/chat\/[0-9a-f-]{36}$/)
    return page.url().split('/').at(-1) ?? ''
  }
  /** A conversation with one question and its answer. */
  const conversation = async (question: string, answer: string) => {
    const id = newId()
    model.answer([{ say: answer }])
    await answered(ada, ask(id, question))
    return id
  }

  describe('is kept', () => {
    it('through a reload, another page, another conversation and another tab, and never sent to the server', async () => {
      const id = await conversation('First', 'Answer.')
      const page = await pageOf(ada, chatPath(id))
      const bodies: string[] = []
      page.context().on('request', (request) => bodies.push(request.postData() ?? '', request.url()))
      await field(page).fill('Half a thought about periwinkles')
      await page.reload()
      await expect.poll(() => typedIn(page)).toBe('Half a thought about periwinkles')

      await page.getByRole('link', { name: 'New chat' }).click()
      await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor()
      expect(await typedIn(page)).toBe('')
      await field(page).fill('Another one about periwinkles')
      await goTo(page, 'Tools')
      await page.getByRole('navigation', { name: 'Space' }).getByRole('link', { name: 'Chat' }).click()
      await expect.poll(() => typedIn(page)).toBe('Another one about periwinkles')

      const tab = await page.context().newPage()
      await tab.goto(product.webUrl + chatPath(id))
      await expect.poll(() => typedIn(tab)).toBe('Half a thought about periwinkles')
      await page.goto(product.webUrl + chatPath(id))
      await expect.poll(() => typedIn(page)).toBe('Half a thought about periwinkles')
      await field(page).fill('Both tabs, periwinkles')
      await expect.poll(() => typedIn(tab)).toBe('Both tabs, periwinkles')
      expect(bodies.join('\n')).not.toContain('periwinkles')
    })

    it('when an earlier message is edited', async () => {
      const page = await pageOf(ada, chatPath(await conversation('First', 'Answer.')))
      await page.getByRole('article', { name: 'You' }).hover()
      await page.getByRole('button', { name: 'Edit and send again' }).click()
      await page.getByRole('textbox', { name: 'Edit your message' }).fill('First, but better')
      await page.reload()
      await expect
        .poll(() => page.getByRole('textbox', { name: 'Edit your message' }).inputValue())
        .toBe('First, but better')
      model.answer([{ say: 'Better.' }])
      await page.getByRole('textbox', { name: 'Edit your message' }).press('Enter')
      await answers(page).getByText('Better.').waitFor()
      expect(await page.evaluate(() => localStorage.length)).toBe(0)
    })

    it('when the session has ended: sign-in returns to it, and it is sent once', async () => {
      const id = await conversation('First', 'Answer.')
      const page = await pageOf(ada, chatPath(id))
      const signIn = async () => {
        await page.waitForURL(/\/sign-in\?next=/)
        await page.getByLabel('Email').fill(ada.account.email)
        await page.getByLabel('Password').fill(ada.account.password)
        await page.getByRole('button', { name: 'Sign in' }).click()
        await page.waitForURL(`**${chatPath(id)}`)
      }
      // The page finds out by itself.
      await field(page).fill('Not yet sent')
      await page.context().clearCookies()
      await signIn()
      await expect.poll(() => typedIn(page)).toBe('Not yet sent')
      // Or by sending.
      await page.route('**/api/spaces/*/conversations/*', (route) => route.abort())
      await page.route('**/api/notion**', (route) => route.abort())
      await field(page).fill('Sent too late')
      await page.context().clearCookies()
      await field(page).press('Enter')
      await signIn()
      await expect.poll(() => typedIn(page)).toBe('Sent too late')
      await page.unrouteAll()
      model.answer([{ say: 'In time.' }])
      await field(page).press('Enter')
      await answers(page).getByText('In time.').waitFor()
      expect((await opened(ada, id)).messages.map(textOf)).toEqual(['First', 'Answer.', 'Sent too late', 'In time.'])
      expect(await typedIn(page)).toBe('')
    })

    it('when the connection breaks after the message arrived, and is not sent twice', async () => {
      const page = await pageOf(ada, chatPath())
      await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor()
      let requests = 0
      await page.route('**/api/spaces/*/chat', async (route) => {
        requests += 1
        if (requests > 1) return route.continue()
        await route.fetch()
        await route.abort()
      })
      model.answer([{ say: 'Once.' }])
      await send(page, 'Into the dark')
      await page.getByRole('alert').getByText('Can’t reach the app').waitFor()
      expect(await typedIn(page)).toBe('Into the dark')
      await field(page).press('Enter')
      const id = await conversationIn(page)
      await answers(page).getByText('Once.').waitFor()
      expect((await opened(ada, id)).messages.map(textOf)).toEqual(['Into the dark', 'Once.'])
      expect(await typedIn(page)).toBe('')
    })

    it('until sign-out, after a warning', async () => {
      const own = await newUser(product.webUrl, {
        name: 'Carl',
        email: `${newId()}@north.test`,
        password: 'a-good-password',
      })
      const page = await pageOf(own, `/spaces/${own.spaceId}/chat`)
      await field(page).fill('Not yet sent')
      const signOut = async () => {
        await page.getByRole('button', { name: /^Account of/ }).click()
        await page.getByRole('menuitem', { name: 'Sign out' }).click()
        return page.getByRole('dialog', { name: 'Sign out and delete drafts?' })
      }
      await (await signOut()).getByRole('button', { name: 'Cancel' }).click()
      expect(await typedIn(page)).toBe('Not yet sent')
      await page.keyboard.press('Escape')
      await (await signOut()).getByRole('button', { name: 'Sign out and delete' }).click()
      await page.waitForURL('**/sign-in')
      expect(await page.evaluate(() => localStorage.length)).toBe(0)
    })

    it.each([
      ['full', 'QuotaExceededError', 'storage is full'],
      ['forbidden', 'SecurityError', 'doesn’t allow storage'],
    ])('in memory with a notice if the storage is %s', async (_, name, words) => {
      const page = await pageOf(ada, chatPath(), async (fresh) => {
        await fresh.addInitScript((error) => {
          Storage.prototype.setItem = () => {
            throw new DOMException('no', error)
          }
        }, name)
      })
      await field(page).fill('Only here')
      await page.getByRole('alert').getByText(words).waitFor()
      model.answer([{ say: 'Received.' }])
      await field(page).press('Enter')
      await answers(page).getByText('Received.').waitFor()
    })

    it('whole above the limit, which is shown', async () => {
      const page = await pageOf(ada, chatPath())
      await field(page).fill('x'.repeat(100_002))
      await page.getByText('2 characters over the limit of 100,000').waitFor()
      expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
      await field(page).press('Backspace')
      await field(page).press('Backspace')
      await page.getByText('100,000 of 100,000 characters').waitFor()
      model.answer([{ say: 'That was long.' }])
      await page.getByRole('button', { name: 'Send' }).click()
      const id = await conversationIn(page)
      await answers(page).getByText('That was long.').waitFor()
      expect(textOf((await opened(ada, id)).messages[0] ?? { parts: [] })).toHaveLength(100_000)
    })
  })

  it('is shown immediately, before the code for messages has loaded', async () => {
    const page = await pageOf(ada, chatPath())
    const gate = Promise.withResolvers<void>()
    await page.route('**/_next/static/**', async (route) => {
      await gate.promise
      await route.continue()
    })
    model.answer([{ say: 'Drawn.' }])
    await send(page, 'Am I visible?')
    await page.getByRole('article', { name: 'You' }).getByText('Am I visible?').waitFor()
    gate.resolve()
    await answers(page).getByText('Drawn.').waitFor()
  })

  it('survives a reload before the page of its conversation', async () => {
    const page = await pageOf(ada, chatPath())
    const isNavigation = (url: URL) => url.searchParams.has('_rsc')
    await page.route(isNavigation, () => undefined)
    model.answer([{ say: 'Already answered.' }])
    await send(page, 'Too quick')
    await answers(page).getByText('Already answered.').waitFor()
    expect(new URL(page.url()).pathname).toBe(chatPath())
    await page.unroute(isNavigation)
    await page.reload()
    await conversationIn(page)
    await answers(page).getByText('Already answered.').waitFor()
    await expect.poll(() => page.evaluate(() => localStorage.length)).toBe(0)
  })

  describe('at each address', () => {
    /** What a page shows, as far as a reload has to show it again. */
    const shownOn = async (page: Page) => ({
      path: new URL(page.url()).pathname,
      title: await page.title(),
      headings: await page.getByRole('main').getByRole('heading', { level: 1 }).allTextContents(),
      messages: await page.getByRole('region', { name: 'Messages' }).getByRole('article').allInnerTexts(),
      typed: await field(page).evaluateAll((fields) => fields.map((each) => (each as HTMLTextAreaElement).value)),
    })
    /** Numbers from a seed, the same in each run. */
    const dice = (seed: number) => () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed / 2_147_483_648
    }

    it.each([
      ['on a given way', ['new chat', 'send', 'tools', 'back', 'forward', 'back', 'type', 'reload', 'open']],
      ['on a random way', 9],
    ] as const)('is what a reload shows there, after any navigation, %s', async (seed, way) => {
      const page = await pageOf(ada, chatPath(await conversation('A question', 'An answer.')))
      const mirror = await page.context().newPage()
      const follow = async (link: Locator) => {
        const href = await link.getAttribute('href')
        await link.click()
        await page.waitForURL(product.webUrl + href)
      }
      const conversations = page.getByRole('navigation', { name: 'Conversations' }).getByRole('link')
      const destination = (name: string) =>
        follow(page.getByRole('navigation', { name: 'Space' }).getByRole('link', { name }))
      const isChat = () => page.url().includes('/chat')
      let count = 0
      const sendOne = async () => {
        if (!isChat()) return destination('Chat')
        const number = `${seed}-${count++}`
        model.answer([{ say: `Answer ${number}.` }])
        await send(page, `Question ${number}`)
        await answers(page).getByText(`Answer ${number}.`).waitFor()
      }
      const moves: Record<string, () => Promise<unknown>> = {
        'new chat': () => (isChat() ? follow(page.getByRole('link', { name: 'New chat' })) : destination('Chat')),
        send: sendOne,
        'send and go': async () => {
          await sendOne()
          await destination('Members')
        },
        type: async () => isChat() && field(page).fill(`Draft ${count++}`),
        open: async () => isChat() && follow(conversations.nth(Math.floor(random() * (await conversations.count())))),
        tools: () => destination('Tools'),
        back: () => page.goBack(),
        forward: () => page.goForward(),
        reload: () => page.reload(),
      }
      const random = dice(11)
      const names = Object.keys(moves)
      const steps =
        typeof way === 'number'
          ? Array.from({ length: way }, () => names[Math.floor(random() * names.length)] ?? '')
          : way
      const taken: string[] = []
      for (const name of steps) {
        taken.push(name)
        await moves[name]?.()
        if (page.url() === 'about:blank') await page.goForward()
        // The other page is loaded anew after each step, and once more where the address was about to change.
        let reloadedAt = ''
        await expect
          .poll(
            async () => {
              if (reloadedAt !== page.url()) {
                reloadedAt = page.url()
                await mirror.goto(reloadedAt)
              }
              const [shown, reloaded] = [await shownOn(page), await shownOn(mirror)]
              return JSON.stringify(shown) === JSON.stringify(reloaded) ? 'the same' : { shown, reloaded }
            },
            { message: taken.join(', ') },
          )
          .toBe('the same')
      }
    })
  })

  describe('is approved', () => {
    it('only after all of it was shown verbatim', async () => {
      const secret = `${'Harmless line\n'.repeat(60)}Delete everything\u202e`
      const input = {
        page_id: '1f0e2d3c-4b5a-4697-8877-665544332211',
        command: 'replace_content',
        new_str: secret,
        allow_deleting_content: true,
        cover: 'https://cover.test/x.png',
        icon: '\u200bicon',
        template_id: 'template-1',
        odd: { '': [null, '', '<table><tr><td>in a table</td></tr></table>'], 'key\u202e': 0.5 },
      }
      const page = await pageOf(ada, chatPath())
      model.answer([{ call: 'notion-update-page', input }], [{ say: 'Done.' }])
      await send(page, 'Change it')
      const card = page.getByRole('region', { name: /^Decision needed/ })
      const approve = card.getByRole('button', { name: 'Approve' })
      await approve.waitFor()
      expect(await approve.isDisabled()).toBe(true)
      expect(await card.getByRole('button', { name: 'Always in this conversation' }).isDisabled()).toBe(true)
      expect(await card.innerText()).not.toContain('Delete everything')
      await card.getByText('Expand all of it before you approve.').waitFor()
      await card.getByRole('button', { name: /^Show [\d,]+ more characters$/ }).click()
      const shown = await card.innerText()
      for (const each of [
        input.page_id,
        'Name unknown',
        'replace_content',
        'https://cover.test/x.png',
        'template-1',
        '<table><tr><td>in a table</td></tr></table>',
        'null',
        '(empty text)',
        '0.5',
        'true',
        'may move to the trash',
      ])
        expect(shown).toContain(each)
      expect(shown).toMatch(/Delete everything\s*U\+202E/)
      expect(shown).toMatch(/U\+200B\s*icon/)
      expect(await approve.isEnabled()).toBe(true)
    })

    it('visibly for all: readers and other tabs update without a reload', async () => {
      const id = await conversation('First', 'Answer.')
      await ada.fetch(`/api/spaces/${ada.spaceId}/conversations/${id}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: '{"visibility":"space"}',
      })
      const page = await pageOf(ada, chatPath(id))
      const tab = await page.context().newPage()
      await tab.goto(product.webUrl + chatPath(id))
      const reader = await pageOf(ben, chatPath(id))
      await reader.getByText('Only Ada can continue it.').waitFor()
      const title = `Seen by all ${id}`
      const gate = Promise.withResolvers<void>()
      model.answer(
        [
          { say: 'Let me see. ' },
          { wait: gate.promise },
          { call: 'notion-create-pages', input: { pages: [{ properties: { title } }] } },
        ],
        [{ say: 'Created.' }],
      )
      await send(page, 'Create it')
      for (const other of [tab, reader]) await answers(other).getByText('Let me see.').waitFor()
      gate.resolve()
      await reader.getByText('Waiting for a decision.').waitFor()
      expect(await reader.getByRole('button', { name: 'Approve' }).count()).toBe(0)
      await tab.getByRole('button', { name: 'Approve' }).click()
      for (const other of [page, reader]) {
        await answers(other).getByText('Created.').waitFor()
        expect(await other.getByText('Waiting for a decision.').count()).toBe(0)
        expect(await other.getByRole('button', { name: 'Approve' }).count()).toBe(0)
      }
    })
  })

  it('is answered with tool results: images, links and structured content', async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    odd.results = {
      'notion-fetch': {
        content: [
          { type: 'image', data: pixel, mimeType: 'image/png' },
          { type: 'audio', data: 'UklGRiQAAABXQVZF', mimeType: 'audio/wav' },
          { type: 'resource_link', uri: 'https://files.test/report', name: 'The report' },
        ],
        structuredContent: { answer: 42 },
      },
    }
    const page = await pageOf(ada, chatPath())
    model.answer([{ call: 'notion-fetch', input: { id: 'self' } }], [{ say: 'Look.' }])
    await send(page, 'Show me')
    await answers(page).getByText('Look.').waitFor()
    const image = answers(page).getByRole('img', { name: 'Returned by the tool' })
    await expect.poll(() => image.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBe(1)
    await answers(page).getByLabel('The tool returned audio').waitFor()
    await answers(page).getByRole('link', { name: 'The report' }).waitFor()
    await answers(page).getByText('"answer": 42').waitFor()
  })
})
