import type { Pooled } from '../../platform/database.ts'
import type { Log } from '../../platform/log.ts'
import { credentialMark, markFolder } from './credential-mark.ts'
import { type DatabaseGuard, databaseGuard } from './database-guard.ts'
import { identifyingUrl } from './database-identity.ts'

/** What a copy of the database is recognized by, beside the database itself. */
export interface DataPlaces {
  /** A folder for the mark of stored credentials, where there is no Redis; undefined for none. */
  readonly markFolder?: string | undefined
  /** The folder of the embedded database, identified; null for a server of DATABASE_URL. */
  readonly dataFolder: string | null
}

export interface DatabaseGuardOptions {
  readonly sql: Pooled
  readonly log: Log
  readonly redisUrl: string | undefined
  readonly publicUrl: URL | undefined
  readonly places: DataPlaces
}

export async function openDatabaseGuard({
  sql,
  log,
  redisUrl,
  publicUrl,
  places,
}: DatabaseGuardOptions): Promise<DatabaseGuard & { close(): void }> {
  const shared = redisUrl === undefined ? undefined : await openRedisMark(redisUrl, log)
  const mark = shared ?? (places.markFolder === undefined ? undefined : markFolder(places.markFolder))
  const guard = databaseGuard({
    mark: credentialMark(mark, log),
    process: { publicUrl: identifyingUrl(publicUrl), dataFolder: places.dataFolder },
    log,
    transaction: sql.transaction,
  })
  return { ...guard, close: () => shared?.close() }
}

/** The driver is loaded only where it is used. */
async function openRedisMark(url: string, log: Log) {
  const { redisMark } = await import('./redis-credential-mark.ts')
  return redisMark(url, log)
}
