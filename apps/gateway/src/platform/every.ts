import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, type Log } from './log.ts'

/**
 * Runs `work` every `ms` milliseconds ± 25 % of jitter, never concurrently. A rejection is logged and the rounds continue.
 *
 * @returns stops the rounds; resolves when the running one has ended.
 */
export function every(ms: number, work: () => Promise<unknown>, log: Log): () => Promise<void> {
  const stop = new AbortController()
  const running = (async () => {
    while (!stop.signal.aborted) {
      await sleep(ms * (0.75 + Math.random() / 2), undefined, { signal: stop.signal, ref: false }).catch(
        () => undefined,
      )
      if (stop.signal.aborted) return
      await work().catch((error: unknown) => log.warn('background.failed', describeError(error)))
    }
  })()
  return async () => {
    stop.abort()
    await running
  }
}
