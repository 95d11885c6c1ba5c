import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../packages/process/src/index.ts'
import { runProgram } from './programs.ts'
import { retiredNames } from './retired-names.ts'

/** All static checks. */
export async function failedChecks(): Promise<string[]> {
  const checks: [string, string, string[]][] = [
    ...typedFolders().map((folder): [string, string, string[]] => [`types in ${folder}`, 'tsc', ['-p', folder]]),
    ['lint', 'oxlint', ['--deny-warnings']],
    ['dead code', 'knip', []],
    ['generated documents', 'node', ['scripts/generate.ts', '--check']],
    ['formatting', 'prettier', ['--check', '--log-level=warn', '.']],
  ]
  const failed: string[] = []
  for (const [name, program, args] of checks) {
    const code = await runProgram(program, args)
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}`)
    if (code !== 0) failed.push(name)
  }
  const retired = retiredNames()
  for (const found of retired) console.log(`${found} is a retired name; docs/glossary.md has the term to use`)
  console.log(`${retired.length === 0 ? 'ok    ' : 'FAILED'} names`)
  if (retired.length > 0) failed.push('names')
  return failed
}

function typedFolders(): string[] {
  const workspaces = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(repositoryRoot, parent)).map((name) => join(parent, name)),
  )
  return [...workspaces, 'scripts', 'test', 'bench'].filter((folder) =>
    existsSync(join(repositoryRoot, folder, 'tsconfig.json')),
  )
}
