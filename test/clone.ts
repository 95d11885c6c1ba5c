import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { repositoryRoot } from '@nmg/process'

/** What a fresh clone does not have. */
const NOT_IN_A_CLONE = new Set([
  'node_modules',
  '.git',
  '.next',
  '.next-dev',
  'release',
  '.data',
  '.stamps',
  '.env',
  'dist',
  'coverage',
])

/** A folder with the product as it is after cloning. */
export function freshClone(): { folder: string; remove(): void } {
  // Nobody but us can enter it, as is the case for the home directories of many.
  const folder = mkdtempSync(join(tmpdir(), 'nmg-clone-'))
  const isCloned = (path: string) =>
    path === repositoryRoot || !(NOT_IN_A_CLONE.has(basename(path)) || basename(path).startsWith('.built'))
  cpSync(repositoryRoot, folder, { recursive: true, filter: isCloned })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
