/**
 * Lets a test bring a real gateway process to a stop, or to its end, at a named step of a refresh. Nothing of this can be switched on outside
 * of tests.
 */
import { readFileSync, rmSync } from 'node:fs'
import { StartupError, type Environment } from '@nmg/process'
import { z } from 'zod'
import { REFRESH_TIMES, type RefreshTimes } from './connections/refresh-schedule.ts'
import type { RefreshFailpoints } from './refresh/open.ts'
import type { RefreshLocks } from './refresh/refresh-lock.ts'

const Failpoints = z.strictObject({
  /**
   * A file that a test writes when it wants something to happen: `<step> <SIGKILL | SIGSTOP>`. It is taken away when it does. A step is one of
   * refresh/refresh.ts, or `connected` or `sent`.
   */
  file: z.string().optional(),
  /** Makes the times of the protocol shorter. */
  timesDividedBy: z.number().min(1).default(1),
  /** Every replica may refresh whenever it likes: what the tests must notice. */
  withoutLock: z.boolean().default(false),
})

/** @throws {StartupError} when `GATEWAY_FAULT_POINTS` is set, and this is no test. */
export function failpoints(env: Environment): RefreshFailpoints {
  const given = env['GATEWAY_FAULT_POINTS']
  if (given === undefined) return {}
  if (env['NODE_ENV'] !== 'test') {
    throw new StartupError('GATEWAY_FAULT_POINTS makes the gateway fail on purpose, for tests only. Remove it.')
  }
  const { file, timesDividedBy, withoutLock } = Failpoints.parse(JSON.parse(given))
  return {
    times: divided(REFRESH_TIMES, timesDividedBy),
    ...(file !== undefined && { onStep: (step) => fail(file, step) }),
    ...(withoutLock && { locks: unclaimed }),
  }
}

function fail(file: string, step: string): void {
  let order: string
  try {
    order = readFileSync(file, 'utf8')
  } catch {
    return
  }
  const [where, signal] = order.trim().split(' ')
  if (where !== step || (signal !== 'SIGKILL' && signal !== 'SIGSTOP')) return
  rmSync(file)
  process.kill(process.pid, signal)
}

function divided(times: RefreshTimes, by: number): RefreshTimes {
  // The members are those of `times`, each still a number.
  return Object.fromEntries(
    Object.entries(times).map(([name, ms]) => [name, Math.round(ms / by)]),
  ) as unknown as RefreshTimes
}

const unclaimed = (): RefreshLocks => ({
  acquire: async () => ({
    // Without a claim's id the store does not ask whose intent is written.
    id: undefined as unknown as string,
    recordIntent: async () => true,
    mayRedeem: () => true,
    remainingMs: () => REFRESH_TIMES.redeemWithinMs,
    release: async () => {},
  }),
})
