import { join } from 'node:path'
import { applyMigrations } from '@nmg/process'
import { Client, DatabaseError, Pool, type ClientConfig } from 'pg'
import { Failure } from './failure.ts'
import { describeError, type Log } from './log.ts'
import { type DatabaseTrouble, TroubleLog, troubleOf } from './database-trouble.ts'

/** What the adapters need of a database: `pg.Pool` and `pg.Client` satisfy it as they are. */
export interface Sql {
  query<Row extends object>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>
}

export interface Database extends Sql {
  /** Carries out `work` in one transaction; rolls it back when `work` rejects. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  end(): Promise<void>
}

/** Milliseconds after which a statement, or the wait for a free connection, counts as failed: nothing here takes long. */
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
  /** What the operator has to mend, as far as the statements up to now showed. */
  trouble(): DatabaseTrouble | undefined
  /** Where sessions beside the pool report what they meet. */
  readonly troubles: TroubleLog
}

/** A pool whose failures are `store_unavailable`. Lost idle connections are logged; the next query opens another. */
export function openPool(url: string, log: Log, max = 10): Pooled {
  const pool = new Pool({ ...clientConfig(url), max })
  const troubles = new TroubleLog(log)
  pool.on('error', (error) => log.warn('database.connection_lost', describeError(error)))
  return {
    query: guarded((text, values) => pool.query(text, values as unknown[]), troubles),
    trouble: () => troubles.current,
    troubles,
    async transaction(work) {
      const client = await pool.connect().catch((cause: unknown) => {
        throw storeUnavailable(cause)
      })
      // A connection that breaks between two statements fails the next one; without a listener it would end the process.
      const ignore = () => undefined
      client.on('error', ignore)
      const sql: Sql = { query: guarded((text, values) => client.query(text, values as unknown[]), troubles) }
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
        // Closing the session rolls back, whatever state it is in.
        client.off('error', ignore)
        client.release(failure !== undefined)
      }
    },
    end: () => pool.end(),
  }
}

/**
 * A session of its own, outside of the pool: for advisory locks and LISTEN, which live as long as their session. The server lets go of a
 * session whose client is unreachable after about half a minute.
 */
export async function openSession(
  url: string,
  onEnd: () => void,
  troubles?: TroubleLog,
): Promise<Sql & { client: Client; destroy(): void }> {
  const client = new Client(clientConfig(url))
  let ended = false
  // Who waits for the session is told by the rejection; only who has it in hand, by `onEnd`.
  let isHandedOver = false
  const end = () => {
    if (ended) return
    ended = true
    if (isHandedOver) onEnd()
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
  // One statement at a time: a client takes the next one when it is through with the last.
  let last: Promise<unknown> = Promise.resolve()
  const query = guarded((text, values) => {
    const answer = last.then(() => client.query(text, values as unknown[]))
    last = answer.catch(() => undefined)
    return answer
  }, troubles)
  if (ended) throw storeUnavailable(undefined)
  isHandedOver = true
  return { client, query, destroy }
}

type Query = (text: string, values?: readonly unknown[]) => Promise<{ rows: unknown[]; rowCount: number | null }>

const guarded = (query: Query, troubles?: TroubleLog): Sql['query'] =>
  (async (text: string, values?: readonly unknown[]) => {
    try {
      const result = await query(text, values)
      troubles?.succeeded(text, result.rowCount)
      return result
    } catch (cause) {
      const sqlstate = sqlstateOf(cause)
      const trouble = troubleOf(sqlstate)
      if (trouble && sqlstate !== undefined) troubles?.failed(text, trouble, sqlstate)
      throw isAnswer(cause) ? cause : storeUnavailable(cause)
    }
    // The row type is what the statement selects; each caller states it beside its SQL.
  }) as Sql['query']

/**
 * Whether the server itself refused the statement: a mistake of ours, not an outage. Classes 08, 53, 57 and 58 of SQLSTATE speak of the
 * connection, of resources, of a server that is shutting down; 40 and 55P03 of others that were in the way; and others are the operator's.
 */
const isAnswer = (error: unknown): boolean =>
  error instanceof DatabaseError && !/^(08|40|53|55P03|57|58)/.test(error.code ?? '') && !troubleOf(error.code)

const sqlstateOf = (error: unknown): string | undefined => (error instanceof DatabaseError ? error.code : undefined)

const storeUnavailable = (cause: unknown) =>
  new Failure(
    'store_unavailable',
    troubleOf(sqlstateOf(cause))?.message ?? "The gateway's database does not answer. Try again in a moment.",
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
      operatorMessage: (error) => troubleOf(sqlstateOf(error))?.message,
    })
  } finally {
    await client.end()
  }
}
