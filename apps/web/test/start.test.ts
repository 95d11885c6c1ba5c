import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testDatabase } from '@nmg/process/testing'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '@/test/support/built-app.ts'
import { deploymentSecrets, freePort, startProcess } from '@/test/support/product.ts'

const MAIN = 'apps/web/main.ts'
const READY = '"web.listening"'

beforeAll(() => buildApp())

describe('the web app as a process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'web-start-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('starts without settings, logs no secrets, and exits with 0', { timeout: 120_000 }, async () => {
    const port = await freePort()
    const web = await startProcess(MAIN, READY, { PORT: String(port), DATA_DIR: folder })
    expect(await statusOf(port, '/healthz')).toBe(200)
    expect(await statusOf(port, '/readyz')).toBe(200)
    expect(await statusOf(port, '/sign-in')).toBe(200)
    for (const name of ['auth-secret', 'gateway-service-token']) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
      expect(web.output()).not.toContain(readFileSync(join(folder, name), 'utf8').trim())
    }
    expect(await web.stop()).toBe(0)
  })

  it('keeps its tables in its own schema beside other data', async () => {
    const { url } = await testDatabase()
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query('create table "user" (belongs_to_somebody_else int)')
    const port = await freePort()
    const web = await startProcess(MAIN, READY, { PORT: String(port), DATABASE_URL: url, ...deploymentSecrets })
    await web.stop()
    const { rows } = await client.query<{ schema: string }>(
      `select distinct table_schema as schema from information_schema.tables where table_name in ('user', 'session', 'member', 'organization')`,
    )
    await client.end()
    expect(rows.map((row) => row.schema).toSorted()).toEqual(['public', 'web'])
    expect(await columnsOf(url)).toEqual(['belongs_to_somebody_else'])
  })

  it('starts several times concurrently on one new database', async () => {
    const { url } = await testDatabase()
    const start = async () => {
      const port = await freePort()
      const web = await startProcess(MAIN, READY, {
        PORT: String(port),
        DATABASE_URL: url,
        NOTION_GATEWAY_DEMO: '1',
        ...deploymentSecrets,
      })
      return { port, web }
    }
    const [first, second] = await Promise.all([start(), start()])
    expect(await statusOf(first.port, '/readyz')).toBe(200)
    expect(await statusOf(second.port, '/readyz')).toBe(200)
    const client = new Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query('select name from web.organization')
    await client.end()
    expect(rows).toEqual([{ name: 'Demo team' }])
    await Promise.all([first.web.stop(), second.web.stop()])
  })

  it('reports that its port is in use', async () => {
    const { url } = await testDatabase()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const start = startProcess(MAIN, READY, { PORT: String(port), DATABASE_URL: url, ...deploymentSecrets })
    await expect(start).rejects.toThrow(
      `web: Port ${port} on 127.0.0.1 is taken. Stop the other program or set PORT to a free one.`,
    )
    other.close()
  })

  it('names the database that does not respond, without its password', async () => {
    const port = await freePort()
    const start = startProcess(MAIN, READY, {
      PORT: '3000',
      DATABASE_URL: `postgresql://web:hidden-word@127.0.0.1:${port}/web`,
      ...deploymentSecrets,
    })
    const message = await start.then(
      () => 'started',
      (error: Error) => error.message,
    )
    expect(message).toContain(`The database at 127.0.0.1:${port} does not answer`)
    expect(message).not.toContain('hidden-word')
  })

  it('names every wrong setting', async () => {
    const start = startProcess(MAIN, READY, { PORT: 'many', WEB_URL: 'app.example.com' })
    await expect(start).rejects.toThrow(/PORT.*\n.*WEB_URL/)
  })

  it('is alive but not ready while its database is unavailable', async () => {
    const { url, drop } = await testDatabase()
    const port = await freePort()
    const web = await startProcess(MAIN, READY, { PORT: String(port), DATABASE_URL: url, ...deploymentSecrets })
    await drop()
    expect(await statusOf(port, '/readyz')).toBe(503)
    expect(await statusOf(port, '/healthz')).toBe(200)
    expect(await web.stop()).toBe(0)
  })
})

const statusOf = async (port: number, path: string) => (await fetch(`http://localhost:${port}${path}`)).status

async function columnsOf(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    `select column_name as name from information_schema.columns where table_schema = 'public' and table_name = 'user'`,
  )
  await client.end()
  return rows.map((row) => row.name)
}
