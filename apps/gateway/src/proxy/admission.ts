import { Failure } from '../platform/failure.ts'

/** How much may be under way at once. A call waits in a short queue for its turn; a stream, which may stay for hours, does not wait. */
export interface AdmissionLimits {
  readonly calls: number
  readonly callsPerSpace: number
  readonly queued: number
  readonly queuedPerSpace: number
  /** How long a call may wait for its turn. */
  readonly queueMs: number
  readonly streams: number
  readonly streamsPerSpace: number
  /** Request bodies held in memory, all together. */
  readonly bodyBytes: number
  /** Of these, what one holder may have: a person's clients, or what an application does in one space. */
  readonly bodyBytesEach: number
}

/** Generous for people and their assistants; what they keep out is a program that has gone wild. */
export const DEFAULT_LIMITS: AdmissionLimits = {
  calls: 1024,
  callsPerSpace: 256,
  queued: 8192,
  queuedPerSpace: 2048,
  queueMs: 30_000,
  streams: 10_000,
  streamsPerSpace: 1000,
  bodyBytes: 256 * 1024 * 1024,
  bodyBytesEach: 32 * 1024 * 1024,
}

/** How many spaces may be on record before the quiet ones are forgotten. Not at once: that would make a new table for every few calls. */
const REMEMBERED_SPACES = 10_000

/** A permit to be under way, or a position in the queue. Must be given back with {@link Admission.leave}. */
export interface Permit {
  /** Resolves when the call may go on; undefined when it may go on at once. Rejects with `overloaded` when the wait was too long. */
  readonly admitted: Promise<void> | undefined
}

/**
 * Bounds what the gateway does at once, for each space and in total, so that neither memory nor one space's slow calls can take it away
 * from the others. What is beyond the bounds is refused at once: a queue that grows only makes everybody's answer late.
 */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #spaces = new Map<string, SpaceLoad>()
  /** Spaces with calls in the queue; the one whose turn is next comes first. */
  readonly #turns = new Set<SpaceLoad>()
  #calls = 0
  #queued = 0
  #streams = 0
  #bodyBytes = 0
  readonly #bodyBytesOf = new Map<string, number>()
  #forgetAbove = REMEMBERED_SPACES

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  /** @throws {Failure} `overloaded`. */
  enter(spaceId: string, isStream: boolean): Permit {
    const space = this.#spaces.get(spaceId) ?? new SpaceLoad()
    const permit = new Waiter(space, isStream)
    if (isStream) this.#openStream(space)
    else if (this.#calls < this.#limits.calls && space.calls < this.#limits.callsPerSpace) this.#start(permit)
    else this.#queue(permit)
    this.#spaces.set(spaceId, space)
    return permit
  }

  leave(permit: Permit): void {
    if (!(permit instanceof Waiter) || permit.isGone) return
    permit.isGone = true
    const { space } = permit
    if (permit.isStream) {
      space.streams--
      this.#streams--
    } else if (permit.isAdmitted) {
      space.calls--
      this.#calls--
      if (this.#queued > 0) this.#next()
    } else {
      this.#unqueue(permit)
    }
    if (this.#spaces.size > this.#forgetAbove) this.#forgetQuietSpaces()
  }

  #forgetQuietSpaces(): void {
    for (const [id, { calls, streams, waiting }] of this.#spaces) {
      if (calls === 0 && streams === 0 && waiting === undefined) this.#spaces.delete(id)
    }
    // Those that are left are busy: looking again only pays when there are many more.
    this.#forgetAbove = Math.max(REMEMBERED_SPACES, this.#spaces.size * 2)
  }

  /**
   * Counts a piece of a request body that is kept. It comes before all that the request says of itself, so only what was known before
   * bounds it.
   *
   * @param holder undefined where nobody in particular holds it.
   * @throws {Failure} `overloaded`.
   */
  holdBody(holder: string | undefined, bytes: number): void {
    if (this.#bodyBytes + bytes > this.#limits.bodyBytes) throw overloaded('The gateway holds too many large requests.')
    if (holder !== undefined) {
      const held = (this.#bodyBytesOf.get(holder) ?? 0) + bytes
      if (held > this.#limits.bodyBytesEach) throw overloaded('Too many large requests of yours are under way.')
      this.#bodyBytesOf.set(holder, held)
    }
    this.#bodyBytes += bytes
  }

  releaseBody(holder: string | undefined, bytes: number): void {
    if (bytes === 0) return
    this.#bodyBytes -= bytes
    if (holder === undefined) return
    const held = (this.#bodyBytesOf.get(holder) ?? 0) - bytes
    if (held > 0) this.#bodyBytesOf.set(holder, held)
    else this.#bodyBytesOf.delete(holder)
  }

  #openStream(space: SpaceLoad): void {
    if (this.#streams >= this.#limits.streams) throw overloaded('Too many streams are open.')
    if (space.streams >= this.#limits.streamsPerSpace) throw overloaded('This space has too many streams open.')
    space.streams++
    this.#streams++
  }

  #start(permit: Waiter): void {
    permit.isAdmitted = true
    permit.space.calls++
    this.#calls++
  }

  #queue(permit: Waiter): void {
    const { space } = permit
    const { queued, queuedPerSpace, queueMs } = this.#limits
    if (this.#queued >= queued) throw overloaded('Too many calls are under way.')
    if ((space.waiting?.size ?? 0) >= queuedPerSpace) throw overloaded('This space has too many calls under way.')
    space.waiting ??= new Set()
    space.waiting.add(permit)
    this.#turns.add(space)
    this.#queued++
    permit.whenAdmitted = Promise.withResolvers<void>()
    permit.timer = setTimeout(() => {
      this.leave(permit)
      permit.whenAdmitted?.reject(overloaded('Too many calls are under way.'))
    }, queueMs)
  }

  #unqueue(permit: Waiter): void {
    clearTimeout(permit.timer)
    const { space } = permit
    this.#queued--
    space.waiting?.delete(permit)
    if (space.waiting?.size !== 0) return
    space.waiting = undefined
    this.#turns.delete(space)
  }

  /** Lets the next call in: the longest waiting one of the space whose turn it is. Then that space goes to the end of the line. */
  #next(): void {
    for (const space of this.#turns) {
      if (space.calls >= this.#limits.callsPerSpace) continue
      const [permit] = space.waiting ?? []
      if (!permit) continue
      this.#unqueue(permit)
      if (this.#turns.delete(space)) this.#turns.add(space)
      this.#start(permit)
      permit.whenAdmitted?.resolve()
      return
    }
  }
}

/** What one space has under way. */
class SpaceLoad {
  calls = 0
  streams = 0
  waiting: Set<Waiter> | undefined
}

class Waiter implements Permit {
  readonly space: SpaceLoad
  readonly isStream: boolean
  isAdmitted: boolean
  isGone = false
  timer: NodeJS.Timeout | undefined
  whenAdmitted: PromiseWithResolvers<void> | undefined

  constructor(space: SpaceLoad, isStream: boolean) {
    this.space = space
    this.isStream = isStream
    this.isAdmitted = isStream
  }

  get admitted(): Promise<void> | undefined {
    return this.whenAdmitted?.promise
  }
}

function overloaded(what: string): Failure {
  return new Failure('overloaded', `${what} Try again in a moment.`, { retryAfterSeconds: 1 })
}
