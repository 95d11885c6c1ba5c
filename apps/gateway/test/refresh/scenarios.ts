/** Fault injection: a connection with a rejected token, calls that need a refresh, and a fault meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenFault } from 'notion-simulator'
import type { RefreshStep } from '../../src/failpoints.ts'
import type { Fleet, Member } from './fleet.ts'

/** The same numbers for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Scenario {
  readonly title: string
  /** Faults of the authorization server, in this order. */
  readonly faults?: readonly TokenFault[]
  /** The failpoint of the refreshing process. */
  readonly at?: { readonly step: RefreshStep; readonly signal: 'SIGKILL' | 'SIGSTOP' }
  /** Runs after the failpoint was reached, while the process is dead or stopped. */
  readonly meanwhile?: (fleet: Fleet, victim: Member, space: string) => Promise<void>
  /** Runs at the end, after the stopped process was continued. */
  readonly afterwards?: (fleet: Fleet, victim: Member) => Promise<void>
}

const STEPS: readonly RefreshStep[] = [
  'locking',
  'locked',
  'recording_intent',
  'intent_recorded',
  'connected',
  'sent',
  'response_received',
  'storing',
  'stored',
]

/** Long enough for others to take over, and for all deadlines of the stopped process to pass. */
const beyondEverything = ({ times }: Fleet) => sleep(times.takeoverAfterMs * 1.5)
const aMoment = () => sleep(300)

