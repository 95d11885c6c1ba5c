/** Token bucket: allows bursts up to a minute's rate and refills evenly. */
export class TokenBucket {
  readonly #perMinute: number
  #tokens: number
  #updatedAtMs: number

  /** @param perMinute capacity, and tokens added per minute. The bucket starts full. */
  constructor(perMinute: number, nowMs = performance.now()) {
    this.#perMinute = perMinute
    this.#tokens = perMinute
    this.#updatedAtMs = nowMs
  }

  /** Takes a token. @returns 0, or the whole seconds until one is available if the bucket is empty. */
  take(nowMs = performance.now()): number {
    const refill = ((nowMs - this.#updatedAtMs) / 60_000) * this.#perMinute
    this.#tokens = Math.min(this.#perMinute, this.#tokens + refill)
    this.#updatedAtMs = nowMs
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / this.#perMinute) * 60)
    this.#tokens--
    return 0
  }

  /** True if no token was taken for a minute, so that the bucket is full again. */
  isFull(nowMs = performance.now()): boolean {
    return nowMs - this.#updatedAtMs >= 60_000
  }
}
