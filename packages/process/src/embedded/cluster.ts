import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isAlive } from '../file-lock.mjs'
import { startWatched } from '../watchdog.ts'
import { StartupError } from '../startup.ts'
import type { Binaries } from './binaries.ts'
import { changeOwner, type RunAs } from './run-as.ts'

/** The environment of PostgreSQL's programs: none of our settings, and the same messages and sorting everywhere. */
export const PROGRAM_ENVIRONMENT: Record<string, string> = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/** Between the cluster's name and what makes a draft's name unique. */
const DRAFT = '.new-'

/** The part of a socket's path after its folder, for the port that we always use. */
const SOCKET_NAME = '/.s.PGSQL.5432'

/** Socket paths may have 103 bytes on macOS and 107 on Linux. */
const LONGEST_SOCKET_PATH = 100

/** What making and running a cluster takes. */
export interface ClusterSettings {
  binaries: Binaries
  runAs: RunAs
  /** The cluster's files. */
  folder: string
  logFile: string
  /** False only for tests: then what is committed survives a crash of the server, but not of the machine. */
  durable: boolean
}

/** A server that has written its pid file. Start time and pid together name it for good. */
export interface Postmaster {
  pid: number
  startedAt: string
  socketFolder: string
  /** Whether it says itself that it accepts connections: not while it comes up or goes down. */
  isReady: boolean
}

/** Makes the database files once. They appear under their final name only when they are complete. */
export async function createCluster(settings: ClusterSettings): Promise<void> {
  const { folder, binaries, runAs, logFile, durable } = settings
  if (existsSync(join(folder, 'PG_VERSION'))) {
    checkVersion(folder, binaries)
    // The way we can run it as has changed since it was made: namespaces are denied now.
    if (lstatSync(folder).uid !== runAs.owner) changeOwner(folder, runAs)
    return
  }
  removeDrafts(folder)
  const draft = `${folder}${DRAFT}${randomUUID()}`
  mkdirSync(draft, { mode: 0o700 })
  changeOwner(draft, runAs)
  const options = [
    '--auth=trust',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ]
  const command = [...runAs.prefix, binaries.initdb, '-D', draft, '-U', 'postgres', ...options]
  const code = await startWatched(command, { logFile, env: PROGRAM_ENVIRONMENT, user: runAs.user }).exited
  if (code !== 0) {
    throw new StartupError(`The embedded PostgreSQL could not make its files in ${folder}: ${lastLines(logFile)}`)
  }
  renameSync(draft, folder)
  // Once more: what a process had started that was killed a moment ago may have written on for a while.
  removeDrafts(folder)
}

/** What a process left that died while it made the files. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(dirname(folder))) {
    if (!name.startsWith(`${basename(folder)}${DRAFT}`)) continue
    try {
      rmSync(join(dirname(folder), name), { recursive: true, force: true })
    } catch {
      // It only takes space.
    }
  }
}

/** The server that its pid file names, if that process is alive and a PostgreSQL; a pid file left by a dead one counts for nothing. */
export function readPostmaster(folder: string): Postmaster | undefined {
  let lines: string[]
  try {
    lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [pid = '', , startedAt = '', , socketFolder = '', , , status = ''] = lines
  if (!isAlive(Number(pid)) || !isPostgres(Number(pid))) return undefined
  return { pid: Number(pid), startedAt, socketFolder, isReady: status.trim() === 'ready' }
}

/**
 * Removes the files by which a dead server still claims the data and the socket. PostgreSQL does so itself unless their process id exists,
 * and it does when another program has it now, as after a restart of the container, or when nobody has buried the dead server.
 */
export function removeClaims(folder: string, socketFolder: string): void {
  for (const claim of [
    join(folder, 'postmaster.pid'),
    `${socketFolder}${SOCKET_NAME}`,
    `${socketFolder}${SOCKET_NAME}.lock`,
  ]) {
    rmSync(claim, { force: true })
  }
}

/**
 * The folder for the server's socket: beside the data, or, when that path is too long for a socket, one in the system's folder for
 * temporary files, named after the data directory. Nobody but its owner can enter it.
 */
export function socketFolder(dataDir: string, runAs: RunAs): string {
  const beside = join(dataDir, 'postgres-socket')
  const name = `nmg-${createHash('sha256').update(dataDir).digest('hex').slice(0, 20)}`
  const folder = [beside, join(tmpdir(), name), join('/tmp', name)].find(
    (path) => Buffer.byteLength(path + SOCKET_NAME) < LONGEST_SOCKET_PATH,
  )
  if (folder === undefined) throw new StartupError(`The data directory ${dataDir} cannot hold a socket.`)
  prepareSocketFolder(folder, runAs)
  return folder
}

/** Makes the folder, or checks that it is what we would have made: in a shared folder somebody else could have made it first. */
export function prepareSocketFolder(folder: string, { user, owner }: RunAs): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const found = lstatSync(folder)
  const isOurs = found.isDirectory() && [owner, process.geteuid?.()].includes(found.uid) && (found.mode & 0o077) === 0
  if (!isOurs) {
    throw new StartupError(`${folder}, the folder for the embedded PostgreSQL's socket, is open to others. Remove it.`)
  }
  if (user) chownSync(folder, user.uid, user.gid)
}

/** The end of the log, in one line. */
export function lastLines(logFile: string): string {
  return readFileSync(logFile, 'utf8').trim().split('\n').slice(-3).join(' | ') || 'no reason was given'
}

function checkVersion(folder: string, { major }: Binaries): void {
  const found = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim()
  if (found === major) return
  throw new StartupError(
    `The database in ${folder} is of PostgreSQL ${found}, and this version brings PostgreSQL ${major}. ` +
      'Back it up with the release that you used before (npm run backup), and restore that into a new DATA_DIR (docs/backup.md).',
  )
}

function isPostgres(pid: number): boolean {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres')
    } catch {
      return false
    }
  }
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes('postgres')
}
