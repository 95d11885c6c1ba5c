/** Retention of stored data, in simulated time. */
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withClient } from './support/database-copies.ts'
import { startGateway, type InProcessGateway } from './support/gateway.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let nowMs: number
let notion: Simulator
const running: InProcessGateway[] = []

beforeEach(async () => {
  // Ahead of the machine's clock, since the database dates some rows itself.
  nowMs = Date.now()
  notion = await startSimulator({
    clock: () => new Date(nowMs),
    options: { autoApprove: true, rateLimitPerMinute: null, clientTtlSeconds: null, accessTtlSeconds: 8 * 3_600 },
  })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
  await notion.close()
})

async function start(env: Record<string, string> = {}, databaseUrl?: string): Promise<InProcessGateway> {
  const gateway = await startGateway({
    mcpUrl: notion.mcpUrl,
    clock: () => new Date(nowMs),
    env: { SHUTDOWN_GRACE_SECONDS: '0', LOG_LEVEL: 'silent', ...env },
    ...(databaseUrl && { databaseUrl }),
  })
  running.push(gateway)
  return gateway
}

const list = { id: 1, method: 'tools/list' }

/** Simulates days on which the space is used. */
async function use(gateway: InProcessGateway, days: number): Promise<void> {
  for (const end = nowMs + days * DAY_MS; nowMs < end; nowMs += 7.5 * HOUR_MS) {
    await gateway.call('north', list)
    await gateway.gateway.refreshDue()
  }
}

const rowsOf = (gateway: InProcessGateway, sql: string) =>
  withClient(gateway.databaseUrl, async (client) => (await client.query<Record<string, unknown>>(sql)).rows)

/** Versions whose event contains a sealed credential, and the current version. */
const sealed = (gateway: InProcessGateway) =>
  rowsOf(
    gateway,
    `select array_agg(e.version order by e.version) filter (where e.event->'credential'->>'sealed' <> '') as versions, c.version
       from gateway.connection_events e join gateway.connections c using (stream) group by c.version`,
  )

describe('a sealed credential', () => {
  it('is erased when the next generation is stored, and the history is kept', async () => {
    const gateway = await start()
    await gateway.connect('north')
    expect(await sealed(gateway)).toEqual([{ versions: [1], version: 1 }])
    await use(gateway, 1)
    const [{ version } = { version: 0 }] = await sealed(gateway)
    expect(version).toBeGreaterThan(2)
    expect(await sealed(gateway)).toEqual([{ versions: [version], version }])
    await gateway.connect('north')
    expect(await sealed(gateway)).toEqual([{ versions: [Number(version) + 1], version: Number(version) + 1 }])
    expect((await gateway.history('north')).events.map(({ version: at }) => at)).toContain(1)
    expect((await gateway.call('north', list)).status).toBe(200)
  })

  it.each([
    ['the grant is refused for good', () => void notion.admin.revokeGrants()],
    [
      'the space is disconnected',
      (gateway: InProcessGateway) => gateway.fetch('/integrations/notion/north', { method: 'DELETE' }),
    ],
  ])('is erased when %s', async (_when, end) => {
    const gateway = await start()
    await gateway.connect('north')
    await end(gateway)
    await gateway.call('north', list)
    expect(await sealed(gateway)).toEqual([{ versions: null, version: 2 }])
  })

  it('left by an earlier release is erased by the sweep', async () => {
    const gateway = await start()
    await gateway.connect('north')
    await use(gateway, 1)
    await rowsOf(
      gateway,
      `update gateway.connection_events set event = jsonb_set(event, '{credential,sealed}', '"left"') where version < 3`,
    )
    await gateway.gateway.sweep()
    const [{ versions, version } = {}] = await sealed(gateway)
    expect(versions).toEqual([version])
    expect((await gateway.call('north', list)).status).toBe(200)
  })
})

describe('the history', () => {
  it('keeps refreshes for EVENT_RETENTION_DAYS and other events permanently, and stops growing', async () => {
    const gateway = await start({ EVENT_RETENTION_DAYS: '4' })
    await gateway.connect('north')
    const size = async () => {
      await gateway.gateway.sweep()
      const [row] = await rowsOf(
        gateway,
        'select count(*)::int, sum(pg_column_size(e.*))::int as bytes from gateway.connection_events e',
      )
      return row as { count: number; bytes: number }
    }
    await use(gateway, 5)
    const first = await size()
    await use(gateway, 10)
    const later = await size()
    expect(later.count - first.count).toBeLessThanOrEqual(1)
    expect(later.bytes).toBeLessThan(first.bytes * 1.2)

    const { events } = await gateway.history('north')
    const ages = events
      .filter(({ type }) => type.endsWith('Refreshed'))
      .map(({ occurredAt }) => nowMs - Date.parse(occurredAt))
    expect(Math.max(...ages)).toBeLessThanOrEqual(4 * DAY_MS)
    expect(Math.max(...ages)).toBeGreaterThan(3 * DAY_MS)
    expect(events.at(-1)).toMatchObject({ version: 1, type: 'NotionIntegrationAuthorized' })
  })

  it('keeps the event with the credential of an idle connection', async () => {
    const gateway = await start({ EVENT_RETENTION_DAYS: '1' })
    await gateway.connect('north')
    await use(gateway, 1)
    const [{ version } = {}] = await sealed(gateway)
    nowMs += 5 * DAY_MS
    await gateway.gateway.sweep()
    const [{ versions } = {}] = await sealed(gateway)
    expect(versions).toEqual([version])
    expect((await gateway.history('north')).events.map(({ version: at }) => at)).toEqual([version, 1])
  })
})

describe('expired data', () => {
  it('is deleted in batches on replicas that sweep concurrently', async () => {
    const one = await start()
    const two = await start({}, one.databaseUrl)
    await rowsOf(
      one,
      `insert into gateway.mcp_sessions (id_hash, space_id, user_id, created_at)
         select sha256(n::text::bytea), 'north', 'ada', now() - interval '31 days' from generate_series(1, 2500) n
       union all select sha256('young'), 'north', 'ada', now() - interval '29 days'`,
    )
    await rowsOf(
      one,
      `insert into gateway.authorization_requests (state_hash, sealed, expires_at)
         select 'over-' || n, '{}', now() - interval '1 minute' from generate_series(1, 1200) n
       union all select 'pending', '{}', now() + interval '1 minute'`,
    )
    await Promise.all([one.gateway.sweep(), two.gateway.sweep()])
    await one.gateway.sweep()
    expect(
      await rowsOf(
        one,
        'select (select count(*)::int from gateway.mcp_sessions) as sessions, (select count(*)::int from gateway.authorization_requests) as requests',
      ),
    ).toEqual([{ sessions: 1, requests: 1 }])
    await rowsOf(one, 'delete from gateway.authorization_requests')
  })
})
