/** Runs with trouble: a connection whose token is not taken any more, calls that want it renewed, and something that goes wrong meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenFault } from 'notion-simulator'
import type { Fleet, Member, Step } from './fleet.ts'

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

export interface Trouble {
  readonly title: string
  /** What the authorization server does wrong, in this order. */
  readonly faults?: readonly TokenFault[]
  /** Where the process that refreshes is stopped, and with what. Without one, nothing is harmed but by `faults`. */
  readonly at?: { readonly step: Step; readonly signal: 'SIGKILL' | 'SIGSTOP' }
  /** What happens while it is dead, or stands still. Begins when it got there. */
  readonly meanwhile?: (fleet: Fleet, victim: Member, space: string) => Promise<void>
  /** What is undone at the end, after the stopped process has gone on. */
  readonly afterwards?: (fleet: Fleet, victim: Member) => Promise<void>
}

const STEPS: readonly Step[] = [
  'locking',
  'locked',
  'recording_intent',
  'intent_recorded',
  'connected',
  'sent',
  'answered',
  'storing',
  'stored',
]

/** Long enough for others to take over, and for every deadline of the one that stands still to pass. */
const beyondEverything = ({ times }: Fleet) => sleep(times.takeoverAfterMs * 1.5)
const aMoment = () => sleep(300)

/** Every kind of trouble that is tried. Those of `withFault` need a fault of the server to get to their step. */
export const troubles: readonly Trouble[] = [
  ...STEPS.map((step): Trouble => ({ title: `killed at "${step}"`, at: { step, signal: 'SIGKILL' } })),
  ...STEPS.map((step): Trouble => ({
    title: `stopped at "${step}" beyond every deadline`,
    at: { step, signal: 'SIGSTOP' },
    meanwhile: beyondEverything,
  })),
  ...(['intent_recorded', 'connected', 'sent', 'answered', 'storing'] as const).map((step): Trouble => ({
    title: `stopped at "${step}" for a moment`,
    at: { step, signal: 'SIGSTOP' },
    meanwhile: aMoment,
  })),
  ...(['locked', 'intent_recorded', 'sent', 'answered', 'storing'] as const).flatMap((step): Trouble[] => [
    {
      title: `stopped at "${step}" until the others have gone on without it`,
      at: { step, signal: 'SIGSTOP' },
      async meanwhile({ members, times }, victim, space) {
        const other = members.find((member) => member !== victim) as Member
        const isServed = async () => (await other.gateway.call(space, list)).status === 200
        if (!(await eventually(times.takeoverAfterMs * 3, isServed)))
          throw new Error('the others wait for a process that stands still')
      },
    },
    {
      title: `database crashes at "${step}"`,
      at: { step, signal: 'SIGSTOP' },
      meanwhile: (fleet) => fleet.crashDatabase(),
    },
    {
      title: `database crashes at "${step}", and the process goes on only after every deadline`,
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
      ['the answer is lost after the rotation', { kind: 'lost-response' }],
      ['the request is lost', { kind: 'lost-request' }],
      ['the answer is cut', { kind: 'cut-body' }],
      ['the answer is broken JSON', { kind: 'not-json' }],
      ['the answer is a web page, after the rotation', { kind: 'html-after' }],
      ['the answer is 502', { kind: 'server-error', status: 502 }],
      ['the answer is 502, after the rotation', { kind: 'server-error-after', status: 502 }],
      ['429 before the rotation', { kind: 'rate-limited', retryAfterSeconds: 1 }],
      ['429 after the rotation', { kind: 'rate-limited-after', retryAfterSeconds: 1 }],
    ] as const
  ).flatMap(([title, fault]): Trouble[] => [
    { title, faults: [fault] },
    { title: `${title}, twice`, faults: [fault, fault] },
  ]),
  { title: 'the token endpoint is slow', faults: [{ kind: 'slow', delayMs: 1_500 }] },
  { title: 'the token endpoint is slow after the rotation', faults: [{ kind: 'slow-after', delayMs: 1_500 }] },
  { title: 'the token endpoint is slower than the deadline', faults: [{ kind: 'slow', delayMs: 4_500 }] },
  { title: 'the answer comes after the deadline', faults: [{ kind: 'slow-after', delayMs: 4_500 }] },
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
    title: 'killed before it repeats',
    faults: [{ kind: 'lost-response' }],
    at: { step: 'repeating', signal: 'SIGKILL' },
  },
  {
    title: 'stopped before it repeats, beyond every deadline',
    faults: [{ kind: 'lost-response' }],
    at: { step: 'repeating', signal: 'SIGSTOP' },
    meanwhile: beyondEverything,
  },
  {
    title: 'killed before it notes a failure',
    faults: [{ kind: 'rate-limited-after', retryAfterSeconds: 1 }],
    at: { step: 'postponing', signal: 'SIGKILL' },
  },
  {
    title: 'stopped before it notes a failure, beyond every deadline',
    faults: [{ kind: 'rate-limited-after', retryAfterSeconds: 1 }],
    at: { step: 'postponing', signal: 'SIGSTOP' },
    meanwhile: beyondEverything,
  },
]

