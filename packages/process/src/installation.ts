import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The folder of an installation's `.env` and `.data`: the root of a checkout, or the parent of a release folder, which the next release replaces
 * completely. `npm run build` writes release.json.
 */
export function installationFolder(root: string): string {
  return existsSync(join(root, 'release.json')) ? dirname(root) : root
}
