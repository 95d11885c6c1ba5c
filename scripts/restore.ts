/**
 * Restores a backup into an installation without data: an empty DATA_DIR, or an empty database of DATABASE_URL.
 *
 *     npm run restore -- <folder> --adopt     this installation replaces the one that was backed up, which is gone
 *     npm run restore -- <folder> --detach    this is a copy beside the original: the logins are deleted here, and not revoked
 *     npm run restore -- <folder>             decide later: nothing is renewed until npm run database adopt, or detach
 *
 * `--keys <file>` names the file with the secrets, if it is not `<folder>/keys` or `<folder>.keys`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { migrate, openPool, type Database } from '../apps/gateway/src/platform/database.ts'
import { deleteCredentials } from '../apps/gateway/src/connections/copies/detach-database.ts'
import { recordPlan, renameInstallation } from '../apps/gateway/src/connections/copies/postgres-database-identity.ts'
import { jsonLog } from '../apps/gateway/src/platform/log.ts'
import { repositoryRoot, StartupError } from '../packages/process/src/index.ts'
import { copySchemaIn, countRows } from '../packages/process/src/schema-copy.ts'
import { readKeysFile, restoreKeys } from './backup-keys.ts'
import { readManifest, reconnectText, type Manifest } from './backup-manifest.ts'
import { openPlaces, type Places } from './backup-places.ts'

type Purpose = 'adopt' | 'detach' | 'later'

async function restore(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { adopt: { type: 'boolean' }, detach: { type: 'boolean' }, keys: { type: 'string' } },
  })
  const [name] = positionals
  if (!name) throw new StartupError('Name the backup: npm run restore -- backups/2026-11-29 --adopt')
  if (values.adopt && values.detach) throw new StartupError('Say either --adopt or --detach.')
  const purpose: Purpose = values.adopt ? 'adopt' : values.detach ? 'detach' : 'later'
  const from = (path: string) => resolve(process.env['INIT_CWD'] ?? '.', path)
  const folder = from(name)
  const manifest = readManifest(folder)
  if (purpose !== 'detach') say(reconnectText(manifest, new Date()))

  const places = await openPlaces()
  try {
    const keysFile = values.keys === undefined ? keysOf(folder) : from(values.keys)
    const keys = readKeysFile(keysFile, places.passphrase)
    await makeTables(places, manifest)
    await refuseOtherData(places, manifest)
    restoreKeys(places.dataFolder, keys)
    await readData(places, manifest, folder, purpose)
    say(outcome(places, manifest, purpose, Object.keys(keys)))
  } finally {
    await places.close()
  }
}

const say = (text: string) => void process.stdout.write(`${text}\n\n`)

const keysOf = (folder: string) => (existsSync(join(folder, 'keys')) ? join(folder, 'keys') : `${folder}.keys`)

/** Creates the tables of the release that made the backup. The next start migrates them with their data. */
async function makeTables({ env, gatewayUrl }: Places, { gateway, web }: Manifest): Promise<void> {
  await migrate(gatewayUrl, { only: gateway.migrations })
  if (!web) return
  const child = spawn(process.execPath, [join(repositoryRoot, 'apps/web/prepare-database.ts'), ...web.migrations], {
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await once(child, 'exit')
  if (child.exitCode !== 0) throw new StartupError("The web app's tables could not be created.")
}

async function refuseOtherData({ gatewayUrl, webUrl }: Places, { web }: Manifest): Promise<void> {
  const connections = await countRows(gatewayUrl, 'gateway', 'connections')
  const users = web ? await countRows(webUrl, 'web', 'user') : 0
  if (connections + users > 0) {
    throw new StartupError(
      'There are connections or accounts here already. Restore into an empty DATA_DIR or database.',
    )
  }
}

async function readData(places: Places, { gateway, web }: Manifest, folder: string, purpose: Purpose): Promise<void> {
  const { gatewayUrl, webUrl } = places
  try {
    if (web) await copySchemaIn(webUrl, web, join(folder, 'web'))
    // The gateway last: its data are useful only when everything is restored.
    await copySchemaIn(gatewayUrl, gateway, join(folder, 'gateway'), async (client) => {
      // Rows that describe the original and its processes.
      await client.query(
        'delete from gateway.database_hold; delete from gateway.database_plan; delete from gateway.replicas',
      )
      if (purpose === 'adopt') await recordPlan(client, 'adopt')
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new StartupError(
      `The backup could not be restored: ${reason}. Use the release that made it, or a later one.`,
      { cause },
    )
  }
  await migrate(gatewayUrl)
  if (purpose === 'detach') await detach(openPool(gatewayUrl, jsonLog('silent'), 1))
}

async function detach(database: Database): Promise<void> {
  try {
    await database.transaction(async (sql) => {
      await deleteCredentials(sql)
      // A separate installation, without credentials that it shares with the original.
      await renameInstallation(sql)
      await recordPlan(sql, 'adopt')
    })
  } finally {
    await database.end()
  }
}

function outcome({ embedded, dataFolder }: Places, manifest: Manifest, purpose: Purpose, keys: string[]): string {
  const settings = keys.map((name) => `${name.toUpperCase().replaceAll('-', '_')}_FILE=${join(dataFolder, name)}`)
  return [
    'Restored.',
    ...(embedded || settings.length === 0
      ? []
      : ['With DATABASE_URL the secrets are settings. Give the processes:', ...settings]),
    {
      adopt: `The next start continues with these connections. ${reconnectText(manifest, new Date())}`,
      detach: 'The logins were deleted here and not revoked. Every space has to connect Notion again.',
      later: 'Until you run npm run database adopt, or npm run database detach, nothing is renewed.',
    }[purpose],
  ].join('\n')
}

try {
  await restore()
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`restore: ${error.message}\n`)
  process.exitCode = 1
}
