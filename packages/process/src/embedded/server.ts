import { copyFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { withFileLock } from '../file-lock.mjs'
import { startWatched, type WatchedProcess } from '../watchdog.ts'
import { StartupError } from '../startup.ts'
import { findBinaries } from './binaries.ts'
import {
  createCluster,
  PROGRAM_ENVIRONMENT,
  lastLines,
  prepareSocketFolder,
  readPostmaster,
  removeStaleLocks,
  socketFolder,
  type Postmaster,
} from './cluster.ts'
import { chooseRunAs } from './run-as.ts'
import { serverCommand, type ServerSettings } from './server-settings.ts'

/** Interval at which a process checks that its server is running. */
const WATCH_INTERVAL_MS = 500

/** Consecutive failures to restart the server after which they are reported. */
const FAILURES_TO_REPORT = 5

/** Time limit for starting the server, including recovery after a crash. */
const START_DEADLINE_MS = 120_000

/** Time limit for a fast shutdown, before an immediate one is requested. */
const STOP_DEADLINE_MS = 15_000

const LARGEST_LOG_BYTES = 5 * 1024 * 1024

/** The embedded PostgreSQL of a data directory, in use by this process. */
export interface Server {
  url(database: string, user: string): string
  close(): Promise<void>
}

/** A running server; with its `watchdog` if this process started it. */
interface Running {
  postmaster: Postmaster
  watchdog: WatchedProcess | undefined
}

/**
 * Connects to the server that is running on `dataDir`, or starts it. When the server ends, e.g. with the process that started it, it is restarted on the
 * same socket, so that URLs stay valid.
 */
export async function openServer(dataDir: string, options: { durable: boolean } = { durable: true }): Promise<Server> {
  const settings = await prepare(dataDir, options.durable)
  let running = await ensureRunning(settings)
  // A server started by another process may use another socket folder.
  settings.socketFolder = running.postmaster.socketFolder

  const stopped = new AbortController()
  const watching = watch(
    settings,
    stopped.signal,
    () => running,
    (next) => (running = next),
  )
  return {
    url: (database, user) =>
      `postgresql://${encodeURIComponent(user)}@localhost:5432/${encodeURIComponent(database)}?host=${encodeURIComponent(settings.socketFolder)}`,
    close: async () => {
      stopped.abort()
      await watching
      await stop(running)
    },
  }
}

async function prepare(dataDir: string, durable: boolean): Promise<ServerSettings> {
  const binaries = findBinaries()
  const folder = join(dataDir, 'postgres')
  return withFileLock(join(dataDir, 'postgres.lock'), async () => {
    const runAs = chooseRunAs(folder, binaries.postgres)
    const cluster = { binaries, runAs, folder, logFile: join(dataDir, 'postgres.log'), durable }
    await createCluster(cluster)
    return { ...cluster, socketFolder: socketFolder(dataDir, runAs) }
  })
}

async function ensureRunning(settings: ServerSettings): Promise<Running> {
  return withFileLock(`${settings.folder}.lock`, async () => {
    const deadline = Date.now() + START_DEADLINE_MS
    for (let found; (found = readPostmaster(settings.folder)); await sleep(50)) {
      if (await isAccepting(found)) return { postmaster: found, watchdog: undefined }
      if (Date.now() > deadline) {
        throw new StartupError(
          `The embedded PostgreSQL (process ${found.pid}) does not respond. Stop that process and start again.`,
        )
      }
    }
    // A process id of another container means nothing here, but its socket responds.
    if (await responds(settings.socketFolder)) {
      throw new StartupError(
        `The embedded PostgreSQL in ${settings.folder} is in use from another container. Only one can use it: set DATABASE_URL.`,
      )
    }
    removeStaleLocks(settings.folder, settings.socketFolder)
    return start(settings, deadline)
  })
}

async function start(settings: ServerSettings, deadline: number): Promise<Running> {
  prepareSocketFolder(settings.socketFolder, settings.runAs)
  limitLog(settings.logFile)
  const watchdog = startWatched(serverCommand(settings), {
    logFile: settings.logFile,
    env: PROGRAM_ENVIRONMENT,
    user: settings.runAs.user,
  })
  for (; !watchdog.hasExited(); await Promise.race([sleep(20), watchdog.exited])) {
    const postmaster = readPostmaster(settings.folder)
    if (postmaster && (await isAccepting(postmaster))) {
      watchdog.unref()
      return { postmaster, watchdog }
    }
    if (Date.now() > deadline) break
  }
  await watchdog.stop()
  throw new StartupError(`The embedded PostgreSQL did not start: ${lastLines(settings.logFile)}`)
}

async function stop({ postmaster, watchdog }: Running): Promise<void> {
  if (!watchdog || watchdog.hasExited()) return
  const immediateShutdown = setTimeout(() => process.kill(postmaster.pid, 'SIGQUIT'), STOP_DEADLINE_MS)
  await watchdog.stop()
  clearTimeout(immediateShutdown)
}

async function watch(
  settings: ServerSettings,
  signal: AbortSignal,
  current: () => Running,
  change: (next: Running) => void,
): Promise<void> {
  for (let failures = 0; ;) {
    await sleep(WATCH_INTERVAL_MS, undefined, { ref: false, signal }).catch(() => undefined)
    if (signal.aborted) return
    // No error here, such as a full disk or too many open files, may stop the process that uses the database.
    try {
      if (current().watchdog) limitLog(settings.logFile)
      if (isSame(readPostmaster(settings.folder), current().postmaster)) {
        // Without its watchdog it would outlive this process.
        if (current().watchdog?.hasExited()) process.kill(current().postmaster.pid, 'SIGINT')
      } else {
        change(await ensureRunning(settings))
      }
      failures = 0
    } catch (error) {
      // Remains of a killed server can block the restart for a moment. Report only lasting failures, once.
      if (++failures === FAILURES_TO_REPORT) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
      }
    }
  }
}

function isSame(a: Postmaster | undefined, b: Postmaster): boolean {
  return a?.pid === b.pid && a.startedAt === b.startedAt
}

async function isAccepting({ isReady, socketFolder }: Postmaster): Promise<boolean> {
  return isReady && (await responds(socketFolder))
}

async function responds(host: string): Promise<boolean> {
  const client = new Client({
    host,
    port: 5432,
    user: 'postgres',
    database: 'postgres',
    connectionTimeoutMillis: 2_000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Rotates the log by copying and truncating it, because the server keeps the file open. */
function limitLog(path: string): void {
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < LARGEST_LOG_BYTES) return
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
  } catch {
    // The database matters more than its log.
  }
}
