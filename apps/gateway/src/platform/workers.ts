import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { STOP_MESSAGE, StartupError } from '@nmg/process'
import type { Log } from './log.ts'

/** Delays before a worker that exited is restarted: after its first exit, its second, and so on. */
const RESTART_DELAYS_MS = [500, 1_000, 2_000, 5_000, 10_000]
/** A worker that ran for this long is restarted after the shortest delay. */
const RAN_LONG_MS = 60_000

/**
 * Starts this program `count` times behind one port: this process accepts connections and distributes them round-robin. Each worker is an
 * ordinary replica on the same database, so nothing else is shared. A worker that exits is restarted.
 *
 * @throws {StartupError} when a worker exits before it listens; the worker has printed the reason.
 */
export async function startWorkers(count: number, log: Log): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController()
  const supervisors = new Set<Promise<void>>()

  const launch = (): Worker => {
    const worker = cluster.fork()
    // A worker may exit between the check and the message; that error must not end this process.
    worker.on('error', (error) => log.warn('worker.unreachable', { worker: worker.id, code: codeOf(error) }))
    stopping.signal.addEventListener('abort', () => worker.isConnected() && worker.send(STOP_MESSAGE), { once: true })
    return worker
  }
  const supervise = async (first: Worker): Promise<void> => {
    for (let worker = first, exits = 0; ; worker = launch()) {
      const since = Date.now()
      if (!worker.isDead()) await once(worker, 'exit')
      if (stopping.signal.aborted) return
      exits = Date.now() - since > RAN_LONG_MS ? 1 : exits + 1
      const { exitCode, signalCode } = worker.process
      log.error('worker.ended', { worker: worker.id, exitCode, signal: signalCode ?? undefined })
      const delayMs = RESTART_DELAYS_MS[Math.min(exits, RESTART_DELAYS_MS.length) - 1]
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
    }
  }
  const stop = async (): Promise<void> => {
    stopping.abort()
    await Promise.all(supervisors)
  }

  const workers = Array.from({ length: count }, launch)
  for (const worker of workers) supervisors.add(supervise(worker))
  try {
    await Promise.all(workers.map(listening))
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

async function listening(worker: Worker): Promise<void> {
  const exited = once(worker, 'exit').then(() => {
    throw new StartupError(`Worker ${worker.id} exited before it could serve.`)
  })
  await Promise.race([once(worker, 'listening'), exited])
  // Later exits are handled by the supervisor.
  exited.catch(() => undefined)
}

const codeOf = (error: Error) => ('code' in error ? error.code : undefined)
