/** Writes a release: the contents that `release-contents.ts` lists, copied from this checkout. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  existsSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { findBinaries } from '../packages/process/src/embedded/binaries.ts'
import { DATABASE_RELEASE, repositoryRoot } from '../packages/process/src/index.ts'
import {
  isEmbeddedDatabase,
  isLoadedFromPackage,
  isReleasedSource,
  NODE_RANGE,
  productionPackages,
  RELEASED_WORKSPACES,
  releaseManifest,
  ROOT_FILES,
  type LockedPackage,
} from './release-contents.ts'

/** The content of `release.json`. */
export interface Release {
  /** Of its web app: pages of another release are reloaded. */
  readonly release: string
  readonly version: string
  readonly builtAt: string
  readonly node: string
  /** The number of its code's database release, to which the migrations refer. */
  readonly databaseRelease: number
  readonly embeddedDatabase: boolean
  /** All of its top-level names. */
  readonly contents: readonly string[]
}

/** Creates the folder `out`, which must not exist. */
export function writeRelease(out: string, options: { readonly withoutEmbeddedDatabase: boolean }): Release {
  mkdirSync(out, { recursive: true })
  for (const name of [...ROOT_FILES, 'docs', 'scripts']) copySource(name, out)
  for (const path of packagesFor(options)) copyPackage(path, out)
  copyWebBuild(out)
  copyNode(out)
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    version: string
    scripts: Record<string, string>
  }
  writeJson(join(out, 'package.json'), releaseManifest(manifest))
  const release = {
    release: readFileSync(join(out, 'apps/web/.built/BUILD_ID'), 'utf8'),
    version: manifest.version,
    builtAt: new Date().toISOString(),
    node: NODE_RANGE,
    databaseRelease: DATABASE_RELEASE,
    embeddedDatabase: !options.withoutEmbeddedDatabase,
    contents: [...readdirSync(out), 'release.json'],
  }
  writeJson(join(out, 'release.json'), release)
  return release
}

function packagesFor({ withoutEmbeddedDatabase }: { readonly withoutEmbeddedDatabase: boolean }): string[] {
  // Creates the links in its package now, because a read-only release cannot.
  if (!withoutEmbeddedDatabase) findBinaries()
  const lock = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  return productionPackages(
    lock.packages,
    RELEASED_WORKSPACES,
    (path) => existsSync(join(repositoryRoot, path)),
    (name) => withoutEmbeddedDatabase && isEmbeddedDatabase(name),
  )
}

function copyPackage(path: string, out: string): void {
  if (!path.includes('node_modules/')) return copySource(path, out)
  const from = join(repositoryRoot, path)
  const to = join(out, path)
  mkdirSync(dirname(to), { recursive: true })
  const workspace = relative(repositoryRoot, realpathSync(from))
  if (!workspace.includes('node_modules')) symlinkSync(relative(dirname(to), join(out, workspace)), to)
  else copy(from, to, (below) => !below.includes('node_modules') && isLoadedFromPackage(`${path}/${below}`))
}

function copySource(path: string, out: string): void {
  copy(join(repositoryRoot, path), join(out, path), (below) => isReleasedSource(join(path, below)))
}

/** A link in a checkout becomes a folder. */
function copyWebBuild(out: string): void {
  const path = 'apps/web/.built'
  copy(realpathSync(join(repositoryRoot, path)), join(out, path), (below) => !/^(diagnostics|trace)|\.map$/.test(below))
}

/** The Node that runs this script, if it is the one from npm: this machine has no other that is new enough. */
function copyNode(out: string): void {
  const path = relative(repositoryRoot, dirname(dirname(process.execPath)))
  if (!path.startsWith('runtime/node_modules/')) return
  copySource('runtime/package.json', out)
  for (const part of ['package.json', 'LICENSE', 'bin/node']) {
    copy(join(repositoryRoot, path, part), join(out, path, part), () => true)
  }
}

/** @param isWanted called for each path below `from`, and for ''. */
function copy(from: string, to: string, isWanted: (below: string) => boolean): void {
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => isWanted(relative(from, path)),
  })
}

function writeJson(path: string, content: object): void {
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`)
}
