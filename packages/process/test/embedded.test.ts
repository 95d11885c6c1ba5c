import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@nmg/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../src/file-lock.mjs'
import { eventually, openElsewhere, query, temporaryFolder } from './fixtures.ts'

const template = mkdtempSync(join(tmpdir(), 'nmg-template-'))
beforeAll(async () => (await openDatabase({ dataDir: template, database: 'gateway' })).close())
afterAll(() => rmSync(template, { recursive: true }))

/** A data directory with a database: copying a cluster is faster than creating it. */
function usedDataDir(): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'postgres'), { mode: 0o700 })
  cpSync(join(template, 'postgres'), join(folder, 'postgres'), { recursive: true })
  return folder
}

const postmasterOf = (dataDir: string) =>
  Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
const isRunning = (dataDir: string) => {
  try {
    return isAlive(postmasterOf(dataDir))
  } catch {
    return false
  }
}
const ONE = [{ one: 1 }]
const SELECT_ONE = 'select 1 as one'

describe('the embedded database', () => {
  it('keeps its data over a restart', async () => {
    const dataDir = temporaryFolder()
    const first = await openDatabase({ dataDir, database: 'gateway' })
    expect(first.embedded).toBe(true)
    await query(first.url, "create table notes as select 'kept' as text")
    await first.close()
    expect(isRunning(dataDir)).toBe(false)

    const second = await openDatabase({ dataDir, database: 'gateway' })
    expect(await query(second.url, 'select text from notes')).toEqual([{ text: 'kept' }])
    expect(second.url).toBe(first.url)
    await second.close()
  })

  it('has a valid URL and no TCP port', async () => {
    const database = await openDatabase({ dataDir: usedDataDir(), database: 'gateway' })
    expect(new URL(database.url).pathname).toBe('/gateway')
    expect(await query(database.url, 'show listen_addresses')).toEqual([{ listen_addresses: '' }])
    await database.close()
  })

  it('flushes commits to disk', async () => {
    const database = await openDatabase({ dataDir: usedDataDir(), database: 'gateway' })
    expect(await query(database.url, 'show fsync')).toEqual([{ fsync: 'on' }])
    expect(await query(database.url, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'on' }])
    await database.close()
  })

  it('gives each database a user of its own without other privileges', async () => {
    const dataDir = usedDataDir()
    const gateway = await openDatabase({ dataDir, database: 'gateway' })
    const web = await openDatabase({ dataDir, database: 'web' })
    expect(await query(web.url, 'select current_user as me, current_database() as here')).toEqual([
      { me: 'web', here: 'web' },
    ])
    expect(await query(gateway.url, 'select rolsuper from pg_roles where rolname = current_user')).toEqual([
      { rolsuper: false },
    ])
    await expect(query(gateway.url, "copy (select 1) to program 'true'")).rejects.toThrow('permission denied')
    await web.close()
    await gateway.close()
  })

  it('is accessible to its owner only', async () => {
    const dataDir = usedDataDir()
    const database = await openDatabase({ dataDir, database: 'gateway' })
    const socketFolder = new URL(database.url).searchParams.get('host') ?? ''
    for (const folder of [join(dataDir, 'postgres'), socketFolder]) expect(statSync(folder).mode & 0o077).toBe(0)
    await database.close()
  })

  it('logs neither statements nor values', async () => {
    const dataDir = usedDataDir()
    const database = await openDatabase({ dataDir, database: 'gateway' })
    await query(database.url, 'create table tokens (token text primary key)')
    await query(database.url, "insert into tokens values ('tok-5ecret')")
    await expect(query(database.url, "insert into tokens values ('tok-5ecret')")).rejects.toThrow('duplicate key')
    await expect(query(database.url, "select 'tok-5ecret'::int")).rejects.toThrow('invalid input')
    await database.close()
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('tok-5ecret')
  })

  it('uses another socket folder when the path of the data directory is too long', async () => {
    const dataDir = join(temporaryFolder(), 'long'.repeat(25))
    mkdirSync(dataDir)
    const database = await openDatabase({ dataDir, database: 'gateway' })
    const socketFolder = new URL(database.url).searchParams.get('host') ?? ''
    expect(socketFolder).not.toContain(dataDir)
    expect(statSync(socketFolder).mode & 0o777).toBe(0o700)
    expect(await query(database.url, SELECT_ONE)).toEqual(ONE)

    await database.close()
    rmSync(socketFolder, { recursive: true })
    mkdirSync(socketFolder, { mode: 0o755 })
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow('can be used by others')
    rmSync(socketFolder, { recursive: true })
  })

  it('is created again after an interrupted creation', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'postgres.new-1/base'), { recursive: true })
    writeFileSync(join(dataDir, 'postgres.new-1/PG_VERSION'), '18\n')
    const database = await openDatabase({ dataDir, database: 'gateway' })
    expect(await query(database.url, SELECT_ONE)).toEqual(ONE)
    await database.close()
  })

  it('starts although another program has the process id of a dead server', async () => {
    const dataDir = usedDataDir()
    const lock = `${process.pid}\n${dataDir}/postgres\n1700000000\n5432\n\n\n\nready\n`
    writeFileSync(join(dataDir, 'postgres/postmaster.pid'), lock)
    mkdirSync(join(dataDir, 'postgres-socket'), { mode: 0o700 })
    writeFileSync(join(dataDir, 'postgres-socket/.s.PGSQL.5432.lock'), lock)
    const database = await openDatabase({ dataDir, database: 'gateway' })
    expect(await query(database.url, SELECT_ONE)).toEqual(ONE)
    await database.close()
  })

  it('rejects files of another version of PostgreSQL', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'postgres'), { mode: 0o700 })
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '12\n')
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow(
      /was created by PostgreSQL 12, and this release contains PostgreSQL 18\./,
    )
  })

  it('keeps running when its log cannot be rotated', async () => {
    const dataDir = usedDataDir()
    mkdirSync(join(dataDir, 'postgres.log.1'))
    const database = await openDatabase({ dataDir, database: 'gateway' })
    appendFileSync(join(dataDir, 'postgres.log'), Buffer.alloc(6 * 1024 * 1024, 'x'))
    process.kill(postmasterOf(dataDir), 'SIGKILL')
    expect(await eventually(() => query(database.url, SELECT_ONE))).toEqual(ONE)
    await database.close()
  })

  it('rejects files in use by a server in another container', async () => {
    const dataDir = usedDataDir()
    const database = await openDatabase({ dataDir, database: 'gateway' })
    const pidFile = join(dataDir, 'postgres/postmaster.pid')
    const [, ...others] = readFileSync(pidFile, 'utf8').split('\n')
    const real = readFileSync(pidFile)
    // As seen from another container, where no process has this id.
    writeFileSync(pidFile, ['4194303', ...others].join('\n'))
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow(/in use from another container/)
    writeFileSync(pidFile, real)
    expect(await query(database.url, SELECT_ONE)).toEqual(ONE)
    await database.close()
  })

  it('reports why it cannot start', async () => {
    const dataDir = usedDataDir()
    rmSync(join(dataDir, 'postgres/global/pg_control'))
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow(/did not start: .*pg_control/)
  })
})