/** All scenarios. Some need a fault of the server to reach their failpoint. */
export const scenarios: readonly Scenario[] = [
  ...STEPS.map((step): Scenario => ({ title: `killed at "${step}"`, at: { step, signal: 'SIGKILL' } })),
  ...STEPS.map((step): Scenario => ({
    title: `stopped at "${step}" beyond all deadlines`,
    at: { step, signal: 'SIGSTOP' },
    meanwhile: beyondEverything,
  })),
  ...(['intent_recorded', 'connected', 'sent', 'response_received', 'storing'] as const).map((step): Scenario => ({
    title: `stopped at "${step}" for a moment`,
    at: { step, signal: 'SIGSTOP' },
    meanwhile: aMoment,
  })),
  ...(['locked', 'intent_recorded', 'sent', 'response_received', 'storing'] as const).flatMap((step): Scenario[] => [
    {
      title: `stopped at "${step}" until another one has taken over`,
      at: { step, signal: 'SIGSTOP' },
      async meanwhile({ members, times }, victim, space) {
        const other = members.find((member) => member !== victim) as Member
        const isServed = async () => (await other.gateway.call(space, list)).status === 200
        if (!(await eventually(times.takeoverAfterMs * 3, isServed)))
          throw new Error('the others wait for a stopped process')
      },
    },
    {
      title: `database crashes at "${step}"`,
      at: { step, signal: 'SIGSTOP' },
      meanwhile: (fleet) => fleet.crashDatabase(),
    },
    {
      title: `database crashes at "${step}", and the process continues only after all deadlines`,
      at: { step, signal: 'SIGSTOP' },
      async meanwhile(fleet) {
        await fleet.crashDatabase()
        await beyondEverything(fleet)
      },
    },
    {
      title: `cut off from the database at "${step}" for long`,
      at: { step, signal: 'SIGSTOP' },
      async meanwhile(_fleet, { line }) {
        line.cut()
      },
      async afterwards(fleet, { line }) {
        await beyondEverything(fleet)
        line.heal()
      },
    },
    {
      title: `no route to the database at "${step}" for long`,
      at: { step, signal: 'SIGSTOP' },
      async meanwhile(_fleet, { line }) {
        line.hold()
      },
      async afterwards(fleet, { line }) {
        await beyondEverything(fleet)
        line.heal()
      },
    },
    {
      title: `killed at "${step}" while the database crashes`,
      at: { step, signal: 'SIGKILL' },
      meanwhile: (fleet) => fleet.crashDatabase(),
    },
  ]),
  ...(
    [
      ['the response is lost after the rotation', { kind: 'lost-response' }],
      ['the request is lost', { kind: 'lost-request' }],
      ['the response is truncated', { kind: 'cut-body' }],
      ['the response is broken JSON', { kind: 'not-json' }],
      ['the response is a web page after the rotation', { kind: 'html-after' }],
      ['the response is 502', { kind: 'server-error', status: 502 }],
      ['the response is 502 after the rotation', { kind: 'server-error-after', status: 502 }],
      ['429 before the rotation', { kind: 'rate-limited', retryAfterSeconds: 1 }],
      ['429 after the rotation', { kind: 'rate-limited-after', retryAfterSeconds: 1 }],
    ] as const
  ).flatMap(([title, fault]): Scenario[] => [
    { title, faults: [fault] },
    { title: `${title}, twice`, faults: [fault, fault] },
  ]),
  { title: 'the token endpoint is slow', faults: [{ kind: 'slow', delayMs: 1_500 }] },
  { title: 'the token endpoint is slow after the rotation', faults: [{ kind: 'slow-after', delayMs: 1_500 }] },
  { title: 'the token endpoint is slower than the deadline', faults: [{ kind: 'slow', delayMs: 4_500 }] },
  { title: 'the response comes after the deadline', faults: [{ kind: 'slow-after', delayMs: 4_500 }] },
  {
    title: 'killed while the token endpoint is slow',
    faults: [{ kind: 'slow', delayMs: 2_500 }],
    at: { step: 'sent', signal: 'SIGKILL' },
  },
  {
    title: 'database crashes while the token endpoint is slow',
    faults: [{ kind: 'slow', delayMs: 2_500 }],
    at: { step: 'sent', signal: 'SIGSTOP' },
    meanwhile: (fleet) => fleet.crashDatabase(),
  },
  {
    title: 'cut off from the database while the token endpoint is slow',
    faults: [{ kind: 'slow', delayMs: 2_500 }],
    at: { step: 'sent', signal: 'SIGSTOP' },
    async meanwhile(_fleet, { line }) {
      line.cut()
    },
    async afterwards(fleet, { line }) {
      await beyondEverything(fleet)
      line.heal()
    },
  },
  {
    title: 'killed before it repeats the request',
    faults: [{ kind: 'lost-response' }],
    at: { step: 'repeating', signal: 'SIGKILL' },
  },
  {
    title: 'stopped before it repeats the request, beyond all deadlines',
    faults: [{ kind: 'lost-response' }],
    at: { step: 'repeating', signal: 'SIGSTOP' },
    meanwhile: beyondEverything,
  },
  {
    title: 'killed before it records a failure',
    faults: [{ kind: 'rate-limited-after', retryAfterSeconds: 1 }],
    at: { step: 'postponing', signal: 'SIGKILL' },
  },
  {
    title: 'stopped before it records a failure, beyond all deadlines',
    faults: [{ kind: 'rate-limited-after', retryAfterSeconds: 1 }],
    at: { step: 'postponing', signal: 'SIGSTOP' },
    meanwhile: beyondEverything,
  },
]

export interface RunOutcome {
  /** Violations; empty on success. */
  readonly complaints: readonly string[]
  /** Token requests and logs for the analysis of a failure. */
  readonly evidence: () => string
}

const CALLS = 6
const list = { id: 1, method: 'tools/list' }

/** The statuses that callers may get: success, or temporarily unavailable. */
const isClear = (status: number) => status === 200 || status === 503 || status === 504

