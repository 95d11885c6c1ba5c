import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartupError } from '../startup.ts'

/**
 * The user that runs PostgreSQL's programs. They refuse to run as root, so root starts them in a user namespace of their own, where they run as nobody
 * on files of root, or, where namespaces are not permitted, as another user.
 */
export interface RunAs {
  /** The prefix of each command. */
  prefix: readonly string[]
  /** The user that runs the programs and owns the files; undefined for the current user. */
  user?: { uid: number; gid: number }
  /** The owner of the data directory, outside of the namespace. */
  owner: number
}

/** Chooses the user for the cluster in `folder`, which may not exist yet. */
export function chooseRunAs(folder: string, binary: string): RunAs {
  const self = process.geteuid?.() ?? 0
  const existing = lstatSync(folder, { throwIfNoEntry: false })
  if (self !== 0) {
    if (existing && existing.uid !== self) {
      throw new StartupError(
        `The database in ${folder} belongs to another user (id ${existing.uid}). Start as that user.`,
      )
    }
    return { prefix: [], owner: self }
  }
  if (existing && existing.uid !== 0) {
    return { prefix: [], user: { uid: existing.uid, gid: existing.gid }, owner: existing.uid }
  }
  if (canUnshare()) return { prefix: ['unshare', '--user'], owner: 0 }
  return asNobody(folder, binary)
}

/** Changes the owner of a folder and its contents to the user of `runAs`, if that is not the current user. */
export function changeOwner(folder: string, runAs: RunAs): void {
  const { user } = runAs
  if (!user) return
  chownSync(folder, user.uid, user.gid)
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(folder, entry), user.uid, user.gid)
  }
}

function canUnshare(): boolean {
  return process.platform === 'linux' && spawnSync('unshare', ['--user', 'true'], { stdio: 'ignore' }).status === 0
}

function asNobody(folder: string, binary: string): RunAs {
  const line = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m)
  const parent = join(folder, '..')
  if (line) {
    const user = { uid: Number(line[1]), gid: Number(line[2]) }
    // It only needs to traverse the folder; the files in it have permissions of their own.
    chmodSync(parent, lstatSync(parent).mode | 0o011)
    const check = spawnSync('/bin/sh', ['-c', 'test -x "$0" && test -x "$1"', binary, parent], {
      ...user,
      stdio: 'ignore',
    })
    if (check.status === 0) return { prefix: [], user, owner: user.uid }
  }
  throw new StartupError(
    'PostgreSQL refuses to run as root, and on this machine it can run neither in a user namespace nor as nobody. ' +
      'Start as another user, or set DATABASE_URL to a PostgreSQL server.',
  )
}
