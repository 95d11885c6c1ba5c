/**
 * Failpoints: tests can stop or kill a real gateway process at a named step of a refresh, observed by wrapping the ports of the refresh. They
 * require NODE_ENV=test.
 */
import { readFileSync, rmSync } from 'node:fs'
import { StartupError, type Environment } from '@nmg/process'
import { z } from 'zod'
import { REFRESH_TIMES, type RefreshTimes } from './connections/refresh-schedule.ts'
import type { RefreshFailpoints } from './refresh/open.ts'
import type { RefreshPorts } from './refresh/ports.ts'
import type { RefreshLock, RefreshLocks } from './refresh/refresh-lock.ts'

/** The steps of a refresh between which a process may die, or be stopped for any length of time. */
export type RefreshStep =
  | 'locking'
  | 'locked'
  | 'recording_intent'
  | 'intent_recorded'
  | 'connected'
  | 'sent'
  | 'response_received'
  | 'repeating'
  | 'storing'
  | 'stored'
  | 'postponing'

const Failpoints = z.strictObject({
  /** A file with the armed failpoint, `<step> <SIGKILL | SIGSTOP>`. The process deletes it when it reaches the step. */
  file: z.string().optional(),
  /** Shortens the timings of the protocol. */
  timesDividedBy: z.number().min(1).default(1),
  /** Disables the refresh lock, for the negative control of the tests. */
  withoutLock: z.boolean().default(false),
})

/** Reads `GATEWAY_FAULT_POINTS`. @throws {StartupError} when it is set outside of tests. */
export function failpoints(env: Environment): RefreshFailpoints {
  const json = env['GATEWAY_FAULT_POINTS']
  if (json === undefined) return {}
  if (env['NODE_ENV'] !== 'test') {
    throw new StartupError('GATEWAY_FAULT_POINTS makes the gateway fail on purpose, for tests only. Remove it.')
  }
  const { file, timesDividedBy, withoutLock } = Failpoints.parse(JSON.parse(json))
  const observe = file === undefined ? unchanged : observeSteps((step) => signalAt(file, step))
  return {
    times: divideTimes(REFRESH_TIMES, timesDividedBy),
    wrapPorts: (ports) => observe(withoutLock ? { ...ports, locks: NO_LOCKS } : ports),
  }
}

const unchanged = (ports: RefreshPorts): RefreshPorts => ports

/** Wraps the ports of the refresh so that `onStep` is called synchronously at each step. */
export function observeSteps(onStep: (step: RefreshStep) => void): (ports: RefreshPorts) => RefreshPorts {
  const observeLock = (lock: RefreshLock): RefreshLock => {
    let attempts = 0
    return {
      ...lock,
      async recordIntent(intent) {
        if (attempts++ > 0) onStep('repeating')
        onStep('recording_intent')
        const isRecorded = await lock.recordIntent(intent)
        if (isRecorded) onStep('intent_recorded')
        return isRecorded
      },
    }
  }
  return ({ locks, server, store }) => ({
    locks: {
      async acquire(stream, evenIfHeld) {
        onStep('locking')
        const lock = await locks.acquire(stream, evenIfHeld)
        if (lock) onStep('locked')
        return lock && observeLock(lock)
      },
    },
    server: {
      ...server,
      async refresh(grant, credential, permit) {
        const outcome = await server.refresh(grant, credential, {
          mayRedeem() {
            onStep('connected')
            const isPermitted = permit.mayRedeem()
            // The request is written in this tick.
            if (isPermitted) process.nextTick(onStep, 'sent')
            return isPermitted
          },
          remainingMs: () => permit.remainingMs(),
        })
        onStep('response_received')
        return outcome
      },
    },
    store: {
      ...store,
      async append(append) {
        if (append.fencingToken === undefined) return store.append(append)
        onStep('storing')
        const isStored = await store.append(append)
        onStep('stored')
        return isStored
      },
      postponeRefresh(stream, intent) {
        onStep('postponing')
        return store.postponeRefresh(stream, intent)
      },
    },
  })
}

/** Sends this process the signal of the armed failpoint if it is at `step`. */
function signalAt(file: string, step: RefreshStep): void {
  let armed: string
  try {
    armed = readFileSync(file, 'utf8')
  } catch {
    return
  }
  const [armedStep, signal] = armed.trim().split(' ')
  if (armedStep !== step || (signal !== 'SIGKILL' && signal !== 'SIGSTOP')) return
  rmSync(file)
  process.kill(process.pid, signal)
}

function divideTimes(times: RefreshTimes, by: number): RefreshTimes {
  // The members are those of `times`, each still a number.
  return Object.fromEntries(
    Object.entries(times).map(([name, ms]) => [name, Math.round(ms / by)]),
  ) as unknown as RefreshTimes
}

const NO_LOCKS: RefreshLocks = {
  acquire: async () => ({
    // Without a fencing token, the store does not check the intent.
    id: undefined as unknown as string,
    recordIntent: async () => true,
    mayRedeem: () => true,
    remainingMs: () => REFRESH_TIMES.redeemWithinMs,
    release: async () => {},
  }),
}
