import { Failure } from './failure.ts'

export interface BatchLimits {
  /** Concurrent batches. */
  readonly atOnce: number
  readonly keysPerBatch: number
  /** Length of the queue; further keys are rejected. */
  readonly waiting: number
}

interface Waiter<Key, Value> {
  readonly key: Key
  readonly resolve: (value: Value | undefined) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Turns a look-up of many keys into a look-up of one key. Keys requested during a running look-up are loaded together by the next one, so a
 * caller waits for at most two look-ups as long as the queue fits into one batch.
 *
 * @param load resolves to a value, or undefined, for each key, in order.
 * @returns rejects with {Failure} `overloaded` when the queue is full, and with the rejection of `load`.
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly (Value | undefined)[]>,
  limits: BatchLimits,
): (key: Key) => Promise<Value | undefined> {
  let waiting: Waiter<Key, Value>[] = []
  let running = 0

  const run = async (): Promise<void> => {
    running++
    while (waiting.length > 0) {
      const batch = waiting.slice(0, limits.keysPerBatch)
      waiting = waiting.slice(limits.keysPerBatch)
      try {
        const values = await load(batch.map(({ key }) => key))
        for (const [i, { resolve }] of batch.entries()) resolve(values[i])
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    running--
  }

  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= limits.waiting) {
        reject(
          new Failure('overloaded', 'Too many callers are authenticating at once. Try again in a moment.', {
            retryAfterSeconds: 1,
          }),
        )
        return
      }
      waiting.push({ key, resolve, reject })
      if (running < limits.atOnce) void run()
    })
}
