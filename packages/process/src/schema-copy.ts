/** A schema of a database as files, and back. What is in it stays the caller's affair. */
import { mkdirSync } from 'node:fs'
import { Client } from 'pg'
import { copyIn, copyOut, type CopiedTable } from './table-copy.ts'

export interface CopiedSchema {
  readonly schema: string
  readonly serverVersion: string
  /** Names of the migrations that made the tables. */
  readonly migrations: readonly string[]
  readonly tables: readonly CopiedTable[]
}

/** Runs `work` on a connection of its own. */
async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function migrationsOf(client: Client, schema: string): Promise<string[] | undefined> {
  const table = `${client.escapeIdentifier(schema)}.migrations`
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [table])
  if (!rows[0]?.there) return undefined
  const found = await client.query<{ name: string }>(`select name from ${table} order by name`)
  return found.rows.map(({ name }) => name)
}

/** Writes the schema to `<folder>`, as of one moment. @returns undefined when the database does not have it. */
export function copySchemaOut(url: string, schema: string, folder: string): Promise<CopiedSchema | undefined> {
  return connected(url, async (client) => {
    const migrations = await migrationsOf(client, schema)
    if (migrations === undefined) return undefined
    mkdirSync(folder, { mode: 0o700 })
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    return {
      schema,
      serverVersion: rows[0]?.server_version ?? '',
      migrations,
      tables: await copyOut(client, schema, folder),
    }
  })
}

/**
 * Reads what {@link copySchemaOut} has written into a database whose tables are of the same migrations, and that holds nothing else.
 *
 * @param finish runs in the same transaction.
 * @throws {Error} that says what does not fit.
 */
export function copySchemaIn(
  url: string,
  { schema, migrations, tables }: CopiedSchema,
  folder: string,
  finish: (client: Client) => Promise<void> = async () => undefined,
): Promise<void> {
  return connected(url, async (client) => {
    const present = (await migrationsOf(client, schema)) ?? []
    if (present.join() !== [...migrations].toSorted().join()) {
      const unknown = migrations.filter((name) => !present.includes(name))
      throw new Error(
        `the tables of "${schema}" are of another release: it lacks ${unknown.join(', ') || 'none'} of the backup's migrations`,
      )
    }
    await copyIn(client, schema, folder, tables, () => finish(client))
  })
}

/** How many rows the table has. */
export function countRows(url: string, schema: string, table: string): Promise<number> {
  return connected(url, async (client) => {
    const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${name}`)
    return Number(rows[0]?.count)
  })
}
