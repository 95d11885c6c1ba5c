import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFleet, type Fleet } from './fleet.ts'

const CALLS = process.env['SOAK'] === undefined ? 400 : 2_000
const MARGIN_SECONDS = 60
/** After this time the token expires within the margin; the background refresh runs much later. */
const FRESH_SECONDS = 3

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({
    size: 4,
    timesDividedBy: 1,
    env: {
      NOTION_MCP_REFRESH_MARGIN_SECONDS: `${MARGIN_SECONDS}`,
      PROXY_MAX_CALLS: '10000',
      PROXY_MAX_CALLS_PER_SPACE: '10000',
    },
  })
}, 120_000)
afterAll(() => fleet.close())

const list = { id: 1, method: 'tools/list' }

/** Sends all calls at once to all replicas. Resolves to their statuses and to the duration of the median and of the slowest one. */
async function storm(space: string): Promise<{ statuses: Set<number>; medianMs: number; slowestMs: number }> {
  const statuses = new Set<number>()
  const tookMs = await Promise.all(
    Array.from({ length: CALLS }, async (_, i) => {
      const { gateway } = fleet.members[i % fleet.members.length] as Fleet['members'][number]
      const begun = performance.now()
      const response = await gateway.call(space, list)
      await response.arrayBuffer()
      statuses.add(response.status)
      return performance.now() - begun
    }),
  )
  tookMs.sort((a, b) => a - b)
  return { statuses, medianMs: tookMs[CALLS / 2] ?? 0, slowestMs: tookMs.at(-1) ?? 0 }
}

describe(`${CALLS} calls on four replicas that need a new access token`, () => {
  it('cause one token request and succeed', { timeout: 120_000 }, async () => {
    const { notion, members } = fleet
    const [{ gateway }] = members as [Fleet['members'][number]]
    await gateway.connect('calm')
    const calm = await storm('calm')

    notion.setOptions({ accessTtlSeconds: MARGIN_SECONDS + FRESH_SECONDS })
    await gateway.connect('north')
    const needyFrom = performance.now() + FRESH_SECONDS * 1_000
    notion.setOptions({ accessTtlSeconds: 28_800 })
    await Promise.all(members.map((member) => member.gateway.call('north', list)))
    await sleep(needyFrom - performance.now())
    notion.clearRecorded()
    const atTheEnd = await storm('north')

    expect(atTheEnd.statuses).toEqual(new Set([200]))
    expect(notion.recorded.tokenRequests.map(({ grantType }) => grantType)).toEqual(['refresh_token'])
    // No call used the old token.
    expect(new Set(notion.recorded.mcpRequests.map(({ credential }) => credential.generation))).toEqual(new Set([1]))
    const addedMs = Math.round(atTheEnd.medianMs - calm.medianMs)
    process.stdout.write(
      `storm: ${CALLS} calls; median ${Math.round(calm.medianMs)} ms in calm, ${Math.round(atTheEnd.medianMs)} ms with the refresh (${addedMs} ms more); ` +
        `slowest ${Math.round(calm.slowestMs)} ms and ${Math.round(atTheEnd.slowestMs)} ms\n`,
    )
  })
})
