/** Operations: readiness, the log, database faults, and releases that do not match the database. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, hasRedis, startRedis, testDatabase } from '@nmg/process/testing'
import { startSimulator, type Simulator } from 'notion-simulator'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../src/platform/database.ts'
import { type GatewayClient, type InProcessGateway, spawnGateway, startGateway } from './support/gateway.ts'

let simulator: Simulator
let gateway: InProcessGateway

beforeAll(async () => {
  simulator = await startSimulator({ options: { autoApprove: true } })
  gateway = await startGateway({ mcpUrl: simulator.mcpUrl })
})
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
})

const readiness = async ({ url }: { url: string }) => {
  const response = await fetch(`${url}/readyz`)
  return { status: response.status, body: (await response.json()) as { degraded?: { part: string; detail: string }[] } }
}
const READY = { status: 200, body: { status: 'ready' } }
const LIST = { id: 1, method: 'tools/list' }

/** The logged lines, all of which must be JSON. */
const linesOf = ({ logs }: GatewayClient) =>
  logs()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Runs SQL in the gateway's database as its owner. */
async function query(databaseUrl: string, sql: string): Promise<void> {
  const client = new Client(databaseUrl)
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

/** Makes the start of an authorization fail with this SQLSTATE; an empty one ends that. */
const refuseInserts = (databaseUrl: string, sqlstate: string) =>
  query(
    databaseUrl,
    sqlstate === ''
      ? 'drop trigger refuse on gateway.authorization_requests'
      : `create or replace function gateway.refuse() returns trigger language plpgsql as
           $$ begin raise exception 'refused with secret text' using errcode = '${sqlstate}'; end $$;
         create trigger refuse before insert on gateway.authorization_requests
           for each row execute function gateway.refuse()`,
  )

let spaces = 0
/** Starts an authorization of another space each time, as their number per space is limited. */
const begin = (at: GatewayClient) => at.fetch(`/integrations/notion/oauth/mcp/start?space_id=begun-${spaces++}`)

describe.skipIf(!hasRedis())('a gateway whose Redis does not respond', () => {
  it('starts, serves calls, reports the degraded part, and recovers without a restart', async () => {
    await gateway.connect('served')
    const port = await freePort()
    const own = await spawnGateway({
      mcpUrl: simulator.mcpUrl,
      databaseUrl: gateway.databaseUrl,
      env: { REDIS_URL: `redis://127.0.0.1:${port}` },
    })
    const folder = mkdtempSync(join(tmpdir(), 'nmg-redis-'))
    const startedAt = performance.now()
    expect(await readiness(own)).toEqual({
      status: 200,
      body: {
        status: 'ready',
        degraded: [{ part: 'redis', detail: expect.stringContaining('Connected spaces work') }],
      },
    })
    // Readiness probes must not wait long.
    expect(performance.now() - startedAt).toBeLessThan(900)
    expect((await own.call('served', LIST)).status).toBe(200)
    expect((await begin(own)).status).toBe(503)

    const redis = await startRedis(folder, port)
    try {
      await expect.poll(() => readiness(own), { timeout: 10_000 }).toEqual(READY)
      await own.connect('connected-later')
      await redis?.stop()
      await expect.poll(async () => (await readiness(own)).body.degraded?.[0]?.part, { timeout: 10_000 }).toBe('redis')
      expect((await readiness(own)).status).toBe(200)
      expect((await own.call('served', LIST)).status).toBe(200)
      const losses = () => linesOf(own).filter(({ event }) => event === 'redis.connection_lost').length
      await expect.poll(losses).toBe(2)
    } finally {
      await redis?.stop()
      await own.stop()
      rmSync(folder, { recursive: true })
    }
  })
})

describe('a database fault', () => {
  it.each([
    ['53100', 'database.disk_full', /disk .* is full.*operator/],
    ['53200', 'database.out_of_memory', /out of memory/],
    ['53300', 'database.too_many_connections', /no more connections.*DATABASE_POOL_SIZE/],
    ['25006', 'database.read_only', /accepts no changes.*DATABASE_URL/],
    ['28P01', 'database.login_refused', /refuses the login.*DATABASE_URL/],
    ['28000', 'database.login_refused', /refuses the login/],
    ['42501', 'database.not_permitted', /lacks a permission/],
    ['58030', 'database.io_error', /cannot read or write its files/],
    ['53400', 'database.out_of_resources', /has reached a limit/],
    ['XX001', 'database.corrupted', /damaged files.*restore a backup/],
  ])('with %s is reported as %s and as degraded until it ends', async (sqlstate, event, message) => {
    const before = linesOf(gateway).length
    const since = (name: string) =>
      linesOf(gateway)
        .slice(before)
        .filter((line) => line['event'] === name)
    await refuseInserts(gateway.databaseUrl, sqlstate)
    try {
      const response = await begin(gateway)
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ code: 'store_unavailable', detail: expect.stringMatching(message) })
      expect((await begin(gateway)).status).toBe(503)
      expect(await readiness(gateway)).toMatchObject({
        status: 200,
        body: { degraded: [{ part: 'database', detail: expect.stringMatching(message) }] },
      })
      expect(since(event)).toMatchObject([{ level: 'error', sqlstate }])
      const done = since('request.done').filter(({ status }) => status === 503)
      expect(done).toHaveLength(2)
      expect(done[0]).toMatchObject({
        level: 'warn',
        failure: 'store_unavailable',
        cause: { error: 'DatabaseError', sqlstate },
      })
      expect(gateway.logs()).not.toContain('secret text')
    } finally {
      await refuseInserts(gateway.databaseUrl, '')
    }
    expect((await begin(gateway)).status).toBe(200)
    expect(await readiness(gateway)).toEqual(READY)
    expect(since('database.recovered')).toHaveLength(1)
  })

  it('is reported as read-only if the database is read-only', async () => {
    const own = await startGateway({ mcpUrl: simulator.mcpUrl })
    const name = new URL(own.databaseUrl).pathname.slice(1)
    try {
      await query(own.databaseUrl, `alter database ${name} set default_transaction_read_only = on`)
      await query(
        own.databaseUrl,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      )
      await expect.poll(async () => (await begin(own)).status).toBe(503)
      expect((await readiness(own)).body.degraded).toContainEqual({
        part: 'database',
        detail: expect.stringContaining('accepts no changes'),
      })
    } finally {
      await own.stop()
    }
  })

  it('in a statement causes 500 and one log line with its stack frames', async () => {
    await refuseInserts(gateway.databaseUrl, '22012')
    const response = await begin(gateway).finally(() => refuseInserts(gateway.databaseUrl, ''))
    expect(response.status).toBe(500)
    const { requestId } = (await response.json()) as { requestId: string }
    expect(linesOf(gateway).filter((line) => line['requestId'] === requestId)).toMatchObject([
      {
        event: 'request.done',
        level: 'error',
        failure: 'internal',
        cause: { error: 'DatabaseError', sqlstate: '22012' },
        at: expect.arrayContaining([expect.stringMatching(/database\.ts/)]),
      },
    ])
    expect(gateway.logs()).not.toContain('secret text')
  })

  it('makes the gateway unready if the database is gone, and is logged accordingly', async () => {
    const database = await testDatabase()
    const own = await startGateway({ mcpUrl: simulator.mcpUrl, databaseUrl: database.url })
    try {
      await database.drop()
      await expect.poll(() => readiness(own)).toMatchObject({ status: 503, body: { code: 'store_unavailable' } })
      const refused = linesOf(own).filter(({ event, path }) => event === 'request.done' && path === '/readyz')
      expect(refused[0]).toMatchObject({ level: 'warn', status: 503, cause: expect.anything() })
    } finally {
      await own.stop()
    }
  })
})

