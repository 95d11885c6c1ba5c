import type { DatabaseFault } from './database-fault.ts'

/** The body of `GET /readyz`: 200 while calls can be served, with the degraded parts; 503 otherwise. */
export interface Readiness {
  /** Omitted while all parts work. */
  readonly degraded?: readonly DegradedPart[]
}

export interface DegradedPart {
  readonly part: 'redis' | 'notifications' | 'database'
  /** What does not work as a result. */
  readonly detail: string
}

/** Checks a part without which calls are still served; undefined while it works. */
export type OptionalPart = () => DegradedPart | undefined | Promise<DegradedPart | undefined>

/**
 * @param checkRequired checks what every call needs and rejects when it is unavailable.
 * @throws the rejection of `checkRequired`.
 */
export async function checkReadiness(
  checkRequired: () => Promise<unknown>,
  parts: readonly OptionalPart[],
): Promise<Readiness> {
  const [, ...found] = await Promise.all([checkRequired(), ...parts.map((part) => part())])
  const degraded = found.filter((part) => part !== undefined)
  return degraded.length === 0 ? {} : { degraded }
}

export const REDIS_UNAVAILABLE: DegradedPart = {
  part: 'redis',
  detail: 'Redis is not responding, so nobody can connect Notion. Connected spaces work.',
}

export const NOTIFICATIONS_INTERRUPTED: DegradedPart = {
  part: 'notifications',
  detail: "The database session for notifications is interrupted, so other replicas' changes are polled. Calls work.",
}

/** Calls work until the stored access tokens expire. */
export const degradedBy = (fault: DatabaseFault | undefined): DegradedPart | undefined =>
  fault && { part: 'database', detail: fault.message }
