import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { STOP_MESSAGE, StartupError } from '@nmg/process'
import type { Log } from './log.ts'

/** Waits before a worker that ended is replaced: after its first end, its second, and so on. */
const REPLACE_AFTER_MS = [500, 1_000, 2_000, 5_000, 10_000]
/** One that ran for this long is replaced after the shortest wait. */
const RAN_LONG_MS = 60_000

/**
 * Starts this very program `count` times behind one port: this process takes connections and hands them out in turn. Each worker is a
 * replica like any other on the same database, so nothing else has to be shared. One that ends is replaced.
 *
 * @throws {StartupError} when a worker ends before it listens; it has told why.
 */
export async function startWorkers(count: number, log: Log): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController()
  const keepers = new Set<Promise<void>>()

  const launch = (): Worker => {
    const worker = cluster.fork()
    // A worker that ends between our look and our word must not take us with it.
    worker.on('error', (error) => log.warn('worker.unreachable', { worker: worker.id, code: codeOf(error) }))
    stopping.signal.addEventListener('abort', () => worker.isConnected() && worker.send(STOP_MESSAGE), { once: true })
    return worker
  }
  const keep = async (first: Worker): Promise<void> => {
    for (let worker = first, ends = 0; ; worker = launch()) {
      const since = Date.now()
      if (!worker.isDead()) await once(worker, 'exit')
      if (stopping.signal.aborted) return
      ends = Date.now() - since > RAN_LONG_MS ? 1 : ends + 1
      const { exitCode, signalCode } = worker.process
      log.error('worker.ended', { worker: worker.id, exitCode, signal: signalCode ?? undefined })
      const delayMs = REPLACE_AFTER_MS[Math.min(ends, REPLACE_AFTER_MS.length) - 1]
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
    }
  }
  const stop = async (): Promise<void> => {
    stopping.abort()
    await Promise.all(keepers)
  }

  const workers = Array.from({ length: count }, launch)
  for (const worker of workers) keepers.add(keep(worker))
  try {
    await Promise.all(workers.map(listening))
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

async function listening(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit').then(() => {
    throw new StartupError(`Worker ${worker.id} ended before it could serve.`)
  })
  await Promise.race([once(worker, 'listening'), ended])
  // It may end whenever it likes from now on; somebody else looks after that.
  ended.catch(() => undefined)
}

const codeOf = (error: Error) => ('code' in error ? error.code : undefined)
