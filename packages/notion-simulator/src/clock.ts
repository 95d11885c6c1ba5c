/** The simulator's time: the clock it was given, plus what {@link SimulatorClock.advance} has added. */
export type SimulatorClock = {
  /** Milliseconds since the epoch. */
  now(): number
  /** Moves the time forward; lifetimes of tokens, grants and clients follow. */
  advance(ms: number): void
  /** Back to the clock it was given. */
  reset(): void
}

/** A clock that can be moved forward. Waiting (delays of faults, keep-alives) is always in real time. */
export function movableClock(clock: () => Date): SimulatorClock {
  let offsetMs = 0
  return {
    now: () => clock().getTime() + offsetMs,
    advance: (ms) => {
      if (!Number.isFinite(ms) || ms < 0) throw new RangeError('advance(ms) takes a number of milliseconds, 0 or more')
      offsetMs += ms
    },
    reset: () => {
      offsetMs = 0
    },
  }
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const DAY = 24 * 60 * MINUTE
