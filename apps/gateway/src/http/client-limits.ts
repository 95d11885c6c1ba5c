import { Failure } from '../failure.ts'

/** What one principal (a person with one client or key, in one space) may do at this replica. */
export interface ClientLimitSettings {
  readonly requestsPerMinute: number
  /** Calls under way at once. */
  readonly calls: number
  /** Streams open at once. */
  readonly streams: number
}

/** A principal that has done nothing for that long starts afresh, so nothing of it need be kept. */
const FORGET_AFTER_MS = 60_000
/** So many are looked through for forgotten ones at a time. */
const SWEEP_EVERY = 1000

/** Keeps one client from taking what is there for all. */
export class ClientLimits {
  readonly #settings: ClientLimitSettings
  readonly #loads = new Map<string, Load>()
  #entered = 0

  constructor(settings: ClientLimitSettings) {
    this.#settings = settings
  }

  /** @returns what gives the place back. @throws {Failure} `rate_limited`. */
  enter(principal: string, isStream: boolean): () => void {
    const { requestsPerMinute, calls, streams } = this.#settings
    if (++this.#entered % SWEEP_EVERY === 0) this.#sweep()
    const load = this.#loads.get(principal) ?? new Load(requestsPerMinute)
    this.#loads.set(principal, load)

    const waitSeconds = load.spend(requestsPerMinute)
    if (waitSeconds > 0)
      throw limited(`This client has sent ${requestsPerMinute} requests within a minute.`, waitSeconds)
    if (isStream && load.streams >= streams) throw limited(`This client has ${streams} streams open.`, 5)
    if (!isStream && load.calls >= calls) throw limited(`This client has ${calls} calls under way.`, 1)

    if (isStream) load.streams++
    else load.calls++
    return () => {
      if (isStream) load.streams--
      else load.calls--
    }
  }

  #sweep(): void {
    const before = performance.now() - FORGET_AFTER_MS
    for (const [principal, load] of this.#loads) if (load.isIdleSince(before)) this.#loads.delete(principal)
  }
}

class Load {
  calls = 0
  streams = 0
  #left: number
  #at = performance.now()

  constructor(requestsPerMinute: number) {
    this.#left = requestsPerMinute
  }

  /** Takes one request out of what is left, which grows evenly again; or answers how many seconds to wait for it. */
  spend(perMinute: number): number {
    const now = performance.now()
    this.#left = Math.min(perMinute, this.#left + ((now - this.#at) / 60_000) * perMinute)
    this.#at = now
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / perMinute) * 60)
    this.#left--
    return 0
  }

  isIdleSince(moment: number): boolean {
    return this.calls === 0 && this.streams === 0 && this.#at < moment
  }
}

function limited(what: string, retryAfterSeconds: number): Failure {
  return new Failure('rate_limited', `${what} Wait a little and try again.`, { retryAfterSeconds })
}
