/** Rotations of secrets under traffic on two replicas by add, promote and remove, without a failed request. */
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { databaseCommand } from '../test/support/database-copies.ts'
import { CREDENTIAL_KEYS, SERVICE_TOKEN, startGateway, type InProcessGateway } from '../test/support/gateway.ts'

const NEXT_KEY = `next:${Buffer.alloc(32, 9).toString('base64')}`
const NEXT_TOKEN = 'the-next-service-token-of-the-tests'

/** Replicas behind one address. */
const shared = { NOTION_MCP_OAUTH_REDIRECT_URI: 'http://127.0.0.1:1/integrations/notion/mcp/oauth/callback' }

let notion: Simulator
const running = new Set<InProcessGateway>()

beforeEach(async () => {
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null } })
})
afterEach(async () => {
  await Promise.all([...running].map((gateway) => gateway.stop()))
  running.clear()
  await notion.close()
})

async function start(databaseUrl: string | undefined, env: Record<string, string>): Promise<InProcessGateway> {
  const gateway = await startGateway({
    mcpUrl: notion.mcpUrl,
    ...(databaseUrl && { databaseUrl }),
    env: { ...shared, ...env },
  })
  running.add(gateway)
  return gateway
}

/** Two replicas behind a load balancer, replaced one after the other, each before its predecessor stops. */
async function twoReplicas(env: Record<string, string>) {
  const first = await start(undefined, env)
  const targets = [first, await start(first.databaseUrl, env)]
  return {
    targets,
    /** Applies the settings to both by a rolling restart. */
    async replace(next: Record<string, string>) {
      for (let at = 0; at < targets.length; at++) {
        const before = targets[at] as InProcessGateway
        targets[at] = await start(first.databaseUrl, next)
        running.delete(before)
        // With the full grace period for open connections.
        await before.gateway.stop()
      }
    },
  }
}

/** Connects a space; start and callback may be served by different replicas. @returns `success` or the error of the callback. */
async function connect(pick: () => InProcessGateway, space: string, token = SERVICE_TOKEN): Promise<string> {
  const path = `/integrations/notion/oauth/mcp/start?space_id=${space}`
  const started = await pick().fetch(path, { headers: { authorization: `Bearer ${token}` } })
  if (started.status !== 200) return `${started.status} ${await started.text()}`
  const { authorizeUrl } = (await started.json()) as { authorizeUrl: string }
  const consented = await fetch(authorizeUrl, { redirect: 'manual' })
  const { pathname, search } = new URL(consented.headers.get('location') ?? '')
  const ended = new URL(
    (await fetch(pick().url + pathname + search, { redirect: 'manual' })).headers.get('location') ?? '',
  )
  return ended.searchParams.get('error') ?? ended.searchParams.get('status') ?? 'nothing'
}

/** Sends calls, refreshes and authorizations, possibly across replicas, until it is stopped. @returns the failures. */
function traffic(targets: readonly InProcessGateway[], token: () => string) {
  let isOver = false
  const failures: string[] = []
  let turns = 0
  const pick = () => targets[(turns += 1) % targets.length] as InProcessGateway
  const expectStatus = async (what: string, status: number, response: Response) => {
    const body = await response.text()
    if (response.status !== status)
      failures.push(`${what}: ${response.status} ${body} ${response.headers.get('location')}`)
    return body
  }
  const authorization = () => ({ authorization: `Bearer ${token()}` })
  const call = async (space: string) =>
    expectStatus('call', 200, await pick().call(space, { id: 1, method: 'tools/list' }, { headers: authorization() }))
  const consent = async (space: string) => {
    const outcome = await connect(pick, space, token())
    if (outcome !== 'success') failures.push(`consent: ${outcome}`)
  }
  const loop = async (work: (turn: number) => Promise<unknown>) => {
    for (let turn = 0; !isOver; turn++) await work(turn).catch((error: unknown) => failures.push(String(error)))
  }
  const running = Promise.all([
    loop(() => call('north')),
    loop(() => call('north')),
    loop(async (turn) => {
      await consent(`space-${turn}`)
      await call(`space-${turn}`)
      if (turn % 3 === 2) await consent(`space-${turn}`)
    }),
  ])
  return {
    failures,
    count: () => turns,
    async stop() {
      isOver = true
      await running
    },
  }
}

