import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installationFolder } from './installation.ts'
import type { Environment } from './settings.ts'
import { StartupError } from './startup.ts'

/** The folder that holds the whole product, without a slash at its end. */
export const repositoryRoot: string = resolve(fileURLToPath(import.meta.url), '../../../..')

/**
 * The folder where the product keeps what it must not lose: `DATA_DIR` (seen from {@link installationFolder}), else `.data` there. Made when it
 * is missing, for this user only.
 *
 * @throws {StartupError} when it cannot be written, or when others can write it: they could put keys of their own there.
 */
export function openDataDir(env: Environment, root: string): string {
  const folder = resolve(installationFolder(root), env['DATA_DIR'] || '.data')
  const probe = join(folder, `.probe-${randomUUID()}`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    refuseOthers(folder)
    closeSync(openSync(probe, 'wx', 0o600))
    rmSync(probe)
  } catch (error) {
    if (error instanceof StartupError) throw error
    const code = (error as NodeJS.ErrnoException).code
    throw new StartupError(`The data directory ${folder} cannot be written (${code}). Set DATA_DIR to one that can.`, {
      cause: error,
    })
  }
  return folder
}

function refuseOthers(folder: string): void {
  const { uid, mode } = statSync(folder)
  if (!isOurs(uid)) {
    throw new StartupError(
      `The data directory ${folder} belongs to another user. Set DATA_DIR to a folder of your own.`,
    )
  }
  if ((mode & 0o022) !== 0) {
    throw new StartupError(`The data directory ${folder} can be written by others. Run: chmod 700 '${folder}'`)
  }
}

/** Files of root are as good as our own: who is root needs no trick. */
const isOurs = (uid: number) => process.geteuid === undefined || [process.geteuid(), 0].includes(uid)

/**
 * A secret that is made once and kept in the file `<folder>/<name>`, readable by this user only. Processes that ask at the same time
 * get the same one, and it is never rewritten.
 *
 * @throws {StartupError} when the file is empty, or when others could read it.
 */
export function loadOrCreateSecret(folder: string, name: string, make: () => string): string {
  const path = join(folder, name)
  return stored(path) ?? store(path, make())
}

function stored(path: string): string | undefined {
  let file: number
  try {
    // Not through a link, and everything from one descriptor: what is looked at is what is read.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return undefined
    throw new StartupError(`The secret in ${path} cannot be read (${code}).`, { cause: error })
  }
  const { uid, mode: bits } = fstatSync(file)
  const mode = bits & 0o777
  const value = readFileSync(file, 'utf8').trim()
  closeSync(file)
  if (!isOurs(uid)) throw new StartupError(`The secret in ${path} belongs to another user. Remove it.`)
  if ((mode & 0o077) !== 0) {
    throw new StartupError(
      `The secret in ${path} can be read by others (mode ${mode.toString(8)}). Run: chmod 600 '${path}'`,
    )
  }
  if (value === '')
    throw new StartupError(`The secret in ${path} is empty. Restore it, or delete the file to have a new one made.`)
  return value
}

/** Linking a finished file under its name is atomic and fails when the name is there: the first process wins, whole. */
function store(path: string, value: string): string {
  const draft = `${path}.${randomUUID()}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${value}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  const winner = stored(path)
  if (winner === undefined) throw new StartupError(`The secret in ${path} vanished while it was made.`)
  return winner
}
