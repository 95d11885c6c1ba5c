import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { freePort } from './ports.ts'
import { chromiumProgram } from './programs.ts'
import { redisCommand } from './redis-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The connection string of a superuser for the PostgreSQL of this run. */
    postgresUrl: string
    /** The Redis of this run, without a database number; undefined if Redis is not installed. */
    redisUrl: string | undefined
  }
}

export { plainForm, requestForms, type FormTarget, type RequestForm } from './request-forms.ts'
export { sendRaw, type RawRequest, type RawResponse } from './raw-http.ts'
export { certificateFor } from './certificate.ts'
export { connectProxy, type ConnectProxy } from './connect-proxy.ts'
export { startRedis } from './redis-server.ts'
export { victim, type Victim } from './victim.ts'
export { freePort }

/** An empty database of its own for each caller. */
export interface TestDatabase {
  url: string
  /** Removes the database and closes its connections. The end of the run removes it too. */
  drop(): Promise<void>
}

/** Creates a database on the PostgreSQL of this run (about 30 ms). Its user owns it and is not a superuser. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer(server, [`create role ${name} login password '${name}'`, `create database ${name} owner ${name}`])
  const url = new URL(server)
  url.username = name
  url.password = name
  url.pathname = name
  return {
    url: url.href,
    drop: () => onServer(server, [`drop database if exists ${name} with (force)`, `drop role if exists ${name}`]),
  }
}

/** True if this run has a Redis: `describe.skipIf(!hasRedis())('...')`. */
export function hasRedis(): boolean {
  return inject('redisUrl') !== undefined
}

/** The URL of an empty Redis database of its own for each caller. */
export async function testRedisUrl(): Promise<string> {
  const server = inject('redisUrl')
  if (server === undefined) throw new Error('This run has no Redis; skip such tests with hasRedis().')
  // The reply is ":7". Numbers start at 1, so that nobody gets database 0, which holds the counter.
  const number = (await redisCommand(server, 'INCR nmg:last-test-database')).slice(1)
  return `${server}/${number}`
}

/** The browser for tests, for playwright-core's `executablePath`; undefined if none is installed. */
export function chromiumPath(): string | undefined {
  return chromiumProgram()
}

async function onServer(url: string, statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
