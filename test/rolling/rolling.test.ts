/** Replaces the replicas of one release by those of the next, and back, under traffic, without losses: `npm run test:rolling`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromiumPath, freePort, hasRedis, testDatabase, testRedisUrl } from '@nmg/process/testing'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { goTo, launchBrowser, newProfile, signIn } from '../../apps/web/test/support/browser.ts'
import { consent, newUser, type UserClient } from '../../apps/web/test/support/user.ts'
import { startBalancer, type Balancer } from './balancer.ts'
import { buildNextRelease, buildRelease, NEXT_LABEL, startReplica, type Replica } from './releases.ts'
import { callTool, loadFiles, loadPage, startTraffic, type Traffic } from './traffic.ts'

const BUILDING_MS = 1_200_000
const ROLLING_MS = 600_000

const TOKEN = 'the-service-token-of-the-rolling-upgrade'
const ADA = { name: 'Ada', email: 'ada@north.test', password: 'a-good-password' }

/** Sign-ups are limited, too. */
const A_SIGN_UP_EVERY_MS = 2_000

type Name = 'gateway' | 'web'

const folder = mkdtempSync(join(tmpdir(), 'nmg-rolling-'))
const releases = { current: join(folder, 'current'), next: join(folder, 'next') }
const running: Record<Name, Replica[]> = { gateway: [], web: [] }

let notion: Simulator
let balancers: Record<Name, Balancer>
let settings: Record<Name, Record<string, string>>
let ada: UserClient
let traffic: Traffic

beforeAll(async () => {
  buildRelease(releases.current)
  buildNextRelease(folder, releases.next)
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null, testTools: true } })
  balancers = { gateway: await startBalancer(), web: await startBalancer() }
  settings = await settingsOfReplicas()
  for (const name of ['gateway', 'web'] as const) {
    await add(name, releases.current)
    await add(name, releases.current)
  }
  ada = await newUser(balancers.web.url, ADA)
  await connect(ada)
  traffic = startTraffic({
    call: () => call('notion-search', { query: 'plan' }),
    stream: () => call('simulator-stream', { events: 10, interval_ms: 100 }),
    page: async () => loadFiles(ada, await homePage()),
    'sign-up and consent': firstConsent,
    'call of the web app': async () => {
      const response = await ada.fetch(`/api/notion?spaceId=${ada.spaceId}`)
      const body = await response.text()
      if (!body.includes('"connected":true')) throw new Error(`${response.status} ${body.slice(0, 300)}`)
    },
  })
}, BUILDING_MS)

afterAll(async () => {
  await traffic?.stop()
  // Before the simulator, which waits for their connections to close.
  await Promise.all(
    Object.values(running)
      .flat()
      .map((replica) => replica.stop()),
  )
  for (const balancer of Object.values(balancers ?? {})) balancer.close()
  await notion?.close()
  rmSync(folder, { recursive: true, force: true })
}, BUILDING_MS)

async function settingsOfReplicas(): Promise<Record<Name, Record<string, string>>> {
  const shared = { DATABASE_URL: (await testDatabase()).url, GATEWAY_SERVICE_TOKEN: TOKEN }
  const gatewayUrl = balancers.gateway.url
  return {
    gateway: {
      ...shared,
      ...(hasRedis() && { REDIS_URL: await testRedisUrl() }),
      CREDENTIAL_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      GATEWAY_PUBLIC_URL: gatewayUrl,
      NOTION_MCP_SERVER_URL: notion.mcpUrl,
      NOTION_MCP_OAUTH_REDIRECT_URI: `${gatewayUrl}/integrations/notion/mcp/oauth/callback`,
      NOTION_MCP_RETURN_BASE_URL: balancers.web.url,
    },
    web: {
      ...shared,
      AUTH_SECRET: 'auth-secret-of-the-rolling-upgrade-0123456789',
      WEB_URL: balancers.web.url,
      CUDU_ENDPOINT: gatewayUrl,
      GATEWAY_PUBLIC_URL: gatewayUrl,
    },
  }
}

