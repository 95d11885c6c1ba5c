import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, DatabaseError, Pool, type ClientConfig } from 'pg'
import { Failure } from '../../failure.ts'
import type { Log } from '../../log.ts'

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

/** A pool whose failures are `store_unavailable`. Lost idle connections are logged; the next query opens another. */
export function openPool(url: string, log: Log, max = 10): Database {
  const pool = new Pool({ ...clientConfig(url), max })
  pool.on('error', (error) => log.warn('database.connection_lost', { error: error.message }))
  return {
    query: guarded((text, values) => pool.query(text, values as unknown[])),
    async transaction(work) {
      const client = await pool.connect().catch((cause: unknown) => {
        throw storeUnavailable(cause)
      })
      // A connection that breaks between two statements fails the next one; without a listener it would end the process.
      const ignore = () => undefined
      client.on('error', ignore)
      const sql: Sql = { query: guarded((text, values) => client.query(text, values as unknown[])) }
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
export async function openSession(url: string, onEnd: () => void): Promise<Sql & { client: Client; destroy(): void }> {
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
  })
  if (ended) throw storeUnavailable(undefined)
  isHandedOver = true
  return { client, query, destroy }
}

type Query = (text: string, values?: readonly unknown[]) => Promise<{ rows: unknown[]; rowCount: number | null }>

const guarded = (query: Query): Sql['query'] =>
  (async (text: string, values?: readonly unknown[]) => {
    try {
      return await query(text, values)
    } catch (cause) {
      throw isAnswer(cause) ? cause : storeUnavailable(cause)
    }
    // The row type is what the statement selects; each caller states it beside its SQL.
  }) as Sql['query']

/**
 * Whether the server itself refused the statement: a mistake of ours, not an outage. Classes 08, 53, 57 and 58 of SQLSTATE speak of the
 * connection, of resources, of a server that is shutting down; 40 and 55P03 of others that were in the way.
 */
const isAnswer = (error: unknown): boolean =>
  error instanceof DatabaseError && !/^(08|25006|40|53|55P03|57|58)/.test(error.code ?? '')

const storeUnavailable = (cause: unknown) =>
  new Failure('store_unavailable', "The gateway's database does not answer. Try again in a moment.", {
    cause,
    retryAfterSeconds: 2,
  })

/**
 * Applies the numbered `.sql` files that were not applied yet, in order, one replica at a time.
 *
 * @param only the files to consider; all of them when left out.
 */
export async function migrate(url: string, only?: readonly string[]): Promise<void> {
  const folder = join(import.meta.dirname, 'migrations')
  const files = (await readdir(folder))
    .filter((name) => name.endsWith('.sql') && (only === undefined || only.includes(name)))
    .toSorted()
  const client = new Client({ ...clientConfig(url), query_timeout: 60_000 })
  await client.connect()
  try {
    await client.query(`select pg_advisory_lock(hashtextextended('gateway.migrations', 0))`)
    await client.query(`create schema if not exists gateway;
      create table if not exists gateway.migrations (name text primary key, applied_at timestamptz not null default now())`)
    const { rows } = await client.query<{ name: string }>('select name from gateway.migrations')
    const applied = new Set(rows.map((row) => row.name))
    for (const name of files.filter((file) => !applied.has(file))) {
      const sql = await readFile(join(folder, name), 'utf8')
      await client.query(`begin;\n${sql}\n;insert into gateway.migrations (name) values ('${name}'); commit`)
    }
  } finally {
    await client.end()
  }
}
