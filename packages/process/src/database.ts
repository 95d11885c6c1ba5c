import { join } from 'node:path'
import { Client, DatabaseError } from 'pg'
import { folderIdentity } from './embedded/folder-identity.ts'
import { openServer } from './embedded/server.ts'
import { StartupError } from './startup.ts'

export interface Database {
  /** A connection string for `pg`. It stays valid while the database is open, whatever happens to the server behind it. */
  url: string
  embedded: boolean
  /** What tells the embedded database's folder from a copy of it; null for a server of DATABASE_URL. */
  folderIdentity: string | null
  /** Stops the embedded server if this process started it; another process that still uses it starts it again. */
  close(): Promise<void>
}

/** The oldest PostgreSQL that the product's SQL is written for. */
const OLDEST_MAJOR = 14

const CONNECT_DEADLINE_MS = 5_000

/**
 * The database that a process works on: the one at `databaseUrl`, which must answer within 5 seconds, else the embedded PostgreSQL in
 * `dataDir`, in which `database` is created when it is missing.
 *
 * @throws {StartupError} that names host and port of a database that does not answer, never its password.
 */
export async function openDatabase(options: {
  databaseUrl?: string | undefined
  dataDir: string
  database: string
}): Promise<Database> {
  if (options.databaseUrl) {
    await checkServer(options.databaseUrl)
    return { url: options.databaseUrl, embedded: false, folderIdentity: null, close: async () => undefined }
  }
  const server = await openServer(options.dataDir)
  try {
    await createDatabase(server.url('postgres', 'postgres'), options.database)
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    url: server.url(options.database, options.database),
    embedded: true,
    folderIdentity: folderIdentity(join(options.dataDir, 'postgres')),
    close: server.close,
  }
}

async function checkServer(url: string): Promise<void> {
  let client: Client
  try {
    client = new Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_DEADLINE_MS,
      query_timeout: CONNECT_DEADLINE_MS,
    })
  } catch {
    throw new StartupError(
      'DATABASE_URL is not a PostgreSQL connection string (postgresql://user:password@host:5432/database).',
    )
  }
  client.on('error', () => undefined)
  const address = `${client.host}:${client.port}`
  let version: number
  try {
    await client.connect()
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num')
    version = Math.floor(Number(rows[0]?.server_version_num) / 10_000)
  } catch (error) {
    throw new StartupError(refusal(error, address, client), { cause: error })
  } finally {
    await client.end().catch(() => undefined)
  }
  if (version < OLDEST_MAJOR) {
    throw new StartupError(`The database at ${address} is PostgreSQL ${version}; ${OLDEST_MAJOR} or newer is needed.`)
  }
}

function refusal(error: unknown, address: string, { user, database }: Client): string {
  if (error instanceof DatabaseError) {
    if (error.code?.startsWith('28'))
      return `The database at ${address} refused the login of user ${user}. Check DATABASE_URL.`
    if (error.code === '3D000')
      return `The server at ${address} has no database ${database}. Create it, or change DATABASE_URL.`
    return `The database at ${address} refused the connection (SQLSTATE ${error.code}). Check DATABASE_URL.`
  }
  const code = (error as NodeJS.ErrnoException).code
  return `The database at ${address} does not answer (${code ?? 'no connection within 5 seconds'}). Start it, or change DATABASE_URL.`
}

/** Each database belongs to a role of its own name that is no superuser, so what reaches one database stays in it. */
async function createDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const quoted = client.escapeIdentifier(name)
    await unlessThere(client, 'select from pg_roles where rolname = $1', name, `create role ${quoted} login`)
    await unlessThere(
      client,
      'select from pg_database where datname = $1',
      name,
      `create database ${quoted} owner ${quoted}`,
    )
  } finally {
    await client.end()
  }
}

async function unlessThere(client: Client, question: string, name: string, statement: string): Promise<void> {
  const { rowCount } = await client.query(question, [name])
  if (rowCount) return
  try {
    await client.query(statement)
  } catch (error) {
    // Another process asked for the same one at the same time.
    const code = error instanceof DatabaseError ? error.code : undefined
    if (code !== '42P04' && code !== '42710' && code !== '23505') throw error
  }
}
