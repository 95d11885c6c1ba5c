/**
 * For an operator who has lost CREDENTIAL_KEYS permanently: lists the connections whose credential cannot be decrypted and, after a
 * confirmation, marks them so that the gateway starts again and people can reconnect:
 *
 *     npm run forget-credentials             lists, then asks for confirmation
 *     npm run forget-credentials -- --yes    does not ask
 */
import { createInterface } from 'node:readline/promises'
import { openDataDir, loadEnvFile, openDatabase, repositoryRoot, StartupError } from '@nmg/process'
import { aesVault } from '../connections/keys/aes-vault.ts'
import { postgresConnectionStore } from '../connections/postgres-connection-store.ts'
import { migrate, openPool } from '../platform/database.ts'
import { readConfig, type Config } from '../config.ts'
import {
  findLostCredentials,
  forgetLostCredentials,
  type LostCredentials,
} from '../connections/keys/forget-credentials.ts'
import { Failure } from '../platform/failure.ts'
import { jsonLog } from '../platform/log.ts'
import { openDatabaseClock } from '../platform/database-clock.ts'
import type { StoredConnection } from '../connections/connection-store.ts'

const SETTINGS = ['CREDENTIAL_KEYS', 'CREDENTIAL_KEYS_FILE', 'DATABASE_URL', 'DATABASE_URL_FILE']

try {
  await run(process.argv.includes('--yes'))
} catch (error) {
  if (!(error instanceof StartupError) && !(error instanceof Failure)) throw error
  process.stderr.write(`forget-credentials: ${error.message}\n`)
  process.exitCode = 1
}

async function run(isConfirmed: boolean): Promise<void> {
  const env = loadEnvFile(repositoryRoot, process.env)
  const dataFolder = () => openDataDir(env, repositoryRoot)
  const given = Object.fromEntries(SETTINGS.map((name) => [name, env[name]]))
  const config = readConfig({ ...given, GATEWAY_SERVICE_TOKEN: 'not-used-by-this-command' }, dataFolder)
  const database = await openDatabase({
    databaseUrl: config.DATABASE_URL,
    dataDir: config.DATABASE_URL === undefined ? dataFolder() : '',
    database: 'gateway',
  })
  // A single connection, so that all other sessions belong to a running gateway.
  const sql = openPool(database.url, jsonLog('silent'), 1)
  try {
    await migrate(database.url)
    await refuseWhileGatewayRuns(sql)
    const { now: clock } = await openDatabaseClock(sql)
    const deps = { sql, store: postgresConnectionStore(sql), vault: aesVault(config.credentialKeys), clock }
    const found = await findLostCredentials(deps)
    process.stdout.write(report(found, config))
    if (found.lost.length === 0 && found.kids.length === 0) return
    if (!isConfirmed && !(await askForConfirmation())) {
      process.stdout.write('Nothing was changed.\n')
      process.exitCode = 1
      return
    }
    const count = await forgetLostCredentials(deps, found.lost)
    process.stdout.write(
      `${count} marked as “reconnect required”. Start the gateway; people can connect Notion again.\n`,
    )
  } finally {
    await sql.end()
    await database.close()
  }
}

/** A running gateway may have other keys than this command, which would then delete working credentials. */
async function refuseWhileGatewayRuns(sql: ReturnType<typeof openPool>): Promise<void> {
  const { rows } = await sql.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity
      where datname = current_database() and application_name = 'notion-mcp-gateway' and pid <> pg_backend_pid()`,
  )
  if (rows[0]?.count) {
    throw new StartupError(
      'A gateway is running on this database, possibly with other keys. Stop it first. Nothing was changed.',
    )
  }
}

function report({ connected, lost, kids }: LostCredentials, { credentialKeys }: Config): string {
  const given = credentialKeys.map(({ kid }) => `"${kid}"`).join(', ')
  if (lost.length === 0 && kids.length === 0) {
    return `All ${connected} connected spaces can be opened with CREDENTIAL_KEYS (${given}). Nothing to do.\n`
  }
  const lines = [
    `${lost.length} of ${connected} connected spaces cannot be opened with CREDENTIAL_KEYS (${given}):`,
    ...lost.map((stored) => `  ${described(stored)}`),
    '',
    `They were sealed with ${kids.map((kid) => `"${kid}"`).join(', ') || 'keys that are missing from the database'}. If you can find ${kids.length === 1 ? 'that key' : 'those keys'}, add ${kids.length === 1 ? 'it' : 'them'} to CREDENTIAL_KEYS instead, and nothing is lost.`,
    'Otherwise these spaces have to connect Notion again; their history is kept. The encrypted credentials are deleted here and cannot be revoked at Notion: people can remove the old connection in Notion’s settings.',
  ]
  return `${lines.join('\n')}\n`
}

function described({ spaceId, stream, connection, workspace }: StoredConnection): string {
  const by = connection.status === 'connected' ? `, connected by ${connection.grant.authorizedBy}` : ''
  const named =
    workspace?.name === undefined ? '' : `, workspace “${workspace.name.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')}”`
  return `${spaceId}${named}${by} (process ${stream})`
}

/** End of input counts as no. */
async function askForConfirmation(): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  const closed = new Promise<string>((resolve) => prompt.once('close', () => resolve('')))
  const answer = await Promise.race([prompt.question('Mark them as “reconnect required”? [y/N] '), closed])
  prompt.close()
  return /^y(es)?$/i.test(answer.trim())
}