const tmpfs = mountTmpfs()
afterAll(() => tmpfs && spawnSync('umount', [tmpfs]) && rmSync(tmpfs, { recursive: true }))

/** A small file system; undefined if this user or machine cannot mount one. */
function mountTmpfs(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-tmpfs-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=700', 'tmpfs', folder])
  if (status === 0) return folder
  rmSync(folder, { recursive: true })
  return undefined
}

describe(`a full disk${tmpfs === undefined ? ' (not tested: nothing can be mounted here)' : ''}`, () => {
  it.skipIf(tmpfs === undefined)('is reported, and the gateway recovers when there is space again', async () => {
    const own = await spawnGateway({
      mcpUrl: simulator.mcpUrl,
      env: { DATABASE_URL: '', DATA_DIR: join(tmpfs ?? '', 'data') },
    })
    const filler = join(tmpfs ?? '', 'filler')
    try {
      expect(await readiness(own)).toEqual(READY)
      fill(filler)
      const response = await begin(own)
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/disk .* is full/) })
      expect((await readiness(own)).body.degraded).toMatchObject([{ part: 'database' }])
      expect(linesOf(own).find(({ event }) => event === 'database.disk_full')).toMatchObject({ sqlstate: '53100' })
      rmSync(filler)
      await expect.poll(async () => (await begin(own)).status).toBe(200)
      expect(await readiness(own)).toEqual(READY)
    } finally {
      rmSync(filler, { force: true })
      await own.stop()
    }
  })
})

