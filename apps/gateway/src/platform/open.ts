import { type Pooled, migrate, openPool } from './database.ts'
import { openDatabaseClock } from './database-clock.ts'
import type { Clock } from './clock.ts'
import { every } from './every.ts'
import type { Log } from './log.ts'
import { type Notifications, postgresNotifications } from './notifications.ts'

/** Two clocks drift apart by less than a millisecond in this time, and a clock that was set is noticed soon. */
const READ_CLOCK_EVERY_MS = 5_000

/** Infrastructure shared by connections, refresh, proxy and clients. */
export interface Platform {
  readonly databaseUrl: string
  readonly sql: Pooled
  /** The database's clock, the same for all replicas. */
  readonly clock: Clock
  readonly notifications: Notifications
  readonly log: Log
}

export interface PlatformOptions {
  readonly databaseUrl: string
  /** Maximum connections of the pool. */
  readonly poolSize: number
  /** NOTIFY channels to subscribe to. */
  readonly channels: readonly string[]
  readonly log: Log
  /** Replaces the database's clock in tests. */
  readonly clock?: Clock | undefined
}

/** Migrates the schema and opens the database. @throws {Failure} `store_unavailable`. */
export async function openPlatform(options: PlatformOptions): Promise<Platform & { close(): Promise<void> }> {
  const { databaseUrl, poolSize, channels, log } = options
  await migrate(databaseUrl)
  const sql = openPool(databaseUrl, log, poolSize)
  const databaseClock = await openDatabaseClock(sql)
  const notifications = await postgresNotifications(databaseUrl, channels, log)
  const stopReadingClock = every(READ_CLOCK_EVERY_MS, () => databaseClock.read(), log)
  return {
    databaseUrl,
    sql,
    clock: options.clock ?? databaseClock.now,
    notifications,
    log,
    async close() {
      await stopReadingClock()
      notifications.close()
      await sql.end()
    },
  }
}
