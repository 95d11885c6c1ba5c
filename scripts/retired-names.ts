import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../packages/process/src/index.ts'

const LIST = 'scripts/retired-names.txt'
const SOURCES = ['apps', 'bench', 'packages', 'scripts', 'test'].map((folder) => `${folder}/**/*.{ts,tsx,mts,mjs}`)

/** The names of the list, one per line; `#` starts a comment. */
export const namesIn = (list: string): string[] =>
  list
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

/** The retired names that `source` declares, as `line: name`. Uses of a name are left alone: a library may declare it. */
export function retiredIn(source: string, names: ReadonlySet<string>): string[] {
  return source.split('\n').flatMap((line, index) => {
    const code = line.replace(/^\s*(\/\/|\*|\/\*).*/, '')
    const declared = [...code.matchAll(/\b(?:class|interface|type|enum|function\*?|const|let|var)\s+([\w$]+)/g)]
    return declared.flatMap(([, name = '']) => (names.has(name) ? [`${index + 1}: ${name}`] : []))
  })
}

/** Every declaration of a retired name in the repository, as `path:line: name`. */
export function retiredNames(): string[] {
  const names = new Set(namesIn(readFileSync(join(repositoryRoot, LIST), 'utf8')))
  const paths = globSync(SOURCES, {
    cwd: repositoryRoot,
    exclude: (path) => /(^|\/)(node_modules|runtime|dist|release|\.(?!\/)[^/]*)$/.test(String(path)),
  })
  return paths.flatMap((path) =>
    retiredIn(readFileSync(join(repositoryRoot, path), 'utf8'), names).map((one) => `${path}:${one}`),
  )
}
