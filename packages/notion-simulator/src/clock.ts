/** The simulator's time: that of the underlying clock plus the offset of {@link SimulatorClock.advance}. */
export type SimulatorClock = {
  /** Milliseconds since the epoch. */
  now(): number
  /** Moves the time forward, for the lifetimes of tokens, grants and clients. */
  advance(ms: number): void
  /** Removes the offset. */
  reset(): void
}

/** Creates a clock that can be moved forward. Delays of faults and keep-alives are always in real time. */
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
