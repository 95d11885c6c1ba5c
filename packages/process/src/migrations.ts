import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientBase } from 'pg'
import { StartupError } from './startup.ts'
import { DATABASE_RELEASE } from './version.ts'

export interface MigrationSettings {
  /** Holds the numbered `.sql` files. Each begins with `-- Oldest release that can run on it: <number>`, see {@link DATABASE_RELEASE}. */
  readonly folder: string
  /** The schema, which is created when it is missing. Applied migrations are recorded in its table `migrations`. */
  readonly schema: string
  /** The name of the app in error messages, e.g. `gateway`. */
  readonly appName: string
  /** The release that migrates. Default: {@link DATABASE_RELEASE}. */
  readonly release?: number | undefined
  /** The names of the files to consider. Default: all. */
  readonly only?: readonly string[] | undefined
  /** Tables of the schema that a library creates and migrates itself. */
  readonly library?: LibraryTables
  /** The message for the operator about an error of the database. Default, and for undefined: the error itself is thrown. */
  readonly operatorMessage?: (error: unknown) => string | undefined
}

export interface LibraryTables {
  /** Migrates the tables, before the files are applied. */
  readonly migrate: () => Promise<void>
  /** Recorded like files: the versions of the tables, each with the oldest release that can run on it. */
  readonly versions: readonly { readonly name: string; readonly oldestRelease: number }[]
}

interface Migration {
  readonly name: string
  readonly oldestRelease: number
}

const FIRST_LINE = /^-- Oldest release that can run on it: (\d+)\n/

/**
 * Applies the files that have not been applied to the database, in the order of their names, each in a transaction of its own. An advisory lock
 * makes processes that start at the same time take turns.
 *
 * @throws {StartupError} when a newer release has changed the database so that this release cannot run on it; nothing is changed then. Also for
 * errors that have an `operatorMessage`.
 */
export async function applyMigrations(client: ClientBase, settings: MigrationSettings): Promise<void> {
  const lock = [`${settings.schema}.migrations`]
  try {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', lock)
    try {
      await migrate(client, settings)
    } finally {
      // Fails when the connection is lost, which releases the lock.
      await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => undefined)
    }
  } catch (error) {
    const message = settings.operatorMessage?.(error)
    throw message === undefined ? error : new StartupError(message, { cause: error })
  }
}

async function migrate(client: ClientBase, settings: MigrationSettings): Promise<void> {
  const { folder, schema, library, only } = settings
  const table = `${client.escapeIdentifier(schema)}.migrations`
  const record = `insert into ${table} (name, oldest_release) values`
  refuseIfOlder(settings, await appliedMigrations(client, schema))
  await createTable(client, schema)
  await library?.migrate()
  for (const { name, oldestRelease } of library?.versions ?? []) {
    await client.query(`${record} ($1, $2) on conflict (name) do nothing`, [name, oldestRelease])
  }
  const applied = new Set((await appliedMigrations(client, schema)).map(({ name }) => name))
  for (const name of await sqlFiles(folder)) {
    if (applied.has(name) || (only && !only.includes(name))) continue
    const sql = await readFile(join(folder, name), 'utf8')
    const [, oldest] = FIRST_LINE.exec(sql) ?? []
    if (oldest === undefined) throw new Error(`${name} does not name the oldest release that can run on it.`)
    const values = `(${client.escapeLiteral(name)}, ${oldest})`
    await inTransaction(client, `${sql}\n;${record} ${values}`)
  }
}

async function sqlFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
}

/** Runs several statements, which cannot have parameters, in one round trip. */
async function inTransaction(client: ClientBase, statements: string): Promise<void> {
  try {
    await client.query(`begin;\n${statements}; commit`)
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/** Oldest first. The column `oldest_release` is younger than the table. */
async function appliedMigrations(client: ClientBase, schema: string): Promise<Migration[]> {
  const columns = await client.query<{ name: string }>(
    `select column_name as name from information_schema.columns where table_schema = $1 and table_name = 'migrations'`,
    [schema],
  )
  if (columns.rows.length === 0) return []
  const oldestRelease = columns.rows.some(({ name }) => name === 'oldest_release') ? 'oldest_release' : '1'
  const { rows } = await client.query<Migration>(
    `select name, ${oldestRelease} as "oldestRelease" from ${client.escapeIdentifier(schema)}.migrations order by name`,
  )
  return rows
}

/** Creates the schema only when it is missing: `if not exists` alone needs the privilege to create schemas even where it exists. */
async function createTable(client: ClientBase, schema: string): Promise<void> {
  const quoted = client.escapeIdentifier(schema)
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema])
  if (rowCount === 0) await client.query(`create schema if not exists ${quoted}`)
  await client.query(
    `create table if not exists ${quoted}.migrations (name text primary key, applied_at timestamptz not null default now());
     alter table ${quoted}.migrations add column if not exists oldest_release integer not null default 1`,
  )
}

function refuseIfOlder(
  { appName, release = DATABASE_RELEASE }: MigrationSettings,
  applied: readonly Migration[],
): void {
  const tooNew = applied.filter(({ oldestRelease }) => oldestRelease > release)
  if (tooNew.length === 0) return
  const names = tooNew.map(({ name }) => name).join(', ')
  const needed = Math.max(...tooNew.map(({ oldestRelease }) => oldestRelease))
  throw new StartupError(
    `A newer release of the ${appName} has changed its database (${names}): it needs database release ${needed}, and this ${appName} has ${release}. ` +
      'Start the newer release, or restore a backup from before the update.',
  )
}
