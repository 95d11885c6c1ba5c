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
  removeClaims,
  socketFolder,
  type Postmaster,
} from './cluster.ts'
import { chooseRunAs } from './run-as.ts'
import { serverCommand, type ServerSettings } from './server-settings.ts'

/** How often a process looks whether the server that it uses is still there. */
const WATCH_INTERVAL_MS = 500

/** After how many failures in a row to start it again this is said. */
const FAILURES_TO_REPORT = 5

/** How long the server may take to come up; replaying what a crash left over is part of it. */
const START_DEADLINE_MS = 120_000

/** How long a server that is going down may take, before it is told to drop everything. */
const STOP_DEADLINE_MS = 15_000

const LARGEST_LOG_BYTES = 5 * 1024 * 1024

/** The embedded PostgreSQL of a data directory, in use by this process. */
export interface Server {
  url(database: string, user: string): string
  close(): Promise<void>
}

/** How the server is running: `watchdog` when this process started it, none when it found it running. */
interface Running {
  postmaster: Postmaster
  watchdog: WatchedProcess | undefined
}

/**
 * Uses the server that runs on `dataDir` already, or starts it. When it vanishes, be it with the process that had started it, it is
 * started again on the same socket, so URLs stay valid.
 */
export async function openServer(dataDir: string, options: { durable: boolean } = { durable: true }): Promise<Server> {
  const settings = await prepare(dataDir, options.durable)
  let running = await ensureRunning(settings)
  // A server that another process had started may listen elsewhere than we would have chosen.
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
      if (await accepts(found)) return { postmaster: found, watchdog: undefined }
      if (Date.now() > deadline) {
        throw new StartupError(
          `The embedded PostgreSQL (process ${found.pid}) does not answer. Stop that process and start again.`,
        )
      }
    }
    // A process id says nothing in another container; a socket that answers does.
    if (await answers(settings.socketFolder)) {
      throw new StartupError(
        `The embedded PostgreSQL in ${settings.folder} is in use from another container. Only one can use it: set DATABASE_URL.`,
      )
    }
    removeClaims(settings.folder, settings.socketFolder)
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
    if (postmaster && (await accepts(postmaster))) {
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
  const impatience = setTimeout(() => process.kill(postmaster.pid, 'SIGQUIT'), STOP_DEADLINE_MS)
  await watchdog.stop()
  clearTimeout(impatience)
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
    // Whatever goes wrong here, a full disk or too many open files, the process that uses the database goes on.
    try {
      if (current().watchdog) limitLog(settings.logFile)
      if (isSame(readPostmaster(settings.folder), current().postmaster)) {
        // Without its watchdog it would outlive us.
        if (current().watchdog?.hasExited()) process.kill(current().postmaster.pid, 'SIGINT')
      } else {
        change(await ensureRunning(settings))
      }
      failures = 0
    } catch (error) {
      // What a killed server leaves behind can be in the way for a moment; only what lasts is worth a word, once.
      if (++failures === FAILURES_TO_REPORT) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
      }
    }
  }
}

function isSame(a: Postmaster | undefined, b: Postmaster): boolean {
  return a?.pid === b.pid && a.startedAt === b.startedAt
}

async function accepts({ isReady, socketFolder }: Postmaster): Promise<boolean> {
  return isReady && (await answers(socketFolder))
}

async function answers(host: string): Promise<boolean> {
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

/** The server keeps the file open and appends to it, so the file is emptied in place, and what it held is kept beside it. */
function limitLog(path: string): void {
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < LARGEST_LOG_BYTES) return
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
  } catch {
    // The database matters more than its log.
  }
}
