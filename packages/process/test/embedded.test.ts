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

/** A data directory in which the database has been made already: copying is faster than making it. */
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
  it('keeps what was written, over a stop and a new start', async () => {
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

  it('has a URL that any URL parser takes, and no port that anybody could reach', async () => {
    const database = await openDatabase({ dataDir: usedDataDir(), database: 'gateway' })
    expect(new URL(database.url).pathname).toBe('/gateway')
    expect(await query(database.url, 'show listen_addresses')).toEqual([{ listen_addresses: '' }])
    await database.close()
  })

  it('loses nothing to a power cut that it has confirmed', async () => {
    const database = await openDatabase({ dataDir: usedDataDir(), database: 'gateway' })
    expect(await query(database.url, 'show fsync')).toEqual([{ fsync: 'on' }])
    expect(await query(database.url, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'on' }])
    await database.close()
  })

  it('gives each database to a user of its own without further rights', async () => {
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

  it('can be entered by its owner only', async () => {
    const dataDir = usedDataDir()
    const database = await openDatabase({ dataDir, database: 'gateway' })
    const socketFolder = new URL(database.url).searchParams.get('host') ?? ''
    for (const folder of [join(dataDir, 'postgres'), socketFolder]) expect(statSync(folder).mode & 0o077).toBe(0)
    await database.close()
  })

  it('writes no statement and no value into its log', async () => {
    const dataDir = usedDataDir()
    const database = await openDatabase({ dataDir, database: 'gateway' })
    await query(database.url, 'create table tokens (token text primary key)')
    await query(database.url, "insert into tokens values ('tok-5ecret')")
    await expect(query(database.url, "insert into tokens values ('tok-5ecret')")).rejects.toThrow('duplicate key')
    await expect(query(database.url, "select 'tok-5ecret'::int")).rejects.toThrow('invalid input')
    await database.close()
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('tok-5ecret')
  })

  it('listens elsewhere when the path of the data directory is too long for a socket', async () => {
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
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow('is open to others')
    rmSync(socketFolder, { recursive: true })
  })

  it('is made again when making it was cut short', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'postgres.new-1/base'), { recursive: true })
    writeFileSync(join(dataDir, 'postgres.new-1/PG_VERSION'), '18\n')
    const database = await openDatabase({ dataDir, database: 'gateway' })
    expect(await query(database.url, SELECT_ONE)).toEqual(ONE)
    await database.close()
  })

  it('starts although the id in the files of a dead server belongs to another program now', async () => {
    const dataDir = usedDataDir()
    const claim = `${process.pid}\n${dataDir}/postgres\n1700000000\n5432\n\n\n\nready\n`
    writeFileSync(join(dataDir, 'postgres/postmaster.pid'), claim)
    mkdirSync(join(dataDir, 'postgres-socket'), { mode: 0o700 })
    writeFileSync(join(dataDir, 'postgres-socket/.s.PGSQL.5432.lock'), claim)
    const database = await openDatabase({ dataDir, database: 'gateway' })
    expect(await query(database.url, SELECT_ONE)).toEqual(ONE)
    await database.close()
  })

  it('refuses files of another PostgreSQL in one sentence', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'postgres'), { mode: 0o700 })
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '12\n')
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow(
      /is of PostgreSQL 12, and this version brings PostgreSQL 18\./,
    )
  })

  it('goes on, and so does its process, when its log cannot be put aside', async () => {
    const dataDir = usedDataDir()
    mkdirSync(join(dataDir, 'postgres.log.1'))
    const database = await openDatabase({ dataDir, database: 'gateway' })
    appendFileSync(join(dataDir, 'postgres.log'), Buffer.alloc(6 * 1024 * 1024, 'x'))
    process.kill(postmasterOf(dataDir), 'SIGKILL')
    expect(await eventually(() => query(database.url, SELECT_ONE))).toEqual(ONE)
    await database.close()
  })

  it('refuses files that a server uses whose process cannot be seen, as from another container', async () => {
    const dataDir = usedDataDir()
    const database = await openDatabase({ dataDir, database: 'gateway' })
    const pidFile = join(dataDir, 'postgres/postmaster.pid')
    const [, ...others] = readFileSync(pidFile, 'utf8').split('\n')
    const real = readFileSync(pidFile)
    // What another container sees: an id that is nobody's there.
    writeFileSync(pidFile, ['4194303', ...others].join('\n'))
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow(/in use from another container/)
    writeFileSync(pidFile, real)
    expect(await query(database.url, SELECT_ONE)).toEqual(ONE)
    await database.close()
  })

  it('says why when it cannot start', async () => {
    const dataDir = usedDataDir()
    rmSync(join(dataDir, 'postgres/global/pg_control'))
    await expect(openDatabase({ dataDir, database: 'gateway' })).rejects.toThrow(/did not start: .*pg_control/)
  })
})

describe('several processes on one data directory', () => {
  it('can start for the first time at once, and share one server', async () => {
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

  it.each(['SIGKILL', 'SIGTERM'] as const)('go on when the one that started the server ends by %s', async (signal) => {
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
  })

  it('leave no server behind when all of them are killed', async () => {
    const dataDir = usedDataDir()
    const users = [await openElsewhere(dataDir), await openElsewhere(dataDir), await openElsewhere(dataDir)]
    const server = postmasterOf(dataDir)
    for (const { kill } of users) kill('SIGKILL')
    await eventually(() => !isAlive(server))
    expect(isRunning(dataDir)).toBe(false)
  })

  it('leave no server behind when the first is killed while it makes the files', async () => {
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
  it('is started again at the same address, with everything that was committed', async () => {
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
