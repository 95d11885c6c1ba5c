import { Failure } from '../platform/failure.ts'

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
  #counted = 0

  constructor(settings: ClientLimitSettings) {
    this.#settings = settings
  }

  /** Counts a request as soon as it is there, so that one that comes to nothing counts as well. */
  count(principal: string): Counted {
    if (++this.#counted % SWEEP_EVERY === 0) this.#sweep()
    const load = this.#loads.get(principal) ?? new Load(this.#settings.requestsPerMinute)
    this.#loads.set(principal, load)
    return new Counted(load, this.#settings)
  }

  #sweep(): void {
    const before = performance.now() - FORGET_AFTER_MS
    for (const [principal, load] of this.#loads) if (load.isIdleSince(before)) this.#loads.delete(principal)
  }
}

/** A request that was counted, and may take a place when it is known what it is. */
export class Counted {
  readonly #load: Load
  readonly #settings: ClientLimitSettings
  readonly #waitSeconds: number
  #place: 'calls' | 'streams' | undefined

  constructor(load: Load, settings: ClientLimitSettings) {
    this.#load = load
    this.#settings = settings
    this.#waitSeconds = load.spend(settings.requestsPerMinute)
  }

  /** @throws {Failure} `rate_limited`. */
  enter(isStream: boolean): void {
    const { requestsPerMinute, calls, streams } = this.#settings
    const load = this.#load
    if (this.#waitSeconds > 0)
      throw limited(`This client has sent ${requestsPerMinute} requests within a minute.`, this.#waitSeconds)
    if (isStream && load.streams >= streams) throw limited(`This client has ${streams} streams open.`, 5)
    if (!isStream && load.calls >= calls) throw limited(`This client has ${calls} calls under way.`, 1)
    this.#place = isStream ? 'streams' : 'calls'
    load[this.#place]++
  }

  /** Gives the place back, if it had one. */
  leave(): void {
    if (this.#place) this.#load[this.#place]--
    this.#place = undefined
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
