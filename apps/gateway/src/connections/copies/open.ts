import type { Pooled } from '../../platform/database.ts'
import type { Log } from '../../platform/log.ts'
import { credentialMark, folderMarkStore } from './credential-mark.ts'
import { type DatabaseGuard, databaseGuard } from './database-guard.ts'
import { identifyingUrl } from './database-identity.ts'

/** Locations outside of the database by which copies are detected. */
export interface DataLocations {
  /** A folder for the credential mark if there is no Redis; undefined for none. */
  readonly markFolder?: string | undefined
  /** The identity of the embedded database's folder; null for a server of DATABASE_URL. */
  readonly dataFolder: string | null
}

export interface DatabaseGuardOptions {
  readonly sql: Pooled
  readonly log: Log
  readonly redisUrl: string | undefined
  readonly publicUrl: URL | undefined
  readonly locations: DataLocations
}

export async function openDatabaseGuard({
  sql,
  log,
  redisUrl,
  publicUrl,
  locations,
}: DatabaseGuardOptions): Promise<DatabaseGuard & { close(): void }> {
  const redis = redisUrl === undefined ? undefined : await openRedisMark(redisUrl, log)
  const marks = redis ?? (locations.markFolder === undefined ? undefined : folderMarkStore(locations.markFolder))
  const guard = databaseGuard({
    mark: credentialMark(marks, log),
    process: { publicUrl: identifyingUrl(publicUrl), dataFolder: locations.dataFolder },
    log,
    transaction: sql.transaction,
  })
  return { ...guard, close: () => redis?.close() }
}

/** Loads the driver on demand. */
async function openRedisMark(url: string, log: Log) {
  const { redisMarkStore } = await import('./redis-credential-mark.ts')
  return redisMarkStore(url, log)
}
