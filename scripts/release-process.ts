/**
 * Reduces a release to one process, for its image: `node scripts/release-process.ts gateway|web <release>`, in the checkout that the release was
 * built from. Removes the other process and the packages that only that one needs.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { productionPackages, RELEASED_WORKSPACES, type LockedPackage } from './release-contents.ts'

const [name = '', release = ''] = process.argv.slice(2)
const workspace = `apps/${name}`
if (!RELEASED_WORKSPACES.includes(workspace) || !existsSync(join(release, 'release.json'))) {
  console.error('Usage: node scripts/release-process.ts gateway|web <release>')
  process.exit(1)
}

const lockFile = readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')
const { packages } = JSON.parse(lockFile) as { packages: Record<string, LockedPackage> }
const packagesOf = (workspaces: readonly string[]) =>
  productionPackages(packages, workspaces, (path) => existsSync(join(release, path)))

const kept = new Set(packagesOf([workspace]))
const removed = packagesOf(RELEASED_WORKSPACES).filter((path) => !kept.has(path))
for (const path of removed) rmSync(join(release, path), { recursive: true, force: true })
console.log(`${release}: kept the ${name} and ${kept.size} packages.`)
