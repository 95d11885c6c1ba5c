/**
 * Writes the data of gateway and web app into a new folder, while they run:
 *
 *     npm run backup -- <folder>
 *
 * The generated secrets are written to `<folder>.keys`, beside the folder and readable by this user only, or sealed with BACKUP_PASSPHRASE to
 * `<folder>/keys`. Keep the former apart from the folder: together they open everything.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openPool } from '../apps/gateway/src/platform/database.ts'
import { jsonLog } from '../apps/gateway/src/platform/log.ts'
import { StartupError } from '../packages/process/src/index.ts'
import { copySchemaOut } from '../packages/process/src/schema-copy.ts'
import product from '../package.json' with { type: 'json' }
import { readKeys, writeKeysFile } from './backup-keys.ts'
import { manifestPath, type Manifest } from './backup-manifest.ts'
import { openPlaces, type Places } from './backup-places.ts'

async function backUp(name: string | undefined): Promise<string> {
  if (!name) throw new StartupError('Name a new folder: npm run backup -- backups/2026-11-29')
  const folder = resolve(process.env['INIT_CWD'] ?? '.', name)
  if (existsSync(folder)) throw new StartupError(`${folder} is there already. Name a new folder.`)
  const places = await openPlaces()
  const draft = `${folder}.part`
  try {
    rmSync(draft, { recursive: true, force: true })
    mkdirSync(draft, { recursive: true, mode: 0o700 })
    const manifest = await copyInto(draft, places)
    writeFileSync(manifestPath(draft), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 })
    const keys = readKeys(places.dataFolder)
    const { passphrase } = places
    if (passphrase !== undefined) writeKeysFile(join(draft, 'keys'), keys, passphrase)
    renameSync(draft, folder)
    if (passphrase === undefined) writeKeysFile(`${folder}.keys`, keys, undefined)
    return [
      `${folder}: ${manifest.connections.length} connections, ${rows(manifest)} rows.`,
      passphrase === undefined
        ? `${folder}.keys: ${Object.keys(keys).join(', ') || 'no generated secrets'}. Keep it apart from the folder, or set BACKUP_PASSPHRASE.`
        : `Sealed with the passphrase: ${Object.keys(keys).join(', ') || 'no generated secrets'}.`,
      ...(places.embedded
        ? []
        : ['Secrets that are settings (CREDENTIAL_KEYS, AUTH_SECRET …) are not in it: back them up as well.']),
      'A connection whose token is renewed from now on has to be reconnected after a restore of this backup.',
    ].join('\n')
  } finally {
    rmSync(draft, { recursive: true, force: true })
    await places.close()
  }
}

const rows = ({ gateway, web }: Manifest) =>
  [...gateway.tables, ...(web?.tables ?? [])].reduce((sum, table) => sum + table.rows, 0)

async function copyInto(folder: string, { gatewayUrl, webUrl }: Places): Promise<Manifest> {
  const createdAt = new Date().toISOString()
  const gateway = await copySchemaOut(gatewayUrl, 'gateway', join(folder, 'gateway'))
  if (gateway === undefined) throw new StartupError('The gateway has no data here. Check DATABASE_URL and DATA_DIR.')
  const web = await copySchemaOut(webUrl, 'web', join(folder, 'web'))
  const database = openPool(gatewayUrl, jsonLog('silent'), 1)
  try {
    const { rows: connections } = await database.query<Manifest['connections'][number]>(
      `select space_id as "spaceId", workspace->>'name' as workspace,
              to_char(refresh_due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "renewalDueAt"
         from gateway.connections where connection->>'status' = 'connected' order by space_id`,
    )
    return { format: 1, release: product.version, createdAt, gateway, ...(web && { web }), connections }
  } finally {
    await database.end()
  }
}

try {
  process.stdout.write(`${await backUp(process.argv[2])}\n`)
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`backup: ${error.message}\n`)
  process.exitCode = 1
}
