const MINUTE_MS = 60_000

export interface AllowanceLimits {
  readonly atOnce: number
  /** So that nobody can take all of it. */
  readonly atOnceOfOne: number
  readonly perMinuteOfOne: number
}

export interface FetchAllowance {
  /** Counts one more for this person. Undefined when that is too many; otherwise what to call when it is over. */
  take(personId: string): (() => void) | undefined
}

/** Bounds how often people have this process ask other servers for something, and how much of that is under way at once. */
export function fetchAllowance(
  { atOnce, atOnceOfOne, perMinuteOfOne }: AllowanceLimits,
  now: () => number = Date.now,
): FetchAllowance {
  /** When each person began one, within the last minute, and how many of theirs are under way. */
  const people = new Map<string, { begun: number[]; underWay: number }>()
  let underWay = 0

  const forget = (before: number) => {
    for (const [personId, person] of people) {
      person.begun = person.begun.filter((at) => at > before)
      if (person.begun.length === 0 && person.underWay === 0) people.delete(personId)
    }
  }

  return {
    take(personId) {
      forget(now() - MINUTE_MS)
      const person = people.get(personId) ?? { begun: [], underWay: 0 }
      const isTooMuch = person.begun.length >= perMinuteOfOne || person.underWay >= atOnceOfOne
      if (isTooMuch || underWay >= atOnce) return undefined
      people.set(personId, person)
      person.begun.push(now())
      person.underWay++
      underWay++
      return () => {
        person.underWay--
        underWay--
      }
    },
  }
}
