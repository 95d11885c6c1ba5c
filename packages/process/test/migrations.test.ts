import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyMigrations, DATABASE_RELEASE, StartupError, VERSION, type MigrationSettings } from '@nmg/process'
import { testDatabase, type TestDatabase } from '@nmg/process/testing'
import { Client, DatabaseError } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const HEAD = '-- Oldest release that can run on it:'

let database: TestDatabase
let folder: string
let clients: Client[]
let client: Client

async function connect(): Promise<Client> {
  const connected = new Client(database.url)
  clients.push(connected)
  await connected.connect()
  return connected
}

beforeEach(async () => {
  database = await testDatabase()
  folder = mkdtempSync(join(tmpdir(), 'nmg-migrations-'))
  clients = []
  client = await connect()
})
afterEach(async () => {
  await Promise.all(clients.map((one) => one.end()))
  await database.drop()
  rmSync(folder, { recursive: true })
})

const file = (name: string, sql: string, oldestRelease = 1) =>
  writeFileSync(join(folder, name), `${HEAD} ${oldestRelease}\n${sql}`)
const migrate = (settings: Partial<MigrationSettings> = {}, on = client) =>
  applyMigrations(on, { folder, schema: 'app', appName: 'app', release: 1, ...settings })
const names = async () =>
  (await client.query<{ name: string }>('select name from app.migrations order by applied_at, name')).rows.map(
    ({ name }) => name,
  )
const tables = async () =>
  (
    await client.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'app' and tablename <> 'migrations' order by 1`,
    )
  ).rows.map(({ name }) => name)

describe('applyMigrations', () => {
  it('applies each file once, in the order of their names', async () => {
    file('0002-b.sql', 'insert into app.a values (2)')
    file('0001-a.sql', 'create table app.a (n integer); insert into app.a values (1)')
    writeFileSync(join(folder, 'README.md'), 'no migration')
    await migrate()
    await migrate()
    expect(await names()).toEqual(['0001-a.sql', '0002-b.sql'])
    file('0003-c.sql', 'insert into app.a values (3)')
    await migrate()
    expect((await client.query('select n from app.a')).rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  })

  it('applies only the files that are named', async () => {
    file('0001-a.sql', 'create table app.a ()')
    file('0002-b.sql', 'create table app.b ()')
    await migrate({ only: ['0001-a.sql'] })
    expect(await tables()).toEqual(['a'])
    await migrate()
    expect(await tables()).toEqual(['a', 'b'])
  })

  it('applies a file completely or not at all, and continues with it the next time', async () => {
    file('0001-a.sql', 'create table app.a (); create table app.b (); select 1 / 0')
    await expect(migrate()).rejects.toThrow('division by zero')
    expect([await tables(), await names()]).toEqual([[], []])
    file('0001-a.sql', 'create table app.a ()')
    await migrate()
    expect([await tables(), await names()]).toEqual([['a'], ['0001-a.sql']])
  })

  it('lets processes that start at the same time take turns', async () => {
    file('0001-a.sql', 'create table app.a (); select pg_sleep(0.1)')
    const others = await Promise.all([connect(), connect(), connect()])
    await Promise.all([client, ...others].map((one) => migrate({}, one)))
    expect(await names()).toEqual(['0001-a.sql'])
  })

  it('releases its lock after a failure', async () => {
    file('0001-a.sql', 'select 1 / 0')
    await expect(migrate()).rejects.toThrow('division by zero')
    file('0001-a.sql', 'create table app.a ()')
    await migrate({}, await connect())
    expect(await tables()).toEqual(['a'])
  })

  it('does not need the privilege to create schemas when the schema exists', async () => {
    await migrate()
    const name = (await client.query<{ name: string }>('select current_database() as name')).rows[0]?.name ?? ''
    await client.query(`revoke create on database ${name} from public, current_user`)
    file('0001-a.sql', 'create table app.a ()')
    await migrate()
    expect(await tables()).toEqual(['a'])
  })

  it.each(['create table app.a ()', '-- Oldest release: 1\n', `\n${HEAD} 1\n`, `${HEAD} one\n`])(
    'rejects a file that begins with %j',
    async (sql) => {
      writeFileSync(join(folder, '0001-a.sql'), sql)
      await expect(migrate()).rejects.toThrow('0001-a.sql does not name the oldest release')
    },
  )

  it('replaces errors of the database by the message for the operator', async () => {
    file('0001-a.sql', 'select 1 / 0')
    const operatorMessage = (error: unknown) =>
      error instanceof DatabaseError && error.code === '22012' ? 'Do not divide by zero.' : undefined
    await expect(migrate({ operatorMessage })).rejects.toThrow(new StartupError('Do not divide by zero.'))
    file('0001-a.sql', 'select 1 +')
    await expect(migrate({ operatorMessage })).rejects.toThrow('syntax error')
  })
})

describe('the oldest release of a migration', () => {
  it.each([
    [1, 1, true],
    [1, 2, true],
    [2, 2, true],
    [2, 1, false],
    [7, 6, false],
  ])('is %i: release %i may run: %s', async (oldest, release, mayRun) => {
    file('0001-a.sql', 'create table app.a ()', oldest)
    await migrate({ release: oldest })
    file('0002-b.sql', 'create table app.b ()')
    if (mayRun) {
      await migrate({ release })
      expect(await tables()).toEqual(['a', 'b'])
    } else {
      const refused = migrate({ release })
      await expect(refused).rejects.toThrow(StartupError)
      await expect(refused).rejects.toThrow(
        `A newer release of the app has changed its database (0001-a.sql): it needs database release ${oldest}, and this app has ${release}. Start the newer release,`,
      )
      expect(await tables()).toEqual(['a'])
    }
  })

  it('is the first one in a table that does not record it yet', async () => {
    await client.query(
      'create schema app; create table app.migrations (name text primary key, applied_at timestamptz default now())',
    )
    await client.query(`insert into app.migrations (name) values ('0001-a.sql')`)
    file('0001-a.sql', 'select 1 / 0')
    file('0002-b.sql', 'create table app.b ()')
    await migrate()
    expect(await tables()).toEqual(['b'])
    expect((await client.query('select oldest_release from app.migrations')).rows).toEqual([
      { oldest_release: 1 },
      { oldest_release: 1 },
    ])
  })

  it('applies to the tables of a library, which are migrated before the files', async () => {
    let count = 0
    const library = {
      migrate: async () =>
        void (count++ === 0 && (await client.query('create table app.accounts (id integer primary key)'))),
      versions: [{ name: 'accounts 1', oldestRelease: 2 }],
    }
    file('0001-a.sql', 'create table app.a (id integer references app.accounts)')
    await migrate({ release: 2, library })
    await migrate({ release: 2, library })
    expect([count, await tables(), await names()]).toEqual([2, ['a', 'accounts'], ['accounts 1', '0001-a.sql']])
    await expect(migrate({ release: 1, library })).rejects.toThrow('(accounts 1): it needs database release 2')
    expect(count).toBe(2)
  })
})

describe('the version', () => {
  it('is the one of the package.json', () => {
    expect(VERSION).toMatch(/^\d+\.\d+\.\d+/)
    expect(DATABASE_RELEASE).toBeGreaterThanOrEqual(1)
  })
})