describe('several processes on one data directory', () => {
  it('can start for the first time simultaneously, and share one server', async () => {
    const dataDir = temporaryFolder()
    const users = await Promise.all(
      ['gateway', 'gateway', 'web', 'web', 'gateway'].map((name) => openElsewhere(dataDir, name)),
    )
    const servers = await Promise.all(
      users.map(({ url }) => query(url, 'select pg_postmaster_start_time()::text as server')),
    )
    expect(new Set(servers.flat().map(({ server }) => server)).size).toBe(1)
    await Promise.all(users.map(({ close }) => close()))
    await eventually(() => !isRunning(dataDir))
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'continue when the one that started the server ends by %s',
    async (signal) => {
      const dataDir = usedDataDir()
      const starter = await openElsewhere(dataDir)
      const other = await openElsewhere(dataDir)
      await query(other.url, "create table notes as select 'kept' as text")
      const before = postmasterOf(dataDir)

      starter.kill(signal)

      await eventually(() => isRunning(dataDir) && postmasterOf(dataDir) !== before)
      expect(await eventually(() => query(other.url, 'select text from notes'))).toEqual([{ text: 'kept' }])
      await other.close()
      expect(isRunning(dataDir)).toBe(false)
    },
  )

  it('leave no server running when all of them are killed', async () => {
    const dataDir = usedDataDir()
    const users = [await openElsewhere(dataDir), await openElsewhere(dataDir), await openElsewhere(dataDir)]
    const server = postmasterOf(dataDir)
    for (const { kill } of users) kill('SIGKILL')
    await eventually(() => !isAlive(server))
    expect(isRunning(dataDir)).toBe(false)
  })

  it('leave no files behind when the first is killed while it creates the cluster', async () => {
    const dataDir = temporaryFolder()
    const opening = openElsewhere(dataDir).catch(() => undefined)
    await eventually(() => readdirSync(dataDir).some((name) => name.startsWith('postgres.new-')))
    const lock = readFileSync(join(dataDir, 'postgres.lock'), 'utf8')
    process.kill(Number(lock.split(' ')[0]), 'SIGKILL')
    await opening

    const next = await openElsewhere(dataDir)
    expect(await query(next.url, SELECT_ONE)).toEqual(ONE)
    expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.new-'))).toEqual([])
    await next.close()
  })
})

describe('a server that is killed', () => {
  it('is restarted at the same address, with all committed data', async () => {
    const dataDir = usedDataDir()
    const database = await openDatabase({ dataDir, database: 'gateway' })
    await query(database.url, "create table notes as select 'kept' as text")
    const killed = postmasterOf(dataDir)

    process.kill(killed, 'SIGKILL')

    await eventually(() => isRunning(dataDir) && postmasterOf(dataDir) !== killed)
    expect(await eventually(() => query(database.url, 'select text from notes'))).toEqual([{ text: 'kept' }])
    await database.close()
    expect(isRunning(dataDir)).toBe(false)
  })
})
