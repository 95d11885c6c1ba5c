/**
 * The one clock of all replicas: the database's. A process whose own clock is wrong, or is corrected while it runs, then measures every deadline as
 * the others do.
 */
import type { Sql } from './database.ts'

export interface DatabaseClock {
  /** The database's time. Between two readings the process's monotonic clock goes on from the last one. */
  readonly now: () => Date
  /** Reads the database's clock again. @throws {Failure} `store_unavailable`; the last reading then stays in use. */
  read(): Promise<void>
}

/** A reading that took longer says too little about when it was taken, in milliseconds. */
const LONGEST_READING_MS = 1_000

/** @throws {Failure} `store_unavailable`. */
export async function openDatabaseClock(sql: Sql): Promise<DatabaseClock> {
  let offsetMs: number | undefined

  const read = async (): Promise<void> => {
    const askedAtMs = performance.now()
    const { rows } = await sql.query<{ ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
    )
    const answeredAtMs = performance.now()
    const [row] = rows
    if (!row || (offsetMs !== undefined && answeredAtMs - askedAtMs > LONGEST_READING_MS)) return
    offsetMs = row.ms - (askedAtMs + answeredAtMs) / 2
  }

  await read()
  return { now: () => new Date((offsetMs as number) + performance.now()), read }
}
