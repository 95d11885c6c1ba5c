import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process that the supervisor restarts when it ends. */
export interface Service {
  name: string
  /** Node's arguments: the program and its arguments. */
  command: readonly string[]
  env: Record<string, string | undefined>
  /** Responds with a status below 400 when the service is ready. */
  readyUrl: string
  /** Files and folders, absolute, whose changes restart the service in development. */
  sources: readonly string[]
}

export interface Supervised {
  /** Resolves when the service is first ready. Rejects with {@link ServiceFailure} if it ends before that. */
  ready: Promise<void>
  /** Stops the service; it is not restarted. */
  stop(): Promise<void>
}

/** A service did not start. */
export class ServiceFailure extends Error {
  /** True if the service itself has printed the reason. */
  readonly isExplained: boolean

  constructor(message: string, isExplained: boolean) {
    super(message)
    this.isExplained = isExplained
  }
}

/** Time limit of the first start, including migrations on a slow machine. */
const READY_DEADLINE_MS = 120_000

/** Time limit of a graceful stop. */
const STOP_DEADLINE_MS = 8_000

/** Delays before restarts: after the first end, the second, and so on. */
const RESTART_DELAYS_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000]

/** A service that ran for this long restarts after the shortest delay. */
const RAN_LONG_MS = 60_000

/** Starts a service. Once it has been ready, it is restarted whenever it ends. */
export function supervise(service: Service): Supervised {
  let stopped: Promise<void> | undefined
  let child = launch(service)
  const first = ended(child)

  const keep = async () => {
    for (let attempts = 0, end = first; ; end = ended(child)) {
      const since = Date.now()
      const how = await end
      if (stopped) return
      attempts = Date.now() - since > RAN_LONG_MS ? 0 : attempts + 1
      const delayMs = RESTART_DELAYS_MS.at(Math.min(attempts, RESTART_DELAYS_MS.length) - 1) ?? 0
      process.stderr.write(
        `start: the ${service.name} ended (${how.words}) and will be restarted in ${delayMs / 1000} s.\n`,
      )
      await sleep(delayMs)
      if (stopped) return
      child = launch(service)
    }
  }
  const ready = untilReady(service, first)
  ready.then(keep, () => undefined)

  return {
    ready,
    // Once: a second SIGTERM makes the service stop immediately.
    stop: () => (stopped ??= terminate(child)),
  }
}

export function launch({ command, env }: Service, output: 'inherit' | 'pipe' = 'inherit'): ChildProcess {
  return spawn(process.execPath, command, {
    env,
    // The service detects by the closed channel that this process was killed.
    stdio: ['ignore', output, output, 'ipc'],
    // A session of its own: Ctrl-C reaches only this process, which stops the services in order.
    detached: true,
  })
}

async function untilReady(service: Service, end: Promise<End>): Promise<void> {
  const deadline = AbortSignal.timeout(READY_DEADLINE_MS)
  const failure = end.then(({ code, words }) => {
    throw new ServiceFailure(`The ${service.name} did not start (${words}).`, code === 1)
  })
  while (!deadline.aborted) {
    if (await Promise.race([answers(service.readyUrl), failure])) return
    await Promise.race([sleep(100), failure])
  }
  throw new ServiceFailure(`The ${service.name} was not ready within ${READY_DEADLINE_MS / 1000} seconds.`, false)
}

export async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) })
    await answer.body?.cancel()
    return answer.status < 400
  } catch {
    return false
  }
}

export interface End {
  code: number | null
  words: string
}

/** Resolves when the process has ended, also if it ended before the call. */
export async function ended(child: ChildProcess): Promise<End> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    await new Promise((resolve) => child.once('exit', resolve))
  }
  const { exitCode: code, signalCode } = child
  return { code, words: signalCode ? `by ${signalCode}` : `exit code ${code}` }
}

export async function terminate(child: ChildProcess): Promise<void> {
  const end = ended(child)
  child.kill('SIGTERM')
  const impatience = setTimeout(() => {
    // The whole session, with the service's children.
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  }, STOP_DEADLINE_MS)
  await end
  clearTimeout(impatience)
}
