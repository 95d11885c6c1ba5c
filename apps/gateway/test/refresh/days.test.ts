/** Simulates two hundred days to test which connections require a new consent. */
import { startSimulator, type Simulator, type TokenFault } from 'notion-simulator'
import { testDatabase } from '@nmg/process/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { REFRESH_TIMES } from '../../src/connections/refresh-schedule.ts'
import { startGateway, type InProcessGateway } from '../support/gateway.ts'
import { randomOf } from './scenarios.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const STEP_MS = 6 * HOUR_MS
const FIRST_DAY_MS = Date.parse('2026-01-15T12:00:00Z')
const isLong = process.env['SOAK'] !== undefined

const times = { ...REFRESH_TIMES, repeatPauseMs: 20, propagationPauseMs: 20 }
const list = { id: 1, method: 'tools/list' }

let nowMs = FIRST_DAY_MS
let notion: Simulator
let running: InProcessGateway[] = []
let databaseUrl: string

const day = () => (nowMs - FIRST_DAY_MS) / DAY_MS
const one = () => running[0] as InProcessGateway

async function begin(): Promise<void> {
  nowMs = FIRST_DAY_MS
  const clock = () => new Date(nowMs)
  notion = await startSimulator({
    clock,
    options: { autoApprove: true, rateLimitPerMinute: null, clientTtlSeconds: null, accessTtlSeconds: 24 * 3_600 },
  })
  databaseUrl = (await testDatabase()).url
  await replicas(1)
}

async function stop(): Promise<void> {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
}

async function replicas(count: number): Promise<void> {
  const options = {
    mcpUrl: notion.mcpUrl,
    databaseUrl,
    clock: () => new Date(nowMs),
    failpoints: { times },
    env: { SHUTDOWN_GRACE_SECONDS: '0', LOG_LEVEL: 'silent' },
  }
  running.push(...(await Promise.all(Array.from({ length: count }, () => startGateway(options)))))
}

afterEach(async () => {
  await stop()
  await notion.close()
})

/** Runs a round of the background refresh on all replicas. */
const refreshDue = () => Promise.all(running.map(({ gateway }) => gateway.refreshDue()))

const status = async (space: string) => {
  const { status: at, reason } = await one().connection(space)
  return reason === undefined ? at : `${at}: ${reason}`
}

type Fate = 'connected' | 'disconnected' | `reconnect_required: ${'revoked' | 'expired' | 'client_lost'}`

interface Life {
  readonly space: string
  readonly grantId: string
  readonly clientId: string
  /** Days between calls; Infinity for none. */
  readonly usedEveryDays: number
  readonly disconnectsOn?: number
  readonly revokedOn?: number
  readonly clientForgottenOn?: number
  readonly reconnectsOn?: number
}

/** The expected status on this day, with a day of tolerance for the detection. */
function fateOf({ disconnectsOn, revokedOn, clientForgottenOn, reconnectsOn }: Life, on: number): Fate {
  if (disconnectsOn !== undefined && on >= disconnectsOn) return 'disconnected'
  if (revokedOn !== undefined && on >= revokedOn) return 'reconnect_required: revoked'
  if (clientForgottenOn !== undefined && on >= clientForgottenOn) return 'reconnect_required: client_lost'
  return on >= (reconnectsOn !== undefined && on >= reconnectsOn ? reconnectsOn : 0) + 180
    ? 'reconnect_required: expired'
    : 'connected'
}

/** Maximum delay until the gateway detects it, at the next refresh. */
const NOTICED_AFTER_DAYS = 8
const isSettled = (life: Life, on: number) =>
  [life.revokedOn, life.clientForgottenOn, 180].every(
    (at) => at === undefined || on < at || on >= at + NOTICED_AFTER_DAYS,
  )

const FAULTS: readonly TokenFault[] = [
  { kind: 'lost-response' },
  { kind: 'lost-request' },
  { kind: 'server-error-after', status: 502 },
  { kind: 'rate-limited-after', retryAfterSeconds: 30 },
  { kind: 'cut-body' },
]

