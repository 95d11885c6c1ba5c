import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from './data-dir.ts'

const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }

/** The version of the product, as in the package.json at its root: for `User-Agent` and MCP's `clientInfo`. */
export const VERSION = manifest.version

/**
 * The version of the code as far as databases are concerned, of all processes together. Raise it by one when a migration needs code that knows about
 * it; the migration then names this number in its first line. Expand in one release and contract in a later one, so that the previous release
 * always runs on the tables of the next.
 */
export const DATABASE_RELEASE = 1