async function add(name: Name, release: string): Promise<void> {
  running[name].push(await startReplica(release, name, await freePort(), settings[name]))
  await balancers[name].setReplicas(running[name].map(({ port }) => port))
}

/** Starts a replica of `release`, and stops the oldest while the balancer still uses it, which then detects its refused connections. */
async function replaceOne(name: Name, release: string): Promise<void> {
  await add(name, release)
  const oldest = running[name].shift()
  expect(await oldest?.stop()).toBe(0)
  await balancers[name].setReplicas(running[name].map(({ port }) => port))
}

const call = (tool: string, args: object) =>
  callTool(balancers.gateway.url, { spaceId: ada.spaceId, userId: ada.id, token: TOKEN }, tool, args)

/** Start and callback of a consent may meet replicas of two releases. */
async function connect(user: UserClient): Promise<void> {
  const started = await user.post('/api/notion/oauth/start', { spaceId: user.spaceId })
  const body = await started.text()
  if (started.status !== 200) throw new Error(`${started.status} ${body}`)
  const end = await consent(user, (JSON.parse(body) as { authorizeUrl: string }).authorizeUrl)
  if (end.searchParams.get('status') !== 'success') throw new Error(end.search)
}

let people = 0

/** For a new user, because consents per space are limited. */
async function firstConsent(): Promise<void> {
  people += 1
  await connect(await newUser(balancers.web.url, { ...ADA, email: `user-${people}@north.test` }))
  await sleep(A_SIGN_UP_EVERY_MS)
}

const homePage = () => loadPage(ada, `/spaces/${ada.spaceId}/connection`)

describe('a rolling upgrade', () => {
  it('loses no call, page or consent, forward and back', { timeout: ROLLING_MS }, async ({ annotate }) => {
    for (const release of [releases.next, releases.current]) {
      for (const name of ['gateway', 'web', 'gateway', 'web'] as const) {
        await replaceOne(name, release)
        // With two releases side by side, and finally with one.
        await traffic.more(2)
        expect(traffic.failures).toEqual([])
      }
      expect((await homePage()).includes(NEXT_LABEL)).toBe(release === releases.next)
    }
    await traffic.stop()
    expect(traffic.failures).toEqual([])
    await annotate(`Done meanwhile: ${[...traffic.done].map(([name, count]) => `${name} ${count}`).join(', ')}`)
  })

  it('loads scripts of either release from a process of the other', async () => {
    await replaceOne('web', releases.current)
    await replaceOne('web', releases.next)
    const [current = 0, next = 0] = running.web.map(({ port }) => port)
    for (const [page, files] of [
      [current, next],
      [next, current],
    ] as const) {
      await balancers.web.setReplicas([page])
      const html = await homePage()
      expect(html.includes(NEXT_LABEL)).toBe(page === next)
      await balancers.web.setReplicas([files])
      await loadFiles(ada, html)
    }
  })

  it.skipIf(chromiumPath() === undefined)('reloads an open page when it reaches the next release', async () => {
    const browser = await launchBrowser(chromiumPath() ?? '')
    try {
      const [current, next] = running.web.map(({ port }) => port)
      await balancers.web.setReplicas([current ?? 0])
      const page = await newProfile(browser)
      const broken: string[] = []
      page.on('response', (response) => {
        if (response.status() >= 400) broken.push(`${response.status()} ${response.url()}`)
      })
      await signIn(page, balancers.web.url, ADA)
      await page.evaluate(() => Object.assign(globalThis, { isOldPage: true }))
      await balancers.web.setReplicas([next ?? 0])
      await goTo(page, 'Members')
      expect(await page.evaluate(() => 'isOldPage' in globalThis)).toBe(false)
      await page.getByRole('link', { name: NEXT_LABEL }).waitFor()
      // A page of the next release, whose scripts are requested from the current one only.
      await page.goto(`${balancers.web.url}/spaces/${ada.spaceId}/members`, { waitUntil: 'commit' })
      await balancers.web.setReplicas([current ?? 0])
      await page.waitForLoadState('networkidle')
      await goTo(page, 'Connection')
      expect(broken).toEqual([])
    } finally {
      await browser.close()
    }
  })
})
