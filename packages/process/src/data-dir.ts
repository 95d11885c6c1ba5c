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

/** The root folder of the product, without a trailing slash. */
export const repositoryRoot: string = resolve(fileURLToPath(import.meta.url), '../../../..')

/**
 * Opens the folder for persistent data: `DATA_DIR` (relative to {@link installationFolder}), by default `.data` there. Creates it if it is missing, for
 * this user only.
 *
 * @throws {StartupError} when it is not writable, or when other users can write it: they could place their own keys there.
 */
export function openDataDir(env: Environment, root: string): string {
  const folder = resolve(installationFolder(root), env['DATA_DIR'] || '.data')
  const probe = join(folder, `.probe-${randomUUID()}`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    refuseForeign(folder)
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

function refuseForeign(folder: string): void {
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

/** Files of root are trusted too: root can do everything anyway. */
const isOurs = (uid: number) => process.geteuid === undefined || [process.geteuid(), 0].includes(uid)

/**
 * Returns the secret in the file `<folder>/<name>`, which is created once, readable by this user only, and never rewritten. Concurrent processes get
 * the same secret.
 *
 * @throws {StartupError} when the file is empty, or when other users can read it.
 */
export function loadOrCreateSecret(folder: string, name: string, make: () => string): string {
  const path = join(folder, name)
  return readSecret(path) ?? storeSecret(path, make())
}

function readSecret(path: string): string | undefined {
  let file: number
  try {
    // Do not follow links, and check and read through one descriptor, so that the file cannot be swapped in between.
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
    throw new StartupError(`The secret in ${path} is empty. Restore it, or delete the file to create a new one.`)
  return value
}

/** Linking a complete file under its final name is atomic and fails if the name exists: the first process wins. */
function storeSecret(path: string, value: string): string {
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
  const winner = readSecret(path)
  if (winner === undefined) throw new StartupError(`The secret in ${path} disappeared while it was created.`)
  return winner
}
