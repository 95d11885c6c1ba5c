import { join } from 'node:path'
import { Client, DatabaseError } from 'pg'
import { folderIdentity } from './embedded/folder-identity.ts'
import { openServer } from './embedded/server.ts'
import { StartupError } from './startup.ts'

export interface Database {
  /** A connection string for `pg`. It stays valid while the database is open, also when the server restarts. */
  url: string
  embedded: boolean
  /** Distinguishes the folder of the embedded database from copies of it; null for a server of DATABASE_URL. */
  folderIdentity: string | null
  /** Stops the embedded server if this process started it. Other processes that use it start it again. */
  close(): Promise<void>
}

/** The oldest supported version of PostgreSQL. */
const OLDEST_MAJOR = 14

const CONNECT_TIMEOUT_MS = 5_000

/**
 * Opens the database at `databaseUrl`, which must respond within 5 seconds, or else the embedded PostgreSQL in `dataDir`, where `database` is
 * created if it is missing.
 *
 * @throws {StartupError} with the host and port of a database that cannot be used, without its password.
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
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CONNECT_TIMEOUT_MS,
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
    throw new StartupError(connectionError(error, address, client), { cause: error })
  } finally {
    await client.end().catch(() => undefined)
  }
  if (version < OLDEST_MAJOR) {
    throw new StartupError(`The database at ${address} is PostgreSQL ${version}; ${OLDEST_MAJOR} or newer is needed.`)
  }
}

function connectionError(error: unknown, address: string, { user, database }: Client): string {
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

/** Each database belongs to a role of the same name that is not a superuser, which isolates the databases from each other. */
async function createDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const quoted = client.escapeIdentifier(name)
    await createIfMissing(client, 'select from pg_roles where rolname = $1', name, `create role ${quoted} login`)
    await createIfMissing(
      client,
      'select from pg_database where datname = $1',
      name,
      `create database ${quoted} owner ${quoted}`,
    )
  } finally {
    await client.end()
  }
}

async function createIfMissing(client: Client, query: string, name: string, statement: string): Promise<void> {
  const { rowCount } = await client.query(query, [name])
  if (rowCount) return
  try {
    await client.query(statement)
  } catch (error) {
    // Another process has created it at the same time.
    const code = error instanceof DatabaseError ? error.code : undefined
    if (code !== '42P04' && code !== '42710' && code !== '23505') throw error
  }
}
