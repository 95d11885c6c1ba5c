import type { DatabaseTrouble } from './database-trouble.ts'

/** What `GET /readyz` answers: 200 while calls can be served, with the parts that are impaired; 503 otherwise. */
export interface Readiness {
  /** Left out while all parts work. */
  readonly degraded?: readonly DegradedPart[]
}

export interface DegradedPart {
  readonly part: 'redis' | 'notifications' | 'database'
  /** What does not work meanwhile. */
  readonly detail: string
}

/** A part without which calls are still served: answers what does not work, or undefined. */
export type OptionalPart = () => DegradedPart | undefined | Promise<DegradedPart | undefined>

/**
 * @param need what every call needs; rejects with what is wrong.
 * @throws what `need` rejects with.
 */
export async function checkReadiness(need: () => Promise<unknown>, parts: readonly OptionalPart[]): Promise<Readiness> {
  const [, ...found] = await Promise.all([need(), ...parts.map((part) => part())])
  const degraded = found.filter((part) => part !== undefined)
  return degraded.length === 0 ? {} : { degraded }
}

export const REDIS_IS_AWAY: DegradedPart = {
  part: 'redis',
  detail: 'Redis does not answer, so nobody can connect Notion. Connected spaces work.',
}

export const NOTIFICATIONS_ARE_INTERRUPTED: DegradedPart = {
  part: 'notifications',
  detail:
    "The session that listens to the database is interrupted, so other replicas' changes are looked for instead of announced. Calls work.",
}

/** Calls work as long as the access tokens last that are stored. */
export const degradedBy = (trouble: DatabaseTrouble | undefined): DegradedPart | undefined =>
  trouble && { part: 'database', detail: trouble.message }
