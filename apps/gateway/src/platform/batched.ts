import { Failure } from './failure.ts'

export interface BatchLimits {
  /** Batches under way at once. */
  readonly atOnce: number
  readonly keysPerBatch: number
  /** Keys that may wait; more are refused. */
  readonly waiting: number
}

interface Waiter<Key, Value> {
  readonly key: Key
  readonly resolve: (value: Value | undefined) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Turns a look-up of many keys into one of a single key: what is asked for while a look-up is under way is asked for together in the next one.
 * So however many ask at once, each waits for two look-ups at most, and nobody for a queue that others fill.
 *
 * @param load answers with a value, or undefined, for each key, in order.
 * @returns rejects with {Failure} `overloaded` when too many wait, and with what `load` rejects with.
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
          new Failure('overloaded', 'Too many callers authenticate at once. Try again in a moment.', {
            retryAfterSeconds: 1,
          }),
        )
        return
      }
      waiting.push({ key, resolve, reject })
      if (running < limits.atOnce) void run()
    })
}
