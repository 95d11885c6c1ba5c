/** Copies of databases as operators make them, and the commands to resolve them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { testDatabase } from '@nmg/process/testing'
import { copyIn, copyOut, type CopiedTable } from '@nmg/process/table-copy'
import { Client } from 'pg'
import { inject, onTestFinished } from 'vitest'
import { migrate } from '../../src/platform/database.ts'

/** Runs `work` with one connection. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** A logical dump of a gateway's database. */
export interface Dump {
  /** Restores the rows into the database after migrating it. */
  restoreInto(url: string): Promise<void>
  /** {@link restoreInto} a new database. @returns its URL. */
  restore(): Promise<string>
}

export async function dump(url: string): Promise<Dump> {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-dump-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const tables: CopiedTable[] = await withClient(url, (client) => copyOut(client, 'gateway', folder))
  const restoreInto = async (target: string) => {
    await migrate(target)
    await withClient(target, (client) => copyIn(client, 'gateway', folder, tables))
  }
  return {
    restoreInto,
    async restore() {
      const target = (await testDatabase()).url
      await restoreInto(target)
      return target
    },
  }
}

/** `CREATE DATABASE … TEMPLATE` by the superuser of the test server. The original must have no connections. */
export async function cloneByTemplate(url: string): Promise<string> {
  const original = new URL(url)
  const name = `${original.pathname.slice(1)}_clone`
  await withClient(inject('postgresUrl'), (client) =>
    client.query(`create database ${name} template ${original.pathname.slice(1)} owner ${original.username}`),
  )
  const clone = new URL(url)
  clone.pathname = name
  return clone.href
}

/** Runs `npm run database <command>` as a process. @returns its output. */
export async function databaseCommand(command: string, env: Record<string, string>): Promise<string> {
  const main = join(import.meta.dirname, '../../src/commands/database.ts')
  const child = spawn(process.execPath, [main, command], { env: { PATH: process.env['PATH'], ...env } })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (child.exitCode !== 0) throw new Error(errors)
  return output
}
