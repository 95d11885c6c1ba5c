import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnGateway } from '../support/gateway.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { randomOf, run, scenarios, type Scenario } from './scenarios.ts'

const isLong = process.env['SOAK'] !== undefined
const LONG_RUNS = 220

/** The most harmful faults, for the short run. */
const SHORT = [
  'killed at "intent_recorded"',
  'killed at "sent"',
  'killed at "response_received"',
  'stopped at "connected" beyond all deadlines',
  'stopped at "response_received" until another one has taken over',
  'database crashes at "sent"',
  'cut off from the database at "storing" for long',
  'killed while the token endpoint is slow',
  'killed before it repeats the request',
]

const runs: { scenario: Scenario; seed: number }[] = isLong
  ? Array.from({ length: LONG_RUNS }, (_, seed) => ({ scenario: scenarios[seed % scenarios.length] as Scenario, seed }))
  : SHORT.map((title, seed) => ({ scenario: scenarios.find((one) => one.title === title) as Scenario, seed }))

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({ size: 3, timesDividedBy: 5 })
}, 120_000)
afterAll(() => fleet.close())

describe('the grant survives, no retired token is presented, and every caller gets a clear response when a gateway is', () => {
  it.each(runs.map(({ scenario, seed }) => [scenario.title, seed, scenario] as const))(
    '%s (seed %i)',
    { timeout: 180_000 },
    async (_title, seed, scenario) => {
      const { complaints, evidence } = await run(fleet, scenario, seed)
      expect(complaints, evidence()).toEqual([])
    },
  )
})

describe('the same test', () => {
  it('fails for gateways without the refresh lock', { timeout: 180_000 }, async () => {
    const lockless = await startFleet({ size: 3, timesDividedBy: 5, withoutLock: true })
    const random = randomOf(1)
    const complaints: string[] = []
    try {
      for (let seed = 0; seed < 5 && complaints.length === 0; seed++) {
        const slow = { kind: 'slow', delayMs: Math.round(100 + 300 * random()), times: 3 } as const
        const outcome = await run(lockless, { title: 'the token endpoint is slow', faults: [slow] }, seed, 3_000)
        complaints.push(...outcome.complaints)
      }
    } finally {
      await lockless.close()
    }
    expect(complaints.join('\n')).toMatch(/retired|unknown|invalid_grant|upstream_refuses_token/)
  })
})

describe('failpoints', () => {
  it('are rejected outside of tests in one sentence', async () => {
    const refused = spawnGateway({
      mcpUrl: 'http://localhost:9/mcp',
      databaseUrl: 'postgresql://nobody@127.0.0.1:9/nothing',
      env: { NODE_ENV: 'production', GATEWAY_FAULT_POINTS: '{}' },
    })
    await expect(refused).rejects.toThrow('GATEWAY_FAULT_POINTS makes the gateway fail on purpose, for tests only')
  })
})
