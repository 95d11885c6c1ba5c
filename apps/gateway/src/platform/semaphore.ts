import { Failure } from './failure.ts'

/** Semaphore with a bounded queue, in order of arrival. */
export class Semaphore {
  readonly #permits: number
  readonly #maxQueued: number
  readonly #overloaded: string
  readonly #queue: (() => void)[] = []
  #running = 0

  /**
   * @param permits maximum number of concurrent tasks.
   * @param maxQueued maximum length of the queue.
   * @param overloaded message of the failure when the queue is full.
   */
  constructor(permits: number, maxQueued: number, overloaded: string) {
    this.#permits = permits
    this.#maxQueued = maxQueued
    this.#overloaded = overloaded
  }

  /** Runs `work` with a permit. @throws {Failure} `overloaded` when the queue is full; the rejection of `work`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#acquire()
    try {
      return await work()
    } finally {
      this.#release()
    }
  }

  async #acquire(): Promise<void> {
    if (this.#running < this.#permits) this.#running++
    else if (this.#queue.length < this.#maxQueued) await new Promise<void>((resolve) => this.#queue.push(resolve))
    else throw new Failure('overloaded', this.#overloaded, { retryAfterSeconds: 1 })
  }

  /** Passes the permit to the next waiter, if there is one. */
  #release(): void {
    const next = this.#queue.shift()
    if (next) next()
    else this.#running--
  }
}
