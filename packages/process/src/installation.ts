import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Where an installation keeps what is its own (`.env`, `.data`): in a checkout its root; beside a release folder, since the next release takes the
 * place of the whole folder. `npm run build` writes release.json.
 */
export function installationFolder(root: string): string {
  return existsSync(join(root, 'release.json')) ? dirname(root) : root
}
