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

/** The environment of PostgreSQL's programs: without this process's settings, and with the same locale everywhere. */
export const PROGRAM_ENVIRONMENT: Record<string, string> = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/** Separates the cluster's name from the unique part of a draft's name. */
const DRAFT = '.new-'

/** The file name of the socket, for the port that is always used. */
const SOCKET_NAME = '/.s.PGSQL.5432'

/** Socket paths are limited to 103 bytes on macOS and 107 on Linux. */
const LONGEST_SOCKET_PATH = 100

/** The settings for creating and running a cluster. */
export interface ClusterSettings {
  binaries: Binaries
  runAs: RunAs
  /** The cluster's files. */
  folder: string
  logFile: string
  /** False only in tests: commits then survive a crash of the server, but not of the machine. */
  durable: boolean
}

/** A server that has written its pid file. Start time and pid together identify it. */
export interface Postmaster {
  pid: number
  startedAt: string
  socketFolder: string
  /** True if its status is `ready`: false while it starts up or shuts down. */
  isReady: boolean
}

/** Creates the database files once. They get their final name only when they are complete. */
export async function createCluster(settings: ClusterSettings): Promise<void> {
  const { folder, binaries, runAs, logFile, durable } = settings
  if (existsSync(join(folder, 'PG_VERSION'))) {
    checkVersion(folder, binaries)
    // The user has changed since the cluster was created, e.g. because namespaces are no longer permitted.
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
    throw new StartupError(`The embedded PostgreSQL could not create its files in ${folder}: ${lastLines(logFile)}`)
  }
  renameSync(draft, folder)
  // Again: an initdb whose parent was just killed may have kept writing.
  removeDrafts(folder)
}

/** Removes the drafts of processes that died while they created a cluster. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(dirname(folder))) {
    if (!name.startsWith(`${basename(folder)}${DRAFT}`)) continue
    try {
      rmSync(join(dirname(folder), name), { recursive: true, force: true })
    } catch {
      // It only wastes disk space.
    }
  }
}

/** Reads the pid file. Undefined unless its process is a running PostgreSQL. */
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
 * Removes the lock files of a dead server. PostgreSQL does this itself unless a process with that id exists: another program after a restart of the
 * container, or the dead server as a zombie.
 */
export function removeStaleLocks(folder: string, socketFolder: string): void {
  for (const file of [
    join(folder, 'postmaster.pid'),
    `${socketFolder}${SOCKET_NAME}`,
    `${socketFolder}${SOCKET_NAME}.lock`,
  ]) {
    rmSync(file, { force: true })
  }
}

/**
 * Creates the folder for the server's socket: next to the data, or, if that path is too long for a socket, in the system's temporary folder, named
 * after the data directory. Only its owner can enter it.
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

/** Creates the folder, or checks an existing one: in a shared folder another user could have created it. */
export function prepareSocketFolder(folder: string, { user, owner }: RunAs): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const found = lstatSync(folder)
  const isPrivate =
    found.isDirectory() && [owner, process.geteuid?.()].includes(found.uid) && (found.mode & 0o077) === 0
  if (!isPrivate) {
    throw new StartupError(
      `${folder}, the folder for the embedded PostgreSQL's socket, can be used by others. Remove it.`,
    )
  }
  if (user) chownSync(folder, user.uid, user.gid)
}

/** The last lines of the log, joined. */
export function lastLines(logFile: string): string {
  return readFileSync(logFile, 'utf8').trim().split('\n').slice(-3).join(' | ') || 'there is no message in its log'
}

function checkVersion(folder: string, { major }: Binaries): void {
  const found = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim()
  if (found === major) return
  throw new StartupError(
    `The database in ${folder} was created by PostgreSQL ${found}, and this release contains PostgreSQL ${major}. ` +
      'Back it up with the release that you used before (npm run backup), and restore the backup into a new DATA_DIR (docs/backup.md).',
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
