import { Failure } from '../platform/failure.ts'
import { TokenBucket } from '../platform/token-bucket.ts'

/** Limits of one principal (a user with one client or key, in one space) at this replica. */
export interface ClientLimitSettings {
  readonly requestsPerMinute: number
  /** Concurrent calls. */
  readonly calls: number
  /** Concurrent streams. */
  readonly streams: number
}

/** Number of requests between two sweeps for idle principals. */
const SWEEP_EVERY = 1000

/** Limits the request rate, concurrent calls and concurrent streams of each principal. */
export class ClientRateLimiter {
  readonly #settings: ClientLimitSettings
  readonly #usages = new Map<string, Usage>()
  #requests = 0

  constructor(settings: ClientLimitSettings) {
    this.#settings = settings
  }

  /** Counts a request when it arrives, so that rejected requests count as well. */
  countRequest(principal: string): CountedRequest {
    if (++this.#requests % SWEEP_EVERY === 0) this.#sweep()
    const usage = this.#usages.get(principal) ?? new Usage(this.#settings.requestsPerMinute)
    this.#usages.set(principal, usage)
    return new CountedRequest(usage, this.#settings)
  }

  #sweep(): void {
    for (const [principal, usage] of this.#usages) if (usage.isIdle()) this.#usages.delete(principal)
  }
}

/** A counted request. It acquires a permit for a call or a stream once its kind is known. */
export class CountedRequest {
  readonly #usage: Usage
  readonly #settings: ClientLimitSettings
  readonly #waitSeconds: number
  #permit: 'calls' | 'streams' | undefined

  constructor(usage: Usage, settings: ClientLimitSettings) {
    this.#usage = usage
    this.#settings = settings
    this.#waitSeconds = usage.requests.take()
  }

  /** @throws {Failure} `rate_limited`. */
  acquire(isStream: boolean): void {
    const { requestsPerMinute, calls, streams } = this.#settings
    const usage = this.#usage
    if (this.#waitSeconds > 0)
      throw rateLimited(`This client exceeded ${requestsPerMinute} requests per minute.`, this.#waitSeconds)
    if (isStream && usage.streams >= streams) throw rateLimited(`This client already has ${streams} open streams.`, 5)
    if (!isStream && usage.calls >= calls) throw rateLimited(`This client already has ${calls} calls in progress.`, 1)
    this.#permit = isStream ? 'streams' : 'calls'
    usage[this.#permit]++
  }

  /** Releases the permit, if the request has one. */
  release(): void {
    if (this.#permit) this.#usage[this.#permit]--
    this.#permit = undefined
  }
}

/** A principal's request rate, and its calls and streams in progress. */
class Usage {
  calls = 0
  streams = 0
  readonly requests: TokenBucket

  constructor(requestsPerMinute: number) {
    this.requests = new TokenBucket(requestsPerMinute)
  }

  /** True if the usage is the same as that of a new principal, so that it can be deleted. */
  isIdle(): boolean {
    return this.calls === 0 && this.streams === 0 && this.requests.isFull()
  }
}

function rateLimited(reason: string, retryAfterSeconds: number): Failure {
  return new Failure('rate_limited', `${reason} Wait a moment and try again.`, { retryAfterSeconds })
}
