import { chromiumPath } from '@nmg/process/testing'
import Ajv from 'ajv/dist/2020.js'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { accessibilityFaults } from '@/test/support/accessibility.ts'
import { complaintsOf, launchBrowser, newProfile } from '@/test/support/browser.ts'
import { RpcError, type GatewayStub } from '@/test/support/gateway-stub.ts'
import type { UserClient } from '@/test/support/user.ts'
import { startStubbedApp, type StubbedApp } from '@/test/support/stubbed-app.ts'

type Schema = Readonly<Record<string, unknown>>

const tool = (name: string, inputSchema?: unknown) => ({ name, description: `About ${name}`, inputSchema })
const object = (properties: Schema, required = Object.keys(properties)): Schema => ({
  type: 'object',
  properties,
  required,
})

const evil = '^(([a-z])+.)+[A-Z]([a-z])+$'

/** Schemas that a form has to cope with, each as the arguments of a tool. */
const family: Readonly<Record<string, Schema>> = {
  'free-form': object({ data: { type: 'object' } }),
  minimums: object({
    list: { type: 'array', minItems: 2, items: { type: 'string', minLength: 3 } },
    above: { type: 'number', exclusiveMinimum: 0 },
    text: { type: 'string', minLength: 12 },
  }),
  beside: {
    ...object({ a: { type: 'string' }, b: { type: 'number' } }, []),
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  nullable: object({ value: { type: ['string', 'null'] } }),
  tree: {
    $ref: '#/$defs/node',
    $defs: { node: object({ children: { type: 'array', items: { $ref: '#/$defs/node' } } }) },
  },
  pattern: object({ code: { type: 'string', pattern: evil, default: 'a'.repeat(300) } }),
  alternatives: {
    oneOf: [object({ kind: { const: 'x' }, x: { type: 'integer', minimum: 3 } }), object({ kind: { const: 'y' } })],
  },
  endless: object({ self: { $ref: '#' } }),
}

describe.skipIf(!chromiumPath())('the page of the tools', () => {
  let gateway: GatewayStub
  let app: StubbedApp
  let webUrl: string
  let browser: Browser
  let user: UserClient
  let page: Page
  let calls: { name: string; args: unknown }[] = []
  /** What every call gets. */
  let respond: () => unknown

  beforeAll(async () => {
    app = await startStubbedApp()
    ;({ gateway, webUrl, user } = app)
    browser = await launchBrowser(chromiumPath() ?? '')
    page = await newProfile(browser)
    const cookies = [...user.cookies()].map(([name, value]) => ({ name, value, url: webUrl }))
    await page.context().addCookies(cookies)
    page.setDefaultTimeout(10_000)
  })

  afterAll(async () => {
    await browser?.close()
    await app?.stop()
  })

  beforeEach(async () => {
    calls = []
    respond = () => ({ content: [{ type: 'text', text: 'done' }] })
    gateway.mcp = {
      tools: [
        tool('notion-search', object({ query: { type: 'string' } })),
        tool('notion-update-page', object({ text: { type: 'string' } })),
        ...Object.entries(family).map(([name, schema]) => tool(name, schema)),
        tool('without-schema'),
        { name: 7 },
        'no tool at all',
      ],
      call(name, args) {
        calls.push({ name, args })
        return respond()
      },
    }
    await page.goto(`${webUrl}/spaces/${user.spaceId}/tools`)
  })

  afterEach(() => {
    const complaints = complaintsOf(page)
    if (complaints.length > 0) throw new Error(`The browser complained:\n${complaints.join('\n')}`)
  })

  const open = async (name: string) => {
    await page
      .getByRole('list', { name: 'Tools' })
      .getByRole('button', { name: new RegExp(`^${name}`) })
      .click()
    await page.getByRole('heading', { name, level: 3 }).waitFor()
  }
  const run = () => page.getByRole('button', { name: 'Run', exact: true }).click()
  const approve = () => page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click()
  const panel = () => page.getByRole('region', { name: 'Try a tool' })

  it('starts each form valid, and asks for approval before a tool that may change something', async () => {
    for (const [name, schema] of Object.entries(family)) {
      await open(name)
      if (name === 'endless') continue
      await run()
      await approve()
      await panel().getByText('done').waitFor()
      const call = calls.at(-1)
      expect(call?.name).toBe(name)
      // Of a pattern only the server can say whether a value matches.
      if (name !== 'pattern') expect([call?.args, valid(schema, call?.args)]).toEqual([call?.args, true])
    }
    expect(calls.length).toBe(Object.keys(family).length - 1)
  })

  it('edits free-form objects as JSON and shows their faults', async () => {
    await open('free-form')
    const field = page.getByRole('textbox', { name: 'data' })
    await field.fill('{"a": ')
    await page.getByRole('alert').getByText('Enter valid JSON.').waitFor()
    await field.fill('[1]')
    await run()
    await page.getByText('Expected type: object, not array.').first().waitFor()
    await field.fill('{"a": {"b": [null]}}')
    await run()
    await approve()
    await panel().getByText('done').waitFor()
    expect(calls).toEqual([{ name: 'free-form', args: { data: { a: { b: [null] } } } }])
  })

  it('labels the fields of a choice between forms', async () => {
    await open('nullable')
    await page.getByRole('textbox', { name: 'value' }).fill('x')
    expect(await accessibilityFaults(page)).toEqual([])
    await page.getByRole('combobox', { name: 'Form of value' }).selectOption({ label: 'null' })
    await run()
    await approve()
    await expect.poll(() => calls).toEqual([{ name: 'nullable', args: { value: null } }])
  })

  it('inserts a line break at Enter, runs at Ctrl+Enter, and shows all of a change first', async () => {
    await open('notion-update-page')
    const text = page.getByRole('textbox', { name: 'text' })
    await text.pressSequentially('first')
    await text.press('Enter')
    await text.pressSequentially('second\u202e')
    expect(await text.inputValue()).toBe('first\nsecond\u202e')
    expect(await page.getByRole('dialog').count()).toBe(0)

    await text.press('Control+Enter')
    const dialog = page.getByRole('dialog', { name: 'Approve this call' })
    await dialog.getByText('U+202E').waitFor()
    await dialog.getByRole('button', { name: 'Deny' }).click()
    expect(calls).toEqual([])

    await text.press('Control+Enter')
    await approve()
    await expect.poll(() => calls).toEqual([{ name: 'notion-update-page', args: { text: 'first\nsecond\u202e' } }])
  })

  it('keeps unsent input across reloads and other tools', async () => {
    await open('notion-search')
    const query = page.getByRole('textbox', { name: 'query' })
    await query.fill('launch')
    await open('nullable')
    await page.reload()
    await open('notion-search')
    expect(await query.inputValue()).toBe('launch')
    await run()
    await panel().getByText('done').waitFor()
    expect(calls).toEqual([{ name: 'notion-search', args: { query: 'launch' } }])
    expect(await query.inputValue()).toBe('launch')
    await page.getByRole('button', { name: 'Reset' }).click()
    expect(await query.inputValue()).toBe('')
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('notion-search')))).toEqual(
      [],
    )
  })

  it('shows a server error verbatim', async () => {
    await open('notion-search')
    respond = () => {
      throw new RpcError(-32602, 'The query mentions an unknown filter.')
    }
    await run()
    await panel().getByText('The query mentions an unknown filter. (-32602)').waitFor()
  })

  it('shows that the outcome is unknown when a call ends without a result', async () => {
    await open('notion-update-page')
    respond = () => {
      throw new Error('Cut.')
    }
    await run()
    await approve()
    await panel()
      .getByText('Interrupted before a result arrived. Notion may have applied it; check before retrying.')
      .waitFor()
    const last = panel().getByRole('listitem').filter({ hasText: 'Use again: notion-update-page' }).first()
    await last.getByText('no result').waitFor()
    expect(await panel().getByText('not sent').count()).toBe(0)
  })

  it('shows images, audio, links and structured content, and the JSON verbatim', async () => {
    const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const result = {
      content: [
        { type: 'image', mimeType: 'image/png', data: PIXEL },
        { type: 'audio', mimeType: 'audio/wav', data: 'UklGRg==' },
        { type: 'resource_link', uri: 'https://example.com/report', name: 'The report' },
        { type: 'resource', resource: { uri: 'note://1', text: 'A note' } },
        { type: 'text', text: '{"a":"1"}' },
        { type: 'hologram' },
      ],
      structuredContent: { total: 42 },
    }
    respond = () => result
    await open('notion-search')
    await run()
    await panel()
      .getByRole('img', { name: /Returned by the tool/ })
      .waitFor()
    expect(await panel().locator('audio').count()).toBe(1)
    expect(await panel().getByRole('link', { name: 'The report' }).getAttribute('href')).toBe(
      'https://example.com/report',
    )
    await panel().getByText('A note').waitFor()
    await panel().getByText('"total": 42').waitFor()
    await page.getByRole('tab', { name: 'Raw JSON' }).click()
    const raw = await page.getByRole('tabpanel', { name: 'Raw JSON' }).locator('pre').textContent()
    expect(JSON.parse(raw ?? '')).toEqual(result)
  })

  it('shows a tool without a schema as unusable beside all others', async () => {
    await open('without-schema')
    await page.getByText('This tool can’t be used').waitFor()
    expect(await page.getByRole('button', { name: 'Run', exact: true }).count()).toBe(0)
    await open('notion-search')
    await run()
    await panel().getByText('done').waitFor()
  })
})

const valid = (schema: Schema, value: unknown): boolean =>
  new Ajv({ strict: false, ownProperties: true }).compile(schema)(value)
