/** Growth of the database by a connection used for a year: simulated time, real tables. */
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterEach, expect, it } from 'vitest'
import { withClient } from '../test/support/database-copies.ts'
import { startGateway, type InProcessGateway } from '../test/support/gateway.ts'

const DAY_MS = 24 * 3_600_000
/** Days after the retention window, whose growth is extrapolated to a year. */
const DAYS = 60
const SPACES = Array.from({ length: 4 }, (_, n) => `space-${n}`)

let notion: Simulator
let gateway: InProcessGateway
afterEach(async () => {
  await gateway.stop()
  await notion.close()
})

it(
  'grows by less than 100 kB a year for each used connection, after the first retention window',
  { timeout: 600_000 },
  async () => {
    let nowMs = Date.now()
    const clock = () => new Date(nowMs)
    notion = await startSimulator({
      clock,
      options: {
        autoApprove: true,
        rateLimitPerMinute: null,
        clientTtlSeconds: null,
        accessTtlSeconds: 8 * 3_600,
        grantTtlSeconds: 1000 * 86_400,
      },
    })
    gateway = await startGateway({
      mcpUrl: notion.mcpUrl,
      clock,
      env: { SHUTDOWN_GRACE_SECONDS: '0', LOG_LEVEL: 'silent' },
    })
    for (const space of SPACES) await gateway.connect(space)
    const liveThrough = async (days: number) => {
      for (let day = 0; day < days; day++) {
        for (const end = nowMs + DAY_MS; nowMs < end; nowMs += DAY_MS / 3) {
          for (const space of SPACES) await gateway.call(space, { id: 1, method: 'tools/list' })
          await gateway.gateway.refreshDue()
        }
        await gateway.gateway.sweep()
        // As autovacuum does.
        if (day % 5 === 0) await withClient(gateway.databaseUrl, (client) => client.query('vacuum'))
      }
    }
    const size = () =>
      withClient(gateway.databaseUrl, async (client) => {
        await client.query('vacuum')
        const { rows } = await client.query<{ bytes: string }>(
          `select sum(pg_total_relation_size(c.oid)) as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = 'gateway' and c.relkind = 'r'`,
        )
        return Number(rows[0]?.bytes)
      })
    await liveThrough(35)
    const [before, versionBefore] = [await size(), await refreshes()]
    await liveThrough(DAYS)
    const grownPerYear = ((await size()) - before) * (365 / DAYS)
    expect(await refreshes()).toBeGreaterThan(versionBefore + 2 * DAYS)
    expect(grownPerYear / SPACES.length).toBeLessThan(100_000)

    async function refreshes(): Promise<number> {
      return (await gateway.history(SPACES[0] as string)).events[0]?.version ?? 0
    }
  },
)
