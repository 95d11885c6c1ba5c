import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '@nmg/process'
import type { Pool, PoolClient } from 'pg'
import { SCHEMA } from './database.ts'
import { RELEASE } from './release.ts'

const FOLDER = join(import.meta.dirname, '..', 'migrations')

/**
 * What better-auth's own tables are, which it brings up to date by itself. A release that changes them in a way that an older release cannot run
 * on adds a line here.
 */
const ACCOUNT_TABLES = [{ name: 'accounts of better-auth 1.7', oldestRelease: 1 }] as const

/** The first line of each migration, with a number as {@link RELEASE} is one. */
const OLDEST_RELEASE = /^-- Oldest release that can run on it: (\d+)\n/

/**
 * Brings the tables up to date: better-auth's by `migrateAccounts`, then ours, which refer to them: the numbered `.sql` files that were not
 * applied yet, in order. The caller keeps other processes away meanwhile.
 *
 * @throws {StartupError} when the tables need a newer release than this one; then nothing was changed.
 */
export async function applyMigrations(
  pool: Pool,
  migrateAccounts: () => Promise<void>,
  release = RELEASE,
): Promise<void> {
  await withClient(pool, (client) => refuseIfOlder(client, release))
  await migrateAccounts()
  await withClient(pool, applyOwn)
}

async function refuseIfOlder(client: PoolClient, release: number): Promise<void> {
  const { rowCount } = await client.query(
    `select from information_schema.columns
     where table_schema = $1 and table_name = 'migrations' and column_name = 'oldest_release'`,
    [SCHEMA],
  )
  if (rowCount === 0) return
  const { rows } = await client.query<{ name: string; oldest: number }>(
    `select name, oldest_release as oldest from ${SCHEMA}.migrations order by applied_at, name`,
  )
  const tooNew = rows.filter(({ oldest }) => oldest > release)
  if (tooNew.length === 0) return
  const needed = Math.max(...tooNew.map(({ oldest }) => oldest))
  throw new StartupError(
    `A newer release of the web app has changed its database (${tooNew.map(({ name }) => name).join(', ')}): it needs database release ${needed}, and this web app has ${release}. Start the newer release, or restore a backup from before the update.`,
  )
}

async function applyOwn(client: PoolClient): Promise<void> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).toSorted()
  await client.query(
    `create table if not exists ${SCHEMA}.migrations (name text primary key, applied_at timestamptz not null default now());
     alter table ${SCHEMA}.migrations add column if not exists oldest_release integer not null default 1`,
  )
  const record = `insert into ${SCHEMA}.migrations (name, oldest_release) values`
  for (const { name, oldestRelease } of ACCOUNT_TABLES) {
    await client.query(`${record} ($1, $2) on conflict (name) do nothing`, [name, oldestRelease])
  }
  const { rows } = await client.query<{ name: string }>(`select name from ${SCHEMA}.migrations`)
  const applied = new Set(rows.map((row) => row.name))
  for (const name of files.filter((file) => !applied.has(file))) {
    const sql = await readFile(join(FOLDER, name), 'utf8')
    const [, oldest] = OLDEST_RELEASE.exec(sql) ?? []
    if (oldest === undefined) throw new Error(`${name} does not say which release is the oldest that can run on it.`)
    // Without parameters these are one transaction: a file is applied whole, or not at all.
    await client.query(`begin;\n${sql}\n;${record} ('${name}', ${oldest}); commit`)
  }
}

async function withClient(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await work(client)
  } catch (error) {
    // A connection with a failed transaction must not go back to the others.
    client.release(true)
    throw error
  }
  client.release()
}
