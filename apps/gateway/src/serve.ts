import cluster from 'node:cluster'
import { once } from 'node:events'
import { dataDir, listenError, loadEnvFile, openDatabase, repositoryRoot, runProcess, StartupError } from '@nmg/process'
import { readConfig } from './config.ts'
import { Failure } from './failure.ts'
import { faultPoints } from './fault-points.ts'
import { openGateway } from './gateway.ts'
import { jsonLog, logWarningsAndCrashes } from './log.ts'
import { startWorkers } from './workers.ts'

/** Connections that may wait to be taken, if the kernel allows as many: with fewer, those that come all at once wait for a second and more. */
const BACKLOG = 4096

runProcess('gateway', async () => {
  const env = loadEnvFile(repositoryRoot, process.env)
  const dataFolder = () => dataDir(env, repositoryRoot)
  const config = readConfig(env, dataFolder)
  const faults = faultPoints(env)
  const log = jsonLog(config.LOG_LEVEL)
  logWarningsAndCrashes(log)
  const database = await openDatabase({
    databaseUrl: config.DATABASE_URL,
    dataDir: config.DATABASE_URL === undefined ? dataFolder() : '',
    database: 'gateway',
  })
  // Else a worker whose first process dies would end at once, in the middle of its calls.
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
  const gateway = await openGateway({ config, databaseUrl: database.url, log, faults }).catch((error: unknown) => {
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
