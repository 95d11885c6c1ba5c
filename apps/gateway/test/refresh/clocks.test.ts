/** Two replicas on one database, one of them with a wrong clock that is corrected later. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startSimulator, type Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnGateway, startGateway, type GatewayClient, type ProcessGateway } from '../support/gateway.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const list = { id: 1, method: 'tools/list' }
const eventually = { timeout: 20_000, interval: 200 }
const preload = pathToFileURL(join(import.meta.dirname, '../support/shifted-clock.mjs')).href

let notion: Simulator
let folder: string
beforeAll(async () => {
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null } })
  folder = mkdtempSync(join(tmpdir(), 'nmg-clock-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await notion.close()
})

const refreshes = () => notion.recorded.tokenRequests.filter(({ grantType }) => grantType === 'refresh_token')
const statusOf = async (gateway: GatewayClient, space: string) => (await gateway.call(space, list)).status

describe.each([
  ['an hour ahead', HOUR_MS],
  ['an hour behind', -HOUR_MS],
  ['200 days ahead', 200 * DAY_MS],
  ['200 days behind', -200 * DAY_MS],
])('a replica whose clock is %s', (_name, shiftMs) => {
  let wrong: ProcessGateway
  let right: ProcessGateway
  const file = () => join(folder, `shift${shiftMs}`)

  beforeAll(async () => {
    writeFileSync(file(), String(shiftMs))
    wrong = await spawnGateway({
      mcpUrl: notion.mcpUrl,
      env: { NODE_OPTIONS: `--import=${preload}`, SHIFTED_CLOCK_FILE: file() },
    })
    right = await spawnGateway({
      mcpUrl: notion.mcpUrl,
      databaseUrl: wrong.databaseUrl,
      env: { NOTION_MCP_OAUTH_REDIRECT_URI: `${wrong.url}/integrations/notion/mcp/oauth/callback` },
    })
    // The log uses the clock of the process, which proves that it is wrong.
    const loggedAt = (JSON.parse(wrong.logs().split('\n')[0] as string) as { time: string | number }).time
    if (Math.abs(new Date(loggedAt).getTime() - Date.now() - shiftMs) > HOUR_MS / 2)
      throw new Error('the clock is not shifted')
  })
  afterAll(() => Promise.all([wrong.stop(), right.stop()]))

  it('refreshes no more than the other one, even after its clock is corrected', async () => {
    await wrong.connect('north')
    await right.connect('south')
    notion.clearRecorded()
    for (const gateway of [wrong, right, wrong, right]) {
      for (const space of ['north', 'south']) expect(await statusOf(gateway, space)).toBe(200)
    }
    expect(refreshes()).toEqual([])

    notion.admin.expireAccessTokens()
    for (const gateway of [wrong, right, wrong]) expect(await statusOf(gateway, 'north')).toBe(200)
    expect(refreshes()).toHaveLength(1)

    const { tokenExpiresAt, reconnectBy, notice } = await right.connection('north')
    expect(Math.abs(Date.parse(tokenExpiresAt as string) - Date.now() - 8 * HOUR_MS)).toBeLessThan(60_000)
    expect(Math.abs(Date.parse(reconnectBy as string) - Date.now() - 180 * DAY_MS)).toBeLessThan(60_000)
    expect(notice).toBeUndefined()

    writeFileSync(file(), '0')
    for (const gateway of [wrong, right]) expect(await statusOf(gateway, 'north')).toBe(200)
    expect(refreshes()).toHaveLength(1)
    writeFileSync(file(), String(shiftMs))
  })

  it('does not delay the other one after a failed refresh', async () => {
    await wrong.connect('east')
    notion.admin.expireAccessTokens()
    notion.setOptions({ tokenResponse: { status: 503, on: 'refresh_token' } })
    for (let i = 0; i < 3; i++) expect(await statusOf(wrong, 'east')).toBe(503)
    notion.setOptions({ tokenResponse: null })
    await expect.poll(() => statusOf(right, 'east'), eventually).toBe(200)
    expect(await statusOf(wrong, 'east')).toBe(200)
  })

  it('completes consents started on the other one, and vice versa', async () => {
    await expect(wrong.connect('west')).resolves.toBeUndefined()
    const { authorizeUrl } = await wrong.start('west')
    const callback = (await fetch(authorizeUrl, { redirect: 'manual' })).headers.get('location') as string
    const elsewhere = callback.replace(wrong.url, right.url)
    const back = await fetch(elsewhere, { redirect: 'manual' })
    expect(back.headers.get('location')).toContain('status=success')
  })
})

describe('the times stored by a wrong clock', () => {
  it.each([
    ['ahead', 200 * DAY_MS],
    ['behind', -200 * DAY_MS],
  ])('of 200 days %s do not prevent the refresh of a connection', async (_name, shiftMs) => {
    // As written by a database that was 200 days off, or by a release that used the clock of its process.
    const gateway = await startGateway({ mcpUrl: notion.mcpUrl, clock: () => new Date(Date.now() + shiftMs) })
    await gateway.connect('north')
    notion.admin.expireAccessTokens()
    notion.setOptions({ tokenResponse: { status: 503, on: 'refresh_token' } })
    expect(await statusOf(gateway, 'north')).toBe(503)
    notion.setOptions({ tokenResponse: null })
    await gateway.stop()

    const database = new Client(gateway.databaseUrl)
    await database.connect()
    const due = async () => {
      const { rows } = await database.query<{ days: number }>(
        'select extract(epoch from refresh_due_at - now())::float / 86400 as days from gateway.connections',
      )
      return rows[0]?.days as number
    }
    expect(Math.abs((await due()) - shiftMs / DAY_MS)).toBeLessThan(1)
    notion.clearRecorded()
    const later = await startGateway({ mcpUrl: notion.mcpUrl, databaseUrl: gateway.databaseUrl })
    try {
      await later.gateway.refreshDue()
      expect(refreshes()).toHaveLength(1)
      expect(await statusOf(later, 'north')).toBe(200)
      expect(await due()).toBeGreaterThan(0)
      expect(await due()).toBeLessThan(7)
      expect(refreshes()).toHaveLength(1)
    } finally {
      await later.stop()
      await database.end()
    }
  })
})
