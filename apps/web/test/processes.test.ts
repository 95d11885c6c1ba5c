import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer as createTcpServer, connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { DATABASE_RELEASE, StartupError } from '@nmg/process'
import { testDatabase } from '@nmg/process/testing'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { consent, newUser, type UserClient } from '@/test/support/user.ts'
import { deploymentSecrets, freePort, startProcess, startProduct, type Product } from '@/test/support/product.ts'
import { applyMigrations } from '@/lib/migrations.ts'
import { abandonedSpaces } from '@/server/abandoned-spaces.ts'
import { sweepSessions } from '@/server/housekeeping.ts'

const MAIN = 'apps/web/main.ts'
const READY = '"web.listening"'
const PASSWORD = 'a-good-password'

let product: Product
let pool: Pool
let databaseUrl: string
let ada: UserClient

beforeAll(async () => {
  databaseUrl = (await testDatabase()).url
  pool = new Pool({ connectionString: databaseUrl })
  pool.on('error', () => undefined)
  product = await startProduct({ DATABASE_URL: databaseUrl })
  product.simulator.setOptions({ autoApprove: true })
  ada = await newUser(product.webUrl, { name: 'Ada', email: 'ada@north.test', password: PASSWORD })
})

afterAll(async () => {
  await pool?.end()
  await product?.stop()
})

interface Line {
  readonly level: string
  readonly event: string
  readonly [fact: string]: unknown
}

