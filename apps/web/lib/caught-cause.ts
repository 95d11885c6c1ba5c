import { AsyncLocalStorage } from 'node:async_hooks'

const caught = new AsyncLocalStorage<{ cause?: unknown }>()

/** Records an error that a library reports but does not throw. Returns false without a receiver; the caller then logs it. */
export function noteCause(cause: unknown): boolean {
  const store = caught.getStore()
  if (!store || cause === undefined) return false
  store.cause ??= cause
  return true
}

/** Runs `work`, with what a library caught meanwhile beside its result. What `work` throws is replaced by that, where there is something. */
export function withCause<T>(work: () => Promise<T>): Promise<{ value: T; cause?: unknown }> {
  const store: { cause?: unknown } = {}
  return caught.run(store, async () => {
    try {
      return { value: await work(), ...store }
    } catch (error) {
      throw store.cause ?? error
    }
  })
}
