import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnGateway } from '../support/gateway.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { randomOf, run, troubles, type Trouble } from './trouble.ts'

const isLong = process.env['SOAK'] !== undefined
const LONG_RUNS = 220

/** Those that harm most, for the short form. */
const SHORT = [
  'killed at "intent_recorded"',
  'killed at "sent"',
  'killed at "answered"',
  'stopped at "connected" beyond every deadline',
  'stopped at "answered" until the others have gone on without it',
  'database crashes at "sent"',
  'cut off from the database at "storing" for long',
  'killed while the token endpoint is slow',
  'killed before it repeats',
]

const runs: { trouble: Trouble; seed: number }[] = isLong
  ? Array.from({ length: LONG_RUNS }, (_, seed) => ({ trouble: troubles[seed % troubles.length] as Trouble, seed }))
  : SHORT.map((title, seed) => ({ trouble: troubles.find((one) => one.title === title) as Trouble, seed }))

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({ size: 3, timesDividedBy: 5 })
}, 120_000)
afterAll(() => fleet.close())

describe('a grant lives on, no retired token is presented, and every caller is told something clear, when a gateway is', () => {
  it.each(runs.map(({ trouble, seed }) => [trouble.title, seed, trouble] as const))(
    '%s (seed %i)',
    { timeout: 180_000 },
    async (_title, seed, trouble) => {
      const { complaints, evidence } = await run(fleet, trouble, seed)
      expect(complaints, evidence()).toEqual([])
    },
  )
})

describe('the same test', () => {
  it('fails when gateways refresh without asking each other', { timeout: 180_000 }, async () => {
    const lawless = await startFleet({ size: 3, timesDividedBy: 5, withoutLock: true })
    const random = randomOf(1)
    const complaints: string[] = []
    try {
      for (let seed = 0; seed < 5 && complaints.length === 0; seed++) {
        const slow = { kind: 'slow', delayMs: Math.round(100 + 300 * random()), times: 3 } as const
        const outcome = await run(lawless, { title: 'the token endpoint takes its time', faults: [slow] }, seed, 3_000)
        complaints.push(...outcome.complaints)
      }
    } finally {
      await lawless.close()
    }
    expect(complaints.join('\n')).toMatch(/retired|unknown|invalid_grant|upstream_refuses_token/)
  })
})

describe('faults on purpose', () => {
  it('are refused outside of tests, in one sentence', async () => {
    const refused = spawnGateway({
      mcpUrl: 'http://localhost:9/mcp',
      databaseUrl: 'postgresql://nobody@127.0.0.1:9/nothing',
      env: { NODE_ENV: 'production', GATEWAY_FAULT_POINTS: '{}' },
    })
    await expect(refused).rejects.toThrow('GATEWAY_FAULT_POINTS makes the gateway fail on purpose, for tests only')
  })
})
