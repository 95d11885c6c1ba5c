const MINUTE_MS = 60_000

export interface FetchLimits {
  readonly atOnce: number
  /** Maximum concurrent fetches of one user. */
  readonly atOnceOfOne: number
  readonly perMinuteOfOne: number
}

export interface FetchLimiter {
  /** Acquires a permit for this user. Returns its release function, or undefined above the limit. */
  take(userId: string): (() => void) | undefined
}

/** Limits rate and concurrency of the fetches that users cause. */
export function fetchLimiter(
  { atOnce, atOnceOfOne, perMinuteOfOne }: FetchLimits,
  now: () => number = Date.now,
): FetchLimiter {
  /** When each user began one, within the last minute, and how many of theirs are under way. */
  const people = new Map<string, { begun: number[]; underWay: number }>()
  let underWay = 0

  const forget = (before: number) => {
    for (const [userId, user] of people) {
      user.begun = user.begun.filter((at) => at > before)
      if (user.begun.length === 0 && user.underWay === 0) people.delete(userId)
    }
  }

  return {
    take(userId) {
      forget(now() - MINUTE_MS)
      const user = people.get(userId) ?? { begun: [], underWay: 0 }
      const isTooMuch = user.begun.length >= perMinuteOfOne || user.underWay >= atOnceOfOne
      if (isTooMuch || underWay >= atOnce) return undefined
      people.set(userId, user)
      user.begun.push(now())
      user.underWay++
      underWay++
      return () => {
        user.underWay--
        underWay--
      }
    },
  }
}