function fill(file: string): void {
  for (let size = 1024 * 1024; size >= 4096;) {
    try {
      writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch {
      size = Math.floor(size / 2)
    }
  }
}

describe('the log line of a call', () => {
  it('has a level that distinguishes failures of Notion from those of the gateway', async () => {
    await gateway.connect('logged')
    await gateway.call('logged', LIST)
    simulator.options.mcpFaults = [{ kind: 'edge-error', status: 503 }]
    await gateway.call('logged', LIST)
    simulator.options.mcpFaults = [{ kind: 'lost-request' }]
    await gateway.call('logged', LIST)
    await gateway.call('nowhere', LIST)
    const calls = linesOf(gateway).filter(({ event, space }) => event === 'call.done' && space !== undefined)
    expect(calls.slice(-4)).toMatchObject([
      { level: 'info', status: 200 },
      { level: 'warn', status: 503 },
      { level: 'warn', status: 502, failure: 'outcome_unknown', cause: { error: expect.any(String) } },
      { level: 'info', status: 404, failure: 'not_connected' },
    ])
  })
})

describe('a database migrated by another release', () => {
  const record = (url: string, oldest: number) =>
    query(url, `insert into gateway.migrations (name, oldest_release) values ('9999-future.sql', ${oldest})`)

  it.each([
    [1, 2, false],
    [1, 7, false],
    [2, 2, true],
    [3, 2, true],
    [1, 1, true],
  ])('accepts release %i if its oldest is %i: %s', async (own, oldest, may) => {
    const { url } = await testDatabase()
    await migrate(url)
    await record(url, oldest)
    const migrated = migrate(url, { release: own })
    if (may) await expect(migrated).resolves.toBeUndefined()
    else
      await expect(migrated).rejects.toThrow(
        `(9999-future.sql): it needs database release ${oldest}, and this gateway has ${own}.`,
      )
  })

  it('prevents the start of an older gateway and reports what to do', async () => {
    const { url } = await testDatabase()
    await migrate(url)
    await record(url, 1_000)
    await expect(spawnGateway({ mcpUrl: simulator.mcpUrl, databaseUrl: url })).rejects.toThrow(
      /gateway: A newer release of the gateway has changed its database .* Start the newer release, or restore a backup/,
    )
  })

  it('requires the oldest release in the first line of each migration', () => {
    const folder = join(import.meta.dirname, '../src/platform/migrations')
    for (const name of readdirSync(folder)) {
      expect([name, readFileSync(join(folder, name), 'utf8').split('\n')[0]]).toEqual([
        name,
        expect.stringMatching(/^-- Oldest release that can run on it: \d+$/),
      ])
    }
  })
})

describe('the connections to the database', () => {
  it('number at most DATABASE_POOL_SIZE and two more', async () => {
    const own = await startGateway({ mcpUrl: simulator.mcpUrl, env: { DATABASE_POOL_SIZE: '3' } })
    const client = new Client(own.databaseUrl)
    await client.connect()
    try {
      await Promise.all(Array.from({ length: 30 }, (_, i) => own.connection(`space-${i}`)))
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      )
      expect(rows[0]?.count).toBeLessThanOrEqual(5)
      expect(rows[0]?.count).toBeGreaterThanOrEqual(4)
    } finally {
      await client.end()
      await own.stop()
    }
  })
})
