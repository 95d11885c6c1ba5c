import cluster from 'node:cluster'
import { once } from 'node:events'
import {
  openDataDir,
  listenError,
  loadEnvFile,
  openDatabase,
  repositoryRoot,
  runProcess,
  StartupError,
} from '@nmg/process'
import { readConfig, type Config } from './config.ts'
import { Failure } from './platform/failure.ts'
import { failpoints } from './failpoints.ts'
import { openGateway } from './gateway.ts'
import { jsonLog, logWarningsAndCrashes, type Log } from './platform/log.ts'
import { startWorkers } from './platform/workers.ts'

/** Listen backlog, capped by the kernel. With a shorter one, connections of a burst are dropped and retried after a second or more. */
const BACKLOG = 4096

runProcess('gateway', async () => {
  const env = loadEnvFile(repositoryRoot, process.env)
  const dataFolder = () => openDataDir(env, repositoryRoot)
  const config = readConfig(env, dataFolder)
  const refreshFailpoints = failpoints(env)
  const log = jsonLog(config.LOG_LEVEL)
  logWarningsAndCrashes(log)
  const database = await openDatabase({
    databaseUrl: config.DATABASE_URL,
    dataDir: config.DATABASE_URL === undefined ? dataFolder() : '',
    database: 'gateway',
  })
  // Otherwise the death of the primary would end its workers at once, in the middle of their calls.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
  if (config.WORKERS > 1 && cluster.isPrimary) {
    const workers = await startWorkers(config.WORKERS, log)
    return {
      async stop() {
        await workers.stop()
        await database.close()
      },
    }
  }
  const locations = { dataFolder: database.folderIdentity, markFolder: markFolderOf(config, dataFolder, log) }
  const gateway = await openGateway({
    config,
    databaseUrl: database.url,
    log,
    failpoints: refreshFailpoints,
    locations,
  }).catch((error: unknown) => {
    throw error instanceof Failure ? new StartupError(error.message, { cause: error }) : error
  })
  const { server } = gateway
  server.listen({ port: config.PORT, host: config.HOST, backlog: BACKLOG })
  await once(server, 'listening').catch((error: unknown) => {
    throw listenError(error, config.HOST, config.PORT)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : config.PORT
  log.info('gateway.listening', {
    host: config.HOST,
    port,
    upstream: `${config.NOTION_MCP_SERVER_URL.origin}${config.NOTION_MCP_SERVER_URL.pathname}`,
    proxy: config.proxies(config.NOTION_MCP_SERVER_URL)?.setting,
    embedded: database.embedded,
    pid: process.pid,
  })
  return {
    async stop() {
      log.info('gateway.stopping')
      await gateway.stop()
      await database.close()
    },
  }
})

/** DATA_DIR if there is no Redis; undefined if it cannot be written, as in a read-only container. */
function markFolderOf({ REDIS_URL }: Config, dataFolder: () => string, log: Log): string | undefined {
  if (REDIS_URL !== undefined) return undefined
  try {
    return dataFolder()
  } catch (error) {
    if (!(error instanceof StartupError)) throw error
    log.warn('credential_mark.unavailable', {
      advice:
        'set REDIS_URL, or DATA_DIR to a folder that outlives the process, so that a restored database is detected',
    })
    return undefined
  }
}
