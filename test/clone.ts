import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { repositoryRoot } from '@nmg/process'

/** Files that a fresh clone does not have. */
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

/** Creates a folder with the product as after cloning. */
export function freshClone(): { folder: string; remove(): void } {
  // Only this user can enter it, as with many home directories.
  const folder = mkdtempSync(join(tmpdir(), 'nmg-clone-'))
  const isCloned = (path: string) =>
    path === repositoryRoot || !(NOT_IN_A_CLONE.has(basename(path)) || basename(path).startsWith('.built'))
  cpSync(repositoryRoot, folder, { recursive: true, filter: isCloned })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
