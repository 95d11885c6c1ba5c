/** Moves a complete release to its final path. */
import { lstatSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { StartupError } from '../packages/process/src/index.ts'
import { processesRunning } from './running.mjs'

const ELSEWHERE = 'Build into another folder: npm run build -- --out <folder>'

/** @throws {StartupError} when `out` is not a release, is in use, or contains other files. */
export function refuseToReplace(out: string): void {
  const found = lstatSync(out, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isDirectory()) throw new StartupError(`${out} exists and is not a folder. ${ELSEWHERE}`)
  const names = readdirSync(out)
  if (names.length === 0) return
  const ours = contentsOf(out)
  if (ours === undefined) throw new StartupError(`${out} exists and is not a release. ${ELSEWHERE}`)
  const others = names.filter((name) => !ours.includes(name))
  if (others.length > 0) {
    throw new StartupError(
      `${out} contains ${others.join(', ')}, which is not part of its release. Move that elsewhere first.`,
    )
  }
  const [user] = processesRunning(join(realpathSync(dirname(out)), basename(out)))
  if (user) throw new StartupError(`${out} is in use by process ${user.pid} (${user.command}). ${ELSEWHERE}`)
}

/** Renames `part` to `out`, and removes the previous release there. */
export function replaceFolder(out: string, part: string): void {
  const old = join(dirname(out), `.${basename(out)}.old`)
  rmSync(old, { recursive: true, force: true })
  if (lstatSync(out, { throwIfNoEntry: false })) renameSync(out, old)
  renameSync(part, out)
  rmSync(old, { recursive: true, force: true })
}

/** The top-level names of a release as it was built; undefined if the folder is not a release. */
function contentsOf(folder: string): string[] | undefined {
  try {
    const { contents } = JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')) as { contents: string[] }
    return contents
  } catch {
    return undefined
  }
}