/** @param patienceMs how long a connection may take to recover after the fault. */
export async function run(fleet: Fleet, scenario: Scenario, seed: number, patienceMs = 30_000): Promise<RunOutcome> {
  const { notion, members } = fleet
  const random = randomOf(seed)
  const space = `run-${seed}`
  const complaints: string[] = []
  notion.setOptions({ tokenFaults: [] })
  notion.clearRecorded()
  await fleet.revive()

  const grantsBefore = new Set(notion.admin.grants().map(({ grantId }) => grantId))
  const victim = members[Math.floor(random() * members.length)] as Member
  await victim.gateway.connect(space)
  const grantId = notion.admin.grants().find((grant) => !grantsBefore.has(grant.grantId))?.grantId ?? ''
  const grant = () => notion.admin.grants({ grantId })[0]
  const presented = () =>
    notion.recorded.tokenRequests.filter((seen) => seen.grantId === grantId && seen.grantType === 'refresh_token')

  // Every process caches the token that is about to be rejected.
  await Promise.all(members.map(({ gateway }) => gateway.call(space, list)))
  notion.admin.expireAccessTokens({ grantId })
  notion.setOptions({ tokenFaults: [...(scenario.faults ?? [])] })

  const call = async ({ gateway }: Member): Promise<void> => {
    const response = await gateway
      .call(space, list, { signal: AbortSignal.timeout(60_000) })
      .catch((error: unknown) => error)
    if (response instanceof Response) {
      const text = await response.text().catch(() => '(aborted)')
      if (!isClear(response.status)) complaints.push(`a call got ${response.status}: ${text}`)
      if (response.status !== 200 && !text.includes('"code"')) complaints.push(`an error without a code: ${text}`)
      return
    }
    // Only callers of a killed process may get no response.
    const isKilled = scenario.at?.signal === 'SIGKILL' && gateway === killed
    if (!isKilled) complaints.push(`a call got no response: ${String(response)}`)
  }

  const calls: Promise<void>[] = []
  const killed = victim.gateway
  if (scenario.at) victim.arm(scenario.at.step, scenario.at.signal)
  calls.push(call(victim))
  if (scenario.at && !(await victim.hasFired(10_000))) complaints.push(`never reached "${scenario.at.step}"`)
  await sleep(random() * 100)
  for (let i = 1; i < CALLS; i++) calls.push(call(members[i % members.length] as Member))
  await scenario.meanwhile?.(fleet, victim, space)
  if (scenario.at?.signal === 'SIGSTOP') victim.gateway.process.kill('SIGCONT')
  await scenario.afterwards?.(fleet, victim)
  victim.disarm()
  await Promise.all(calls)

  // The fault is over now, and the connection must recover automatically.
  const isBack = await eventually(patienceMs, async () => {
    const { gateway } =
      members.find(({ gateway: { process } }) => process.exitCode === null && process.signalCode === null) ?? victim
    return (await gateway.call(space, list).catch(() => undefined))?.status === 200
  })
  if (!isBack) complaints.push('the connection did not recover')
  // The stored tokens are usable if they can be refreshed again.
  notion.setOptions({ tokenFaults: [] })
  notion.admin.expireAccessTokens({ grantId })
  await fleet.revive()
  const isGood = await eventually(patienceMs, async () => (await victim.gateway.call(space, list)).status === 200)
  if (!isGood) complaints.push('the stored tokens cannot be refreshed again')
  if (grant()?.status !== 'active') complaints.push(`the grant is ${grant()?.status}: ${grant()?.revokedBecause}`)
  for (const { presented: token, outcome } of presented()) {
    if (token && token.standing !== 'current' && token.standing !== 'previous')
      complaints.push(`a refresh token was presented that was ${token.standing}`)
    if (outcome?.error) complaints.push(`the token endpoint responded with ${outcome.error}`)
  }
  const history = await victim.gateway.history(space)
  const types = new Set(history.events?.slice(0, -1).map(({ type }) => type))
  types.delete('NotionIntegrationTokenRefreshed')
  if (!history.events || types.size > 0) complaints.push(`the history is ${JSON.stringify(history)}`)

  return {
    complaints,
    evidence: () =>
      [
        `seed ${seed}: ${scenario.title}`,
        ...complaints,
        ...presented().map((seen) => JSON.stringify(seen)),
        ...members.flatMap(({ gateway }, i) =>
          gateway
            .logs()
            .split('\n')
            .filter((line) => line.includes(space) || /refresh_lock|notifications|database/.test(line))
            .map((line) => `${i}: ${line}`),
        ),
      ].join('\n'),
  }
}

async function eventually(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const giveUpAt = performance.now() + ms
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) return false
    await sleep(200)
  }
  return true
}