describe('200 days with restarts, outages and lost responses', () => {
  it('end exactly the grants that the rules or a user end', { timeout: 3_600_000 }, async () => {
    await begin()
    const random = randomOf(2026)
    const lives: Life[] = []
    const count = isLong ? 300 : 28
    for (let i = 0; i < count; i++) {
      const space = `space-${i}`
      await one().connect(space)
      const { grantId, clientId } = notion.admin.grants().at(-1) as { grantId: string; clientId: string }
      lives.push({
        space,
        grantId,
        clientId,
        // Most are idle, some are used occasionally, few daily.
        usedEveryDays: i % 7 === 0 ? 1 : i % 7 === 1 ? 10 : Infinity,
        ...(i % 14 === 2 && { disconnectsOn: 20 + 100 * random() }),
        ...(i % 14 === 3 && { revokedOn: 20 + 100 * random() }),
        ...(i % 14 === 4 && { clientForgottenOn: 20 + 100 * random() }),
        ...(i % 4 === 0 && { reconnectsOn: 150 + 20 * random() }),
      })
    }
    notion.clearRecorded()

    const happens = (at: number | undefined) => at !== undefined && at > day() - STEP_MS / DAY_MS && at <= day()
    const standings = new Set<string | undefined>()
    while (day() < 200) {
      nowMs += STEP_MS
      const today = day()
      if (today === 15) await replicas(1)
      if (today === 30) {
        await stop()
        await replicas(2)
      }
      // The authorization server is down for a week, then the gateways are for another.
      if (today === 60) notion.setOptions({ tokenFaults: [{ kind: 'server-error', status: 503, times: 'always' }] })
      if (today === 67) notion.setOptions({ tokenFaults: [] })
      if (today === 90) await stop()
      if (today === 97) await replicas(2)
      if ((today < 60 || today > 67) && random() < 0.05) {
        notion.setOptions({ tokenFaults: [FAULTS[Math.floor(random() * FAULTS.length)] as TokenFault] })
      }

      for (const life of lives) {
        if (happens(life.revokedOn)) notion.admin.revokeGrants({ grantId: life.grantId })
        if (happens(life.clientForgottenOn)) notion.admin.forgetClients(life.clientId)
      }
      if (running.length === 0) continue
      for (const life of lives) {
        if (happens(life.disconnectsOn) || (today === 97 && fateOf(life, today) === 'disconnected'))
          await one().fetch(`/integrations/notion/${life.space}`, { method: 'DELETE' })
        if (happens(life.reconnectsOn) && fateOf(life, today) === 'connected') await one().connect(life.space)
      }
      await refreshDue()
      for (const { space, usedEveryDays } of lives) {
        if (today % usedEveryDays === 0) await (await one().call(space, list)).arrayBuffer()
      }
      for (const { presented, grantType } of notion.recorded.tokenRequests)
        if (grantType === 'refresh_token') standings.add(presented?.standing)
      notion.clearRecorded()

      if (today % 10 === 0) {
        const settled = lives.filter((life) => isSettled(life, today))
        const found = await Promise.all(settled.map(async ({ space }) => `${space} ${await status(space)}`))
        expect(found, `on day ${today}`).toEqual(settled.map((life) => `${life.space} ${fateOf(life, today)}`))
      }
    }

    const fates = new Set(lives.map((life) => fateOf(life, 200)))
    expect(fates.size).toBe(5)
    standings.delete(undefined)
    expect(standings).toEqual(new Set(['current', 'previous']))
    const ends = new Set(notion.admin.grants().map(({ revokedBecause }) => revokedBecause))
    // Notion itself may end a grant that another consent replaces. None was revoked for reuse.
    const right = ['revoked by an administrator', 'revoked by the client', 'authorized again']
    expect([...ends].filter((end) => end !== undefined && !right.includes(end))).toEqual([])
  })
})

describe('an unused connection', () => {
  it('survives four weeks without a running gateway, but not a month', { timeout: 60_000 }, async () => {
    await begin()
    await one().connect('north')
    nowMs += 5.9 * DAY_MS
    await refreshDue()
    await stop()
    nowMs += 29 * DAY_MS
    await replicas(1)
    await refreshDue()
    expect(await status('north')).toBe('connected')
    await stop()
    nowMs += 31 * DAY_MS
    await replicas(1)
    await refreshDue()
    expect(await status('north')).toBe('reconnect_required: expired')
  })

  it('is refreshed within each week and at most every fifth day', { timeout: 120_000 }, async () => {
    await begin()
    await one().connect('north')
    notion.clearRecorded()
    const at: number[] = []
    for (let days = 0; days < 40; days += 0.25) {
      nowMs += STEP_MS
      await refreshDue()
      // It counts as in use for two days after the consent.
      for (const _ of notion.recorded.tokenRequests) if (day() > 4) at.push(day())
      notion.clearRecorded()
    }
    const gaps = at.slice(1).map((on, i) => on - (at[i] ?? 0))
    expect(gaps.length).toBeGreaterThan(3)
    for (const gap of gaps) {
      expect(gap).toBeLessThanOrEqual(7)
      expect(gap).toBeGreaterThanOrEqual(5)
    }
  })
})

describe('a user', () => {
  it(
    'sees a notice two weeks before the 180 days end, and an urgent one three days before',
    { timeout: 120_000 },
    async () => {
      await begin()
      await one().connect('north')
      const notices = new Map<number, unknown>()
      for (const on of [20, 40, 60, 80, 100, 120, 140, 160, 165, 167, 176, 178]) {
        nowMs = FIRST_DAY_MS + on * DAY_MS - HOUR_MS
        await refreshDue()
        const { notice } = await one().connection('north')
        if (notice) notices.set(on, notice)
      }
      expect(Object.fromEntries(notices)).toEqual({
        167: { kind: 'reconnect_soon', days: 14 },
        176: { kind: 'reconnect_soon', days: 5 },
        178: { kind: 'reconnect_now', days: 3 },
      })
    },
  )
})
