import { join } from 'node:path'
import { applyMigrations as apply } from '@nmg/process'
import type { Pool } from 'pg'
import { SCHEMA } from './database.ts'

/** The versions of better-auth's own tables. A release that changes them so that an older release cannot run on them adds a line. */
const ACCOUNT_TABLES = [{ name: 'accounts of better-auth 1.7', oldestRelease: 1 }] as const

/**
 * Migrates the tables: better-auth's with `migrateAccounts`, then ours, which refer to them, with the numbered `.sql` files.
 *
 * `only`: the files to apply. Default: all.
 *
 * @throws {StartupError} when this release is too old for the tables; nothing is changed then.
 */
export async function applyMigrations(
  pool: Pool,
  migrateAccounts: () => Promise<void>,
  options: { readonly release?: number; readonly only?: readonly string[] | undefined } = {},
): Promise<void> {
  const client = await pool.connect()
  let failure: unknown
  try {
    await apply(client, {
      ...options,
      folder: join(import.meta.dirname, '..', 'migrations'),
      schema: SCHEMA,
      appName: 'web app',
      library: { migrate: migrateAccounts, versions: ACCOUNT_TABLES },
    })
  } catch (error) {
    failure = error
    throw error
  } finally {
    // After a failure, close the connection instead of reusing it.
    client.release(failure !== undefined)
  }
}
