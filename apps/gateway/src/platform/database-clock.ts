/**
 * All replicas use the database's clock, so that a process whose own clock is wrong, or is corrected while it runs, evaluates every deadline
 * as the others do.
 */
import type { Sql } from './database.ts'

export interface DatabaseClock {
  /** The database's time, extrapolated from the last reading with the process's monotonic clock. */
  readonly now: () => Date
  /** Reads the database's clock again. @throws {Failure} `store_unavailable`; the last reading stays in use. */
  read(): Promise<void>
}

/** A reading with a longer round trip is too imprecise and is discarded. */
const MAX_ROUND_TRIP_MS = 1_000

/** @throws {Failure} `store_unavailable`. */
export async function openDatabaseClock(sql: Sql): Promise<DatabaseClock> {
  let offsetMs: number | undefined

  const read = async (): Promise<void> => {
    const sentAtMs = performance.now()
    const { rows } = await sql.query<{ ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
    )
    const receivedAtMs = performance.now()
    const [row] = rows
    if (!row || (offsetMs !== undefined && receivedAtMs - sentAtMs > MAX_ROUND_TRIP_MS)) return
    offsetMs = row.ms - (sentAtMs + receivedAtMs) / 2
  }

  await read()
  return { now: () => new Date((offsetMs as number) + performance.now()), read }
}
