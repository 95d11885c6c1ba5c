import { PostgresDialect } from 'kysely'
import { Pool, type PoolClient } from 'pg'
import { causeOf, log } from './log.ts'

/** All tables of the web app live here, so that it can share a database with the gateway. */
export const SCHEMA = 'web'

const CONNECT_DEADLINE_MS = 5_000

/** Any number that no other program on this database takes as an advisory lock. */
const MIGRATION_LOCK = 6_274_519_385

/** @param size connections at most. */
export function openPool(url: string, size = 10): Pool {
  const pool = new Pool({ connectionString: url, max: size, connectionTimeoutMillis: CONNECT_DEADLINE_MS })
  // The pool listens to idle connections only; one that is lost between two queries of its holder would end the process. The next query fails.
  pool.on('connect', (client) => client.on('error', () => undefined))
  // A server that goes away under idle connections must not take the process with it; the next query connects again.
  pool.on('error', (error) => log.warn('database.connection_lost', causeOf(error)))
  return pool
}

/** How better-auth reaches the tables. */
export const betterAuthDatabase = (pool: Pool) =>
  ({ dialect: new PostgresDialect({ pool }), type: 'postgres', schemaName: SCHEMA, transaction: true }) as const

/** Commits what `work` does, or rolls it back when it throws. */
export async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let isBroken = false
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {
      isBroken = true
    })
    throw error
  } finally {
    client.release(isBroken)
  }
}

/** Runs `work` while no other process does the same on this database. */
export async function exclusively<T>(pool: Pool, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    try {
      return await work()
    } finally {
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK])
    }
  } finally {
    client.release()
  }
}