describe('CREDENTIAL_KEYS', () => {
  it('are rotated without a failed request', async () => {
    const { targets, replace } = await twoReplicas({ CREDENTIAL_KEYS })
    await connect(() => targets[0] as InProcessGateway, 'north')
    const load = traffic(targets, () => SERVICE_TOKEN)
    await replace({ CREDENTIAL_KEYS: `${CREDENTIAL_KEYS},${NEXT_KEY}` })
    await replace({ CREDENTIAL_KEYS: `${NEXT_KEY},${CREDENTIAL_KEYS}` })
    for (const target of targets) await expect.poll(() => target.logs()).toContain('"data_keys.rewrapped"')
    const databaseUrl = targets[0]?.databaseUrl ?? ''
    const keysInUse = () => databaseCommand('status', { DATABASE_URL: databaseUrl })
    await expect.poll(keysInUse, { timeout: 30_000, interval: 2_000 }).toMatch(/keys +next \(\d+\)$/m)
    await replace({ CREDENTIAL_KEYS: NEXT_KEY })
    await load.stop()
    expect(load.failures).toEqual([])
    expect(load.count()).toBeGreaterThan(50)
  })

  it('seal with the old key while a replica lacks the new one, even if that is listed first', async () => {
    const { targets, replace } = await twoReplicas({ CREDENTIAL_KEYS })
    await connect(() => targets[0] as InProcessGateway, 'north')
    const early = await start(targets[0]?.databaseUrl, { CREDENTIAL_KEYS: `${NEXT_KEY},${CREDENTIAL_KEYS}` })
    const all = [...targets, early]
    const load = traffic(all, () => SERVICE_TOKEN)
    for (const space of ['a', 'b', 'c']) expect(await connect(() => early, space)).toBe('success')
    for (const target of targets)
      for (const space of ['a', 'b', 'c']) await target.callTool(space, 'notion-search', { query: 'plan' })
    await load.stop()
    expect(load.failures).toEqual([])
    expect(early.logs()).toContain('"data_keys.rewrap_pending"')
    await expect(start(early.databaseUrl, { CREDENTIAL_KEYS: NEXT_KEY })).rejects.toThrow(/key "test"/)
    await replace({ CREDENTIAL_KEYS: `${NEXT_KEY},${CREDENTIAL_KEYS}` })
  })

  it('are logged as rewrapped even without a data key to rewrap', async () => {
    const gateway = await start(undefined, { CREDENTIAL_KEYS })
    await expect.poll(() => gateway.logs()).toMatch(/"count":0,"kid":"test".*"data_keys\.rewrapped"/)
  })
})

describe('GATEWAY_SERVICE_TOKEN', () => {
  it('is rotated without a failed request', async () => {
    const { targets, replace } = await twoReplicas({ GATEWAY_SERVICE_TOKEN: SERVICE_TOKEN })
    await connect(() => targets[0] as InProcessGateway, 'north')
    let token = SERVICE_TOKEN
    const load = traffic(targets, () => token)
    await replace({ GATEWAY_SERVICE_TOKEN: `${SERVICE_TOKEN},${NEXT_TOKEN}` })
    token = NEXT_TOKEN
    await replace({ GATEWAY_SERVICE_TOKEN: NEXT_TOKEN })
    await load.stop()
    expect(load.failures).toEqual([])
    const refused = await targets[0]?.fetch('/integrations/notion/north', {
      headers: { authorization: `Bearer ${SERVICE_TOKEN}` },
    })
    expect(refused?.status).toBe(401)
  })
})