/** Each line of the output; fails when one is not JSON. */
const linesOf = (output: string): Line[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

describe('the schema of the database', () => {
  it('is changed by migrations that name the oldest compatible release', () => {
    const folder = resolve(import.meta.dirname, '../migrations')
    for (const name of readdirSync(folder)) {
      const [, oldest] =
        /^-- Oldest release that can run on it: (\d+)\n/.exec(readFileSync(join(folder, name), 'utf8')) ?? []
      expect(Number(oldest), name).toBeLessThanOrEqual(DATABASE_RELEASE)
    }
  })

  it.each([
    ['a migration of a newer release', '9001-of-the-future.sql'],
    ['tables of accounts of a newer release', 'accounts of better-auth 9'],
  ])('with %s is used if compatible, and otherwise rejected before any change', async (_, name) => {
    const migrateAccounts = vi.fn<() => Promise<void>>(async () => undefined)
    await pool.query(`insert into web.migrations (name, oldest_release) values ($1, 3)`, [name])
    await applyMigrations(pool, migrateAccounts, { release: 3 })
    await applyMigrations(pool, migrateAccounts, { release: 4 })
    expect(migrateAccounts).toHaveBeenCalledTimes(2)
    const refused = applyMigrations(pool, migrateAccounts, { release: 2 })
    await expect(refused).rejects.toThrow(StartupError)
    await expect(refused).rejects.toThrow(`(${name}): it needs database release 3, and this web app has 2.`)
    expect(migrateAccounts).toHaveBeenCalledTimes(2)
    await pool.query('delete from web.migrations where name = $1', [name])
  })

  it('of a newer release prevents an older process from starting', async () => {
    await pool.query(`insert into web.migrations (name, oldest_release) values ('9002-x.sql', 99)`)
    const start = startProcess(MAIN, READY, {
      PORT: String(await freePort()),
      DATABASE_URL: databaseUrl,
      ...deploymentSecrets,
    })
    await expect(start).rejects.toThrow(/web: A newer release of the web app has changed its database \(9002-x\.sql\)/)
    await pool.query(`delete from web.migrations where name = '9002-x.sql'`)
  })
})

describe('the log', () => {
  it('contains only JSON lines, names causes once, and distinguishes them by SQLSTATE', async () => {
    const { url, drop } = await testDatabase()
    const port = await freePort()
    const webUrl = `http://localhost:${port}`
    const web = await startProcess(MAIN, READY, {
      PORT: String(port),
      DATABASE_URL: url,
      CUDU_ENDPOINT: `http://localhost:${await freePort()}`,
      ...deploymentSecrets,
    })
    const grace = await newUser(webUrl, { name: 'Grace', email: 'grace@north.test', password: PASSWORD })
    const away = await grace.fetch('/api/notion')
    expect(await away.json()).toMatchObject({ status: 502, code: 'gateway_unreachable' })
    expect(await (await fetch(`${webUrl}/readyz`)).json()).toEqual({
      status: 'ready',
      degraded: [{ part: 'gateway', detail: expect.stringContaining('isn’t responding') }],
    })
    await drop()
    const response = await grace.fetch('/api/notion')
    expect(response.status).toBe(503)
    const { code, requestId } = (await response.json()) as { code: string; requestId: string }
    expect(code).toBe('store_unavailable')
    expect((await grace.fetch(`/spaces/${grace.spaceId}/connection`)).status).toBe(500)
    for (let n = 0; n < 3; n++) expect((await fetch(`${webUrl}/readyz`)).status).toBe(503)
    expect(await web.stop()).toBe(0)

    const lines = linesOf(web.output())
    expect(lines.at(-1)).toMatchObject({ event: 'web.stopped' })
    const failed = lines.filter((line) => line['requestId'] === requestId)
    expect(failed).toHaveLength(1)
    expect(failed[0]).toMatchObject({
      level: 'error',
      status: 503,
      sqlstate: expect.stringMatching(/^(3D000|28000|57P01)$/),
    })
    expect(failed[0]?.event).toMatch(/^database\./)
    const unreachable = lines.filter(({ event }) => event === 'request.failed')
    expect(unreachable.map((line) => line['code'])).toEqual(['gateway_unreachable'])
    expect(unreachable[0]?.['cause']).toContain('ECONNREFUSED')
    for (const line of lines) {
      for (const fact of ['cause', 'message']) if (fact in line) expect(line[fact], JSON.stringify(line)).toMatch(/\S/)
    }
  })

  it('shows only failures at LOG_LEVEL=warn', { timeout: 120_000 }, async () => {
    const { url, drop } = await testDatabase()
    const port = await freePort()
    const child = spawn(process.execPath, [resolve(import.meta.dirname, '../main.ts')], {
      env: {
        NODE_ENV: 'test',
        PATH: process.env['PATH'],
        PORT: String(port),
        DATABASE_URL: url,
        LOG_LEVEL: 'warn',
        ...deploymentSecrets,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const healthy = () =>
      fetch(`http://localhost:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      )
    await expect.poll(healthy, { timeout: 60_000 }).toBe(true)
    expect(output).toBe('')
    await drop()
    const headers = { cookie: 'better-auth.session_token=x.y' }
    const statuses = await Promise.all(
      ['/readyz', '/api/notion'].map(
        async (path) => (await fetch(`http://localhost:${port}${path}`, { headers })).status,
      ),
    )
    expect(statuses[0]).toBe(503)
    expect(linesOf(output).filter(({ level }) => level === 'error').length).toBeGreaterThan(0)
    expect(linesOf(output).filter(({ level }) => level === 'info')).toEqual([])
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
})

describe('a gateway that is being replaced', () => {
  it('is retried once for idempotent requests only', async () => {
    const gateway = new URL(product.gatewayUrl)
    let toBreak = 0
    let connections = 0
    const sockets = new Set<Socket>()
    const front = createTcpServer((socket) => {
      connections += 1
      sockets.add(socket)
      socket.on('error', () => undefined)
      if (toBreak > 0) {
        toBreak -= 1
        socket.destroy()
        return
      }
      const on = connect(Number(gateway.port), gateway.hostname)
      on.on('error', () => socket.destroy())
      socket.pipe(on).pipe(socket)
    }).listen(0)
    await once(front, 'listening')
    const port = await freePort()
    const web = await startProcess(MAIN, READY, {
      PORT: String(port),
      WEB_URL: product.webUrl,
      DATABASE_URL: databaseUrl,
      CUDU_ENDPOINT: `http://localhost:${(front.address() as AddressInfo).port}`,
      ...deploymentSecrets,
    })
    const ask = (path: string, method: string) =>
      fetch(`http://localhost:${port}${path}`, {
        method,
        headers: {
          origin: product.webUrl,
          cookie: [...ada.cookies()].map(([name, value]) => `${name}=${value}`).join('; '),
        },
      })
    /** Ends what is open, and so many connections after that. */
    const breakNext = (count: number) => {
      toBreak = count
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    }
    breakNext(1)
    expect((await ask('/api/notion', 'GET')).status).toBe(200)
    breakNext(2)
    expect((await ask('/api/notion', 'GET')).status).toBe(502)
    connections = 0
    breakNext(1)
    expect((await ask('/api/notion', 'DELETE')).status).toBe(502)
    expect(connections).toBe(1)
    await web.kill()
    front.close()
  })
})

describe('housekeeping', () => {
  it('removes only expired sessions and links', async () => {
    await newUser(product.webUrl, { name: 'Ben', email: 'ben@north.test', password: PASSWORD })
    await pool.query(`update web.session set "expiresAt" = now() - interval '1 minute' where "userId" <> $1`, [ada.id])
    await pool.query(
      `insert into web.verification (id, identifier, value, "expiresAt") values (gen_random_uuid(), 'old', 'x', now() - interval '1 minute'), (gen_random_uuid(), 'new', 'x', now() + interval '1 minute')`,
    )
    await sweepSessions(pool)
    const sessions = await pool.query<{ owner: string }>('select distinct "userId" as owner from web.session')
    expect(sessions.rows).toEqual([{ owner: ada.id }])
    const links = await pool.query<{ identifier: string }>('select identifier from web.verification')
    expect(links.rows.map(({ identifier }) => identifier)).toEqual(['new'])
  })

  describe('of spaces without members', () => {
    const rounds = () =>
      abandonedSpaces({ pool, gatewayUrl: product.gatewayUrl, serviceToken: deploymentSecrets.GATEWAY_SERVICE_TOKEN })
    const passDays = (days: number) =>
      pool.query(`update web.abandoned_space set since = since - $1 * interval '1 day'`, [days])
    const statusOf = async (spaceId: string) => {
      const response = await fetch(`${product.gatewayUrl}/integrations/notion/${spaceId}`, {
        headers: { authorization: `Bearer ${deploymentSecrets.GATEWAY_SERVICE_TOKEN}`, 'x-user-id': ada.id },
      })
      return ((await response.json()) as { status: string }).status
    }
    const connected = async (name: string) => {
      const owner = await newUser(product.webUrl, {
        name,
        email: `${name.toLowerCase()}@north.test`,
        password: PASSWORD,
      })
      const started = await owner.post('/api/notion/oauth/start', {})
      await consent(owner, ((await started.json()) as { authorizeUrl: string }).authorizeUrl)
      expect(await statusOf(owner.spaceId)).toBe('connected')
      return owner
    }
    const lines: string[] = []
    const capture = () => {
      lines.length = 0
      return vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
    }

    it('disconnects after 30 days unless a member has joined again', async () => {
      const left = await connected('Cem')
      const kept = await connected('Dora')
      const round = rounds()
      const leave = (who: UserClient) => pool.query('delete from web.member where "organizationId" = $1', [who.spaceId])
      await leave(left)
      await leave(kept)
      await round()
      await passDays(29)
      await round()
      expect(await statusOf(left.spaceId)).toBe('connected')
      await pool.query(
        `insert into web.member (id, "organizationId", "userId", role, "createdAt") values (gen_random_uuid(), $1, $2, 'owner', now())`,
        [kept.spaceId, kept.id],
      )
      await passDays(2)
      // Two processes at once.
      await Promise.all([round(), rounds()()])
      expect(await statusOf(left.spaceId)).toBe('disconnected')
      expect(await statusOf(kept.spaceId)).toBe('connected')
      await passDays(40)
      await round()
      expect(await statusOf(kept.spaceId)).toBe('connected')
    })

    it('disconnects at most ten a day and logs that more are due', async () => {
      await pool.query(`update web.abandoned_space set disconnected_at = now() - interval '2 days'`)
      await pool.query(
        `insert into web.organization (id, name, slug, "createdAt") select gen_random_uuid(), 'Left', 'left-' || n, now() from generate_series(1, 13) n`,
      )
      const round = rounds()
      await round()
      await pool.query(
        `update web.abandoned_space set since = now() - interval '31 days' where disconnected_at is null`,
      )
      const output = capture()
      await round()
      await round()
      output.mockRestore()
      const done = await pool.query(`select from web.abandoned_space where disconnected_at > now() - interval '1 hour'`)
      expect(done.rowCount).toBe(10)
      const alerts = lines.filter((line) => line.includes('abandoned_spaces.too_many'))
      expect(alerts).toHaveLength(1)
      expect(JSON.parse(alerts[0] ?? '')).toMatchObject({ level: 'error', due: 13, mostADay: 10 })
      await pool.query(
        `update web.abandoned_space set disconnected_at = now() - interval '25 hours' where disconnected_at is not null`,
      )
      await round()
      const rest = await pool.query(`select from web.abandoned_space where disconnected_at is null`)
      expect(rest.rowCount).toBe(0)
    })

    it('waits for an unavailable gateway', async () => {
      await pool.query(
        `insert into web.organization (id, name, slug, "createdAt") values (gen_random_uuid(), 'Left', 'left-14', now())`,
      )
      const round = abandonedSpaces({ pool, gatewayUrl: `http://localhost:${await freePort()}`, serviceToken: 'x' })
      await round()
      await pool.query(
        `update web.abandoned_space set since = now() - interval '31 days', disconnected_at = null where space_id in (select id from web.organization where slug = 'left-14')`,
      )
      await expect(round()).rejects.toThrow('fetch failed')
      expect((await pool.query('select from web.abandoned_space where disconnected_at is null')).rowCount).toBe(1)
    })
  })
})