export interface RunOutcome {
  /** Empty when all is well. */
  readonly complaints: readonly string[]
  /** For whoever has to find out why. */
  readonly evidence: () => string
}

const CALLS = 6
const list = { id: 1, method: 'tools/list' }

/** What a caller may be told: an answer, or clearly that there is none for now. */
const isClear = (status: number) => status === 200 || status === 503 || status === 504

/** @param patienceMs how long a connection may take to come back when the trouble is over. */
export async function run(fleet: Fleet, trouble: Trouble, seed: number, patienceMs = 30_000): Promise<RunOutcome> {
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

  // Every process knows the token that is about to be refused.
  await Promise.all(members.map(({ gateway }) => gateway.call(space, list)))
  notion.admin.expireAccessTokens({ grantId })
  notion.setOptions({ tokenFaults: [...(trouble.faults ?? [])] })

  const call = async ({ gateway }: Member): Promise<void> => {
    const answer = await gateway
      .call(space, list, { signal: AbortSignal.timeout(60_000) })
      .catch((error: unknown) => error)
    if (answer instanceof Response) {
      const text = await answer.text().catch(() => '(broke off)')
      if (!isClear(answer.status)) complaints.push(`a call was answered ${answer.status}: ${text}`)
      if (answer.status !== 200 && !text.includes('"code"')) complaints.push(`an error without a code: ${text}`)
      return
    }
    // A process that was killed in the face of its caller can say nothing; anything else is no clear error.
    const isKilled = trouble.at?.signal === 'SIGKILL' && gateway === killed
    if (!isKilled) complaints.push(`a call got no answer: ${String(answer)}`)
  }

  const calls: Promise<void>[] = []
  const killed = victim.gateway
  if (trouble.at) victim.arm(trouble.at.step, trouble.at.signal)
  calls.push(call(victim))
  if (trouble.at && !(await victim.hasFired(10_000))) complaints.push(`never got to "${trouble.at.step}"`)
  await sleep(random() * 100)
  for (let i = 1; i < CALLS; i++) calls.push(call(members[i % members.length] as Member))
  await trouble.meanwhile?.(fleet, victim, space)
  if (trouble.at?.signal === 'SIGSTOP') victim.gateway.process.kill('SIGCONT')
  await trouble.afterwards?.(fleet, victim)
  victim.disarm()
  await Promise.all(calls)

  // Whatever went wrong, it is over now; the connection has to come back by itself.
  const isBack = await eventually(patienceMs, async () => {
    const { gateway } =
      members.find(({ gateway: { process } }) => process.exitCode === null && process.signalCode === null) ?? victim
    return (await gateway.call(space, list).catch(() => undefined))?.status === 200
  })
  if (!isBack) complaints.push('the connection did not come back')
  // What is stored is good when it can be used.
  notion.setOptions({ tokenFaults: [] })
  notion.admin.expireAccessTokens({ grantId })
  await fleet.revive()
  const isGood = await eventually(patienceMs, async () => (await victim.gateway.call(space, list)).status === 200)
  if (!isGood) complaints.push('what is stored is not good for another refresh')
  if (grant()?.status !== 'active') complaints.push(`the grant is ${grant()?.status}: ${grant()?.revokedBecause}`)
  for (const { presented: token, outcome } of presented()) {
    if (token && token.standing !== 'current' && token.standing !== 'previous')
      complaints.push(`a refresh token was presented that was ${token.standing}`)
    if (outcome?.error) complaints.push(`the token endpoint said ${outcome.error}`)
  }
  const history = await victim.gateway.history(space)
  const types = new Set(history.events?.slice(0, -1).map(({ type }) => type))
  types.delete('NotionIntegrationTokenRefreshed')
  if (!history.events || types.size > 0) complaints.push(`the history is ${JSON.stringify(history)}`)

  return {
    complaints,
    evidence: () =>
      [
        `seed ${seed}: ${trouble.title}`,
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
