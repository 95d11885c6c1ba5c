/** Copies a schema of a database to files and back. */
import { mkdirSync } from 'node:fs'
import { Client } from 'pg'
import { copyIn, copyOut, type CopiedTable } from './table-copy.ts'

export interface CopiedSchema {
  readonly schema: string
  readonly serverVersion: string
  /** Names of the migrations that created the tables. */
  readonly migrations: readonly string[]
  readonly tables: readonly CopiedTable[]
}

/** Runs `work` on a new connection. */
async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
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
  const { rows } = await client.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [table])
  if (!rows[0]?.exists) return undefined
  const found = await client.query<{ name: string }>(`select name from ${table} order by name`)
  return found.rows.map(({ name }) => name)
}

/** Writes the schema to `<folder>`, from one snapshot. @returns undefined when the database does not have the schema. */
export function copySchemaOut(url: string, schema: string, folder: string): Promise<CopiedSchema | undefined> {
  return withClient(url, async (client) => {
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
 * Reads a copy of {@link copySchemaOut} into a database with the same migrations and without other data.
 *
 * @param finish runs in the same transaction.
 * @throws {Error} that names the mismatch.
 */
export function copySchemaIn(
  url: string,
  { schema, migrations, tables }: CopiedSchema,
  folder: string,
  finish: (client: Client) => Promise<void> = async () => undefined,
): Promise<void> {
  return withClient(url, async (client) => {
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

/** Counts the rows of a table. */
export function countRows(url: string, schema: string, table: string): Promise<number> {
  return withClient(url, async (client) => {
    const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${name}`)
    return Number(rows[0]?.count)
  })
}
