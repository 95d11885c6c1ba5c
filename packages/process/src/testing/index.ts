import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { freePort } from './ports.ts'
import { chromiumProgram } from './programs.ts'
import { redisCommand } from './redis-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's connection string for the run's PostgreSQL. */
    postgresUrl: string
    /** The run's Redis, without a database number; undefined where there is none. */
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

/** An empty database that only this caller knows. */
export interface TestDatabase {
  url: string
  /** Removes it, whoever is still connected. The run's end does so as well. */
  drop(): Promise<void>
}

/** Makes a fresh database on the run's PostgreSQL (some 30 ms). Its user owns it and is no superuser. */
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

/** Whether this run has a Redis: `describe.skipIf(!hasRedis())('...')`. */
export function hasRedis(): boolean {
  return inject('redisUrl') !== undefined
}

/** The URL of an empty database on the run's Redis that only this caller knows. */
export async function testRedisUrl(): Promise<string> {
  const server = inject('redisUrl')
  if (server === undefined) throw new Error('This run has no Redis; skip such tests with hasRedis().')
  // ":7", from 1 on, so that the counter's own database is nobody's.
  const number = (await redisCommand(server, 'INCR nmg:last-test-database')).slice(1)
  return `${server}/${number}`
}

/** The browser for tests, for playwright-core's `executablePath`; undefined where there is none. */
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
