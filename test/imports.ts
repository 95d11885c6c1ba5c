import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Static imports and exports, and dynamic imports of a literal; not imports of types, which are erased. */
const IMPORT = /^(?:import|export) (?!type )(?:[^'"]*? from )?'([^']+)'|\bimport\('([^']+)'\)|^\} from '([^']+)'/gm

/** The source files of a built product: everything except packages and the web app's build. */
export function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', '.built', 'runtime'].includes(entry.name) ? [] : sourcesOf(path)
    return /\.m?[tj]s$/.test(entry.name) && !entry.name.endsWith('.d.mts') ? [path] : []
  })
}

/** Imports of missing files, as `<file>: <import>`. */
export function missingImports(folder: string): string[] {
  return sourcesOf(folder).flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(IMPORT)]
      .map((match) => match.slice(1).find(Boolean) ?? '')
      .filter((name) => !canImport(folder, path, name))
      .map((name) => `${path}: ${name}`),
  )
}

/** Resolves only within the product's folder. */
function canImport(root: string, from: string, name: string): boolean {
  if (name.startsWith('.')) return existsSync(join(dirname(from), name))
  // The alias of the web app's build.
  if (name.startsWith('@/')) return existsSync(join(root, 'apps/web', name.slice(2)))
  if (name.startsWith('node:')) return true
  const [scope = '', second = ''] = name.split('/')
  const packageName = scope.startsWith('@') ? `${scope}/${second}` : scope
  const folders = createRequire(from).resolve.paths(packageName) ?? []
  return folders.some((folder) => folder.startsWith(root) && existsSync(join(folder, packageName)))
}
