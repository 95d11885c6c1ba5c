const MINUTE_MS = 60_000

export interface AllowanceLimits {
  readonly atOnce: number
  readonly perMinute: number
}

export interface FetchAllowance {
  /** Counts one more for this person. Undefined when that is too many; otherwise what to call when it is over. */
  take(personId: string): (() => void) | undefined
}

/** Bounds how often people have this process ask other servers for something, and how much of that is under way at once. */
export function fetchAllowance({ atOnce, perMinute }: AllowanceLimits, now: () => number = Date.now): FetchAllowance {
  const taken = new Map<string, number>()
  let minute = 0
  let underWay = 0
  return {
    take(personId) {
      const thisMinute = Math.floor(now() / MINUTE_MS)
      if (thisMinute !== minute) taken.clear()
      minute = thisMinute
      const count = (taken.get(personId) ?? 0) + 1
      if (count > perMinute || underWay >= atOnce) return undefined
      taken.set(personId, count)
      underWay++
      return () => {
        underWay--
      }
    },
  }
}
