import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { testDatabase } from '@nmg/process/testing'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '@/test/support/built-app.ts'
import { deploymentSecrets, freePort, startProcess, type RunningProcess } from '@/test/support/product.ts'
import { staticFiles, type StaticFiles } from '../server/static-files.ts'

const SCRIPT = 'chunks/0of-another-release.js'

let pool: Pool
let web: RunningProcess
let webUrl: string
/** Another release on the same database. */
let other: StaticFiles
const folder = mkdtempSync(join(tmpdir(), 'nmg-static-'))

beforeAll(async () => {
  await buildApp()
  const { url } = await testDatabase()
  pool = new Pool({ connectionString: url })
  const port = await freePort()
  webUrl = `http://localhost:${port}`
  web = await startProcess('apps/web/main.ts', '"web.listening"', {
    PORT: String(port),
    DATABASE_URL: url,
    ...deploymentSecrets,
  })
  mkdirSync(join(folder, 'chunks'))
  mkdirSync(join(folder, 'media'))
  writeFileSync(join(folder, SCRIPT), 'console.log("of another release")')
  writeFileSync(join(folder, 'chunks/[root].css'), 'body{}')
  writeFileSync(join(folder, 'media/inter.0abc.woff2'), Buffer.from([0, 255, 10, 92]))
  writeFileSync(join(folder, 'media/page.html'), '<script>alert(1)</script>')
  other = staticFiles(pool, folder)
  await other.publish()
})

afterAll(async () => {
  await web?.kill()
  await pool?.end()
  rmSync(folder, { recursive: true })
})

const get = (path: string, method = 'GET') => fetch(`${webUrl}/_next/static/${path}`, { method })

const stored = async () =>
  (await pool.query<{ path: string }>('select path from web.static_file')).rows.map(({ path }) => path)

it('the build contains no server actions, which only processes of the same build could run', () => {
  const manifest = readFileSync(resolve(import.meta.dirname, '../.built/server/server-reference-manifest.json'), 'utf8')
  const { node, edge } = JSON.parse(manifest) as { node: object; edge: object }
  expect([node, edge]).toEqual([{}, {}])
})

describe('the web app', () => {
  it.each([
    [SCRIPT, 'text/javascript; charset=UTF-8', 'console.log("of another release")'],
    [`${SCRIPT}?v=1`, 'text/javascript; charset=UTF-8', 'console.log("of another release")'],
    ['chunks/%5Broot%5D.css', 'text/css; charset=UTF-8', 'body{}'],
    ['media/inter.0abc.woff2', 'font/woff2', Buffer.from([0, 255, 10, 92]).toString()],
    ['media/page.html', 'application/octet-stream', '<script>alert(1)</script>'],
  ])('serves a file of another release as its own: %s', async (path, type, content) => {
    const response = await get(path)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type])
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await response.text()).toBe(content)
  })

  it('serves it to HEAD without a body, and to no other method', async () => {
    const head = await get(SCRIPT, 'HEAD')
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '33'])
    expect((await get(SCRIPT, 'POST')).status).toBeGreaterThanOrEqual(400)
  })

  it.each(['chunks/nobodys.js', 'chunks/%', '..%2F..%2Fpackage.json', ''])(
    'responds 404 for a file that no release has: %s',
    async (path) => {
      expect([400, 404]).toContain((await get(path)).status)
    },
  )

  it('publishes its own files before it listens', async () => {
    const build = realpathSync(resolve(import.meta.dirname, '../.built'))
    const own = readdirSync(join(build, 'static'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    expect(own.length).toBeGreaterThan(20)
    const names = new Set((await stored()).map((path) => path.split('/').at(-1)))
    expect(own.filter(({ name }) => !names.has(name))).toEqual([])
  })

  it('keeps files while a process of their release runs, and removes them two weeks after the last', async () => {
    const own = staticFiles(pool, join(realpathSync(resolve(import.meta.dirname, '../.built')), 'static'))
    const passDays = (days: number) =>
      pool.query(`update web.static_file set seen_at = seen_at - $1 * interval '1 day'`, [days])
    const all = await stored()
    await passDays(13)
    await own.renew()
    expect(await stored()).toEqual(expect.arrayContaining(all))
    await passDays(2)
    await own.renew()
    expect((await get(SCRIPT)).status).toBe(404)
    expect((await stored()).length).toBe(all.length - 4)
    // Started again after a rollback.
    await other.publish()
    expect((await get(SCRIPT)).status).toBe(200)
  })
})
