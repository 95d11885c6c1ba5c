import type { Pool } from 'pg'
import { SCHEMA } from './database.ts'
import { log } from './log.ts'

/** Rows that one statement removes. */
const BATCH = 1_000

const SWEEP_EVERY_MS = 3_600_000

/** Any number that no other program on this database takes as an advisory lock. */
const SWEEP_LOCK = 6_274_519_386

/** Removes sessions and pending verifications that have expired: in batches, and in one process at a time. @returns how many. */
export async function sweepSessions(pool: Pool): Promise<number> {
  let count = 0
  for (const table of ['session', 'verification']) {
    for (let removed = BATCH; removed === BATCH; count += removed) {
      // The lock ends with the statement. Another process that has it does the work.
      const { rowCount } = await pool.query(
        `delete from ${SCHEMA}."${table}" where id in (
           select id from ${SCHEMA}."${table}" where "expiresAt" < now() and (select pg_try_advisory_xact_lock($1)) limit $2)`,
        [SWEEP_LOCK, BATCH],
      )
      removed = rowCount ?? 0
    }
  }
  return count
}

/** {@link sweepSessions}, now and every hour. @returns what stops it. */
export function startSessionSweeps(pool: Pool): () => void {
  const sweep = () =>
    void sweepSessions(pool).catch((error: unknown) =>
      log.warn('sessions.not_swept', { message: error instanceof Error ? error.message : 'unknown' }),
    )
  sweep()
  const timer = setInterval(sweep, SWEEP_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
