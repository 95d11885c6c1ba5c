import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartupError } from '../startup.ts'

/**
 * As whom PostgreSQL's programs run. They refuse to run as root, so root starts them in a user namespace of their own, where they
 * are nobody and the files stay root's, or, where namespaces are denied, as another user.
 */
export interface RunAs {
  /** What to put in front of each command. */
  prefix: readonly string[]
  /** The user to run as and to own the files; undefined for the user that we are. */
  user?: { uid: number; gid: number }
  /** Who owns the data directory, seen from us. */
  owner: number
}

/** Decides as whom to run the cluster in `folder`, which may not be there yet. */
export function chooseRunAs(folder: string, binary: string): RunAs {
  const us = process.geteuid?.() ?? 0
  const there = lstatSync(folder, { throwIfNoEntry: false })
  if (us !== 0) {
    if (there && there.uid !== us) {
      throw new StartupError(`The database in ${folder} belongs to another user (id ${there.uid}). Start as that user.`)
    }
    return { prefix: [], owner: us }
  }
  if (there && there.uid !== 0) return { prefix: [], user: { uid: there.uid, gid: there.gid }, owner: there.uid }
  if (canUnshare()) return { prefix: ['unshare', '--user'], owner: 0 }
  return asNobody(folder, binary)
}

/** Gives a whole folder to the user of `identity`; nothing to do when that is who we are. */
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
    // Passing through is all that it needs; what lies in there is closed to it file by file.
    chmodSync(parent, lstatSync(parent).mode | 0o011)
    const reach = spawnSync('/bin/sh', ['-c', 'test -x "$0" && test -x "$1"', binary, parent], {
      ...user,
      stdio: 'ignore',
    })
    if (reach.status === 0) return { prefix: [], user, owner: user.uid }
  }
  throw new StartupError(
    'PostgreSQL refuses to run as root, and this machine lets it run neither in a user namespace nor as nobody. ' +
      'Start as another user, or set DATABASE_URL to a PostgreSQL server.',
  )
}
