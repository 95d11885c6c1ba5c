import type { Pool } from 'pg'
import { SCHEMA } from '../lib/database.ts'
import { sweepLimits } from '../lib/limits.ts'
import { causeOf, log } from '../lib/log.ts'
import { abandonedSpaces, type AbandonedSpacesOptions } from './abandoned-spaces.ts'

const ROUND_MS = 10 * 60_000

/** Periodically deletes expired data. */
export function startHousekeeping(
  options: AbandonedSpacesOptions & { readonly renewStaticFiles: () => Promise<void> },
): {
  stop(): void
} {
  const tasks: Record<string, () => Promise<void>> = {
    limits: () => sweepLimits(options.pool),
    sessions: () => sweepSessions(options.pool),
    abandoned_spaces: abandonedSpaces(options),
    static_files: options.renewStaticFiles,
  }
  const round = async () => {
    for (const [task, work] of Object.entries(tasks)) {
      await work().catch((error: unknown) => log.warn('housekeeping.failed', { task, ...causeOf(error) }))
    }
  }
  const timer = setInterval(() => void round(), ROUND_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** Expired sessions, links and OAuth states. */
export async function sweepSessions(pool: Pool): Promise<void> {
  for (const table of ['session', 'verification']) {
    await pool.query(`delete from ${SCHEMA}."${table}" where "expiresAt" < now()`)
  }
}
