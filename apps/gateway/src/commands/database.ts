/**
 * Resolves the state of a database that was restored or copied, or is about to be moved:
 *
 *     npm run database             shows its state
 *     npm run database adopt       use this copy: the original is gone
 *     npm run database detach      this copy runs beside the original: deletes its credentials here without revoking them
 *     npm run database move        prepares a move of its folder or server: stops refreshing here; the moved copy takes over
 */
import { openDataDir, loadEnvFile, openDatabase, readSettings, repositoryRoot, StartupError } from '@nmg/process'
import { z } from 'zod'
import { migrate, openPool, type Database } from '../platform/database.ts'
import { clientSettings } from '../clients/settings.ts'
import { identifyingUrl } from '../connections/copies/database-identity.ts'
import { deleteCredentials } from '../connections/copies/detach-database.ts'
import {
  adoptDatabase,
  recordPlan,
  readDatabaseState,
  renameInstallation,
  writeHold,
  type DatabaseState,
} from '../connections/copies/postgres-database-identity.ts'
import { Failure } from '../platform/failure.ts'
import { jsonLog } from '../platform/log.ts'

const Settings = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  GATEWAY_PUBLIC_URL: clientSettings.GATEWAY_PUBLIC_URL,
})

async function run(command: string): Promise<string> {
  const execute = COMMANDS[command]
  if (execute === undefined) {
    throw new StartupError(`Unknown command "${command}". Commands: ${Object.keys(COMMANDS).join(', ')}.`)
  }
  const env = loadEnvFile(repositoryRoot, process.env)
  const settings = readSettings(Settings, env)
  const folder = settings.DATABASE_URL === undefined ? openDataDir(env, repositoryRoot) : ''
  const opened = await openDatabase({ databaseUrl: settings.DATABASE_URL, dataDir: folder, database: 'gateway' })
  const database = openPool(opened.url, jsonLog('silent'), 1)
  try {
    await migrate(opened.url)
    const facts = { publicUrl: identifyingUrl(settings.GATEWAY_PUBLIC_URL), dataFolder: opened.folderIdentity }
    return await execute(database, await readDatabaseState(database, facts))
  } finally {
    await database.end()
    await opened.close()
  }
}

type Command = (database: Database, state: DatabaseState) => Promise<string>

const COMMANDS: Record<string, Command> = {
  async status(database, { installation, recorded, hold }) {
    const { rows } = await database.query<{ connected: string }>(
      `select count(*) as connected from gateway.connections where connection->>'status' = 'connected'`,
    )
    const { rows: keys } = await database.query<{ kid: string; count: string }>(
      'select kid, count(*) from gateway.data_keys group by kid order by kid',
    )
    return [
      `installation  ${installation}`,
      `connections   ${rows[0]?.connected}, ${recorded.count % 2 ** 32} credentials stored`,
      `hold          ${hold ? `since ${hold.since}: ${hold.reasons.join(', ')}` : 'none in the database; /readyz of a gateway says more'}`,
      `keys          ${keys.map(({ kid, count }) => `${kid} (${count})`).join(', ') || 'none in use'}`,
      ...(recorded.plan ? [`plan          ${recorded.plan}`] : []),
    ].join('\n')
  },

  async adopt(database, { seen }) {
    await database.transaction((sql) => adoptDatabase(sql, seen))
    return (
      'This database is in use now. Running gateways notice it within seconds.\n' +
      'Do not start the original again with these connections: detach it first, or delete it.\n' +
      'Connections whose tokens were refreshed after this copy was made must be reconnected; all others keep working.'
    )
  },

  async detach(database, { seen }) {
    const count = await database.transaction(async (sql) => {
      const deleted = await deleteCredentials(sql)
      await adoptDatabase(sql, seen)
      await renameInstallation(sql)
      return deleted
    })
    return `Deleted the credentials of ${count} connections here without revoking them: the original keeps them. These spaces have to connect Notion again.`
  },

  async move(database) {
    await database.transaction(async (sql) => {
      await recordPlan(sql, 'move')
      await writeHold(sql, ['moved_away'])
    })
    return (
      'This database refreshes no tokens from now on. Stop the processes, move or copy it, and start them on the copy, which takes over.\n' +
      'To keep using this one instead: npm run database adopt'
    )
  },
}

try {
  process.stdout.write(`${await run(process.argv[2] ?? 'status')}\n`)
} catch (error) {
  if (!(error instanceof StartupError) && !(error instanceof Failure)) throw error
  process.stderr.write(`database: ${error.message}\n`)
  process.exitCode = 1
}
