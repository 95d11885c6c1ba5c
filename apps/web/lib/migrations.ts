import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { SCHEMA } from './database.ts'

const FOLDER = join(import.meta.dirname, '..', 'migrations')

/**
 * Applies the numbered `.sql` files that were not applied yet, in order. The caller keeps other processes away meanwhile.
 *
 * @param only the files to consider; all of them when left out.
 */
export async function applyMigrations(pool: Pool, only?: readonly string[]): Promise<void> {
  const files = (await readdir(FOLDER))
    .filter((name) => name.endsWith('.sql') && (only === undefined || only.includes(name)))
    .toSorted()
  const client = await pool.connect()
  try {
    await client.query(
      `create table if not exists ${SCHEMA}.migrations (name text primary key, applied_at timestamptz not null default now())`,
    )
    const { rows } = await client.query<{ name: string }>(`select name from ${SCHEMA}.migrations`)
    const applied = new Set(rows.map((row) => row.name))
    for (const name of files.filter((file) => !applied.has(file))) {
      const sql = await readFile(join(FOLDER, name), 'utf8')
      // Without parameters these are one transaction: a file is applied whole, or not at all.
      await client.query(`begin;\n${sql}\n;insert into ${SCHEMA}.migrations (name) values ('${name}'); commit`)
    }
  } catch (error) {
    // A connection with a failed transaction must not go back to the others.
    client.release(true)
    throw error
  }
  client.release()
}
