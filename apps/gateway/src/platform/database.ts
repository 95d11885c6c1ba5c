import { join } from 'node:path'
import { applyMigrations } from '@nmg/process'
import { Client, DatabaseError, Pool, type ClientConfig } from 'pg'
import { Failure } from './failure.ts'
import { describeError, type Log } from './log.ts'
import { type DatabaseFault, DatabaseFaultTracker, databaseFaultOf } from './database-fault.ts'

/** The part of a database client that stores use; `pg.Pool` and `pg.Client` satisfy it. */
export interface Sql {
  query<Row extends object>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>
}

export interface Database extends Sql {
  /** Runs `work` in one transaction; rolls back when `work` rejects. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  end(): Promise<void>
}

/** Time-out of a statement and of the wait for a free connection, in milliseconds. All statements are short. */
const STATEMENT_TIMEOUT_MS = 5_000

const clientConfig = (url: string): ClientConfig => ({
  connectionString: url,
  application_name: 'notion-mcp-gateway',
  connectionTimeoutMillis: STATEMENT_TIMEOUT_MS,
  query_timeout: STATEMENT_TIMEOUT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 5_000,
})

export interface Pooled extends Database {
  /** The current fault that the operator has to fix, as observed by the statements so far. */
  fault(): DatabaseFault | undefined
  /** For sessions outside of the pool, which report their errors here too. */
  readonly faults: DatabaseFaultTracker
}

/** A pool that reports outages as {Failure} `store_unavailable`. Lost idle connections are logged; the next query opens another one. */
export function openPool(url: string, log: Log, max = 10): Pooled {
  const pool = new Pool({ ...clientConfig(url), max })
  const faults = new DatabaseFaultTracker(log)
  pool.on('error', (error) => log.warn('database.connection_lost', describeError(error)))
  return {
    query: guarded((text, values) => pool.query(text, values as unknown[]), faults),
    fault: () => faults.current,
    faults,
    async transaction(work) {
      const client = await pool.connect().catch((cause: unknown) => {
        throw storeUnavailable(cause)
      })
      // A connection that breaks between two statements makes the next one fail; without a listener it would crash the process.
      const ignore = () => undefined
      client.on('error', ignore)
      const sql: Sql = { query: guarded((text, values) => client.query(text, values as unknown[]), faults) }
      let failure: unknown
      try {
        await sql.query('begin')
        const done = await work(sql)
        await sql.query('commit')
        return done
      } catch (error) {
        failure = error
        throw error
      } finally {
        // After a failure, close the session: that rolls back in any state.
        client.off('error', ignore)
        client.release(failure !== undefined)
      }
    },
    end: () => pool.end(),
  }
}

/**
 * Opens a dedicated session outside of the pool, for advisory locks and LISTEN, which last as long as their session. The server drops the
 * session of an unreachable client after about half a minute.
 *
 * @param onEnd is called once when an opened session ends. A session that fails to open rejects instead.
 */
export async function openSession(
  url: string,
  onEnd: () => void,
  faults?: DatabaseFaultTracker,
): Promise<Sql & { client: Client; destroy(): void }> {
  const client = new Client(clientConfig(url))
  let ended = false
  let isOpen = false
  const end = () => {
    if (ended) return
    ended = true
    if (isOpen) onEnd()
  }
  client.on('error', end)
  client.on('end', end)
  try {
    await client.connect()
    await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3')
  } catch (cause) {
    void client.end().catch(() => undefined)
    throw storeUnavailable(cause)
  }
  const destroy = () => {
    end()
    void client.end().catch(() => undefined)
  }
  // One statement at a time: pg deprecates queueing queries on a client.
  let last: Promise<unknown> = Promise.resolve()
  const query = guarded((text, values) => {
    const result = last.then(() => client.query(text, values as unknown[]))
    last = result.catch(() => undefined)
    return result
  }, faults)
  if (ended) throw storeUnavailable(undefined)
  isOpen = true
  return { client, query, destroy }
}

type Query = (text: string, values?: readonly unknown[]) => Promise<{ rows: unknown[]; rowCount: number | null }>

const guarded = (query: Query, faults?: DatabaseFaultTracker): Sql['query'] =>
  (async (text: string, values?: readonly unknown[]) => {
    try {
      const result = await query(text, values)
      faults?.succeeded(text, result.rowCount)
      return result
    } catch (cause) {
      const sqlstate = sqlstateOf(cause)
      const fault = databaseFaultOf(sqlstate)
      if (fault && sqlstate !== undefined) faults?.failed(text, fault, sqlstate)
      throw isStatementError(cause) ? cause : storeUnavailable(cause)
    }
    // Each caller states the row type beside its SQL.
  }) as Sql['query']

/**
 * True if the statement itself is wrong, which is a bug and not an outage. SQLSTATE classes 08, 53, 57 and 58 report the connection,
 * resources or a server shutting down; 40 and 55P03 report conflicts with other transactions; and some others report a fault of the database.
 */
const isStatementError = (error: unknown): boolean =>
  error instanceof DatabaseError && !/^(08|40|53|55P03|57|58)/.test(error.code ?? '') && !databaseFaultOf(error.code)

const sqlstateOf = (error: unknown): string | undefined => (error instanceof DatabaseError ? error.code : undefined)

const storeUnavailable = (cause: unknown) =>
  new Failure(
    'store_unavailable',
    databaseFaultOf(sqlstateOf(cause))?.message ?? "The gateway's database is not responding. Try again in a moment.",
    { cause, retryAfterSeconds: 2 },
  )

export interface MigrateOptions {
  /** The release that migrates. Default: the release of this code; tests pass others. */
  readonly release?: number
  /** The files to apply. Default: all. */
  readonly only?: readonly string[] | undefined
}

/**
 * Applies the migrations of the gateway's schema, one replica at a time.
 *
 * @throws {StartupError} when this release is too old for the database, and for faults of the database that its operator has to fix.
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<void> {
  const client = new Client({ ...clientConfig(url), query_timeout: 60_000 })
  await client.connect()
  try {
    await applyMigrations(client, {
      ...options,
      folder: join(import.meta.dirname, 'migrations'),
      schema: 'gateway',
      appName: 'gateway',
      operatorMessage: (error) => databaseFaultOf(sqlstateOf(error))?.message,
    })
  } finally {
    await client.end()
  }
}
