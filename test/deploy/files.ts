import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { parseAllDocuments } from 'yaml'

export const deployFolder: string = join(repositoryRoot, 'deploy')

export const readDeployFile = (name: string): string => readFileSync(join(deployFolder, name), 'utf8')

export const deployFiles = (folder: string): string[] =>
  readdirSync(join(deployFolder, folder)).map((name) => join(folder, name))

/** The documents of a YAML file, with its anchors and merge keys resolved. Fails on errors and warnings. */
export function readYaml(name: string): unknown[] {
  return parseYaml(readDeployFile(name))
}

export function parseYaml(text: string): unknown[] {
  return parseAllDocuments(text, { merge: true }).map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem) throw problem
    return document.toJS() as unknown
  })
}

/** The instructions of a Containerfile's last stage, and the defaults of its build arguments. */
export interface Image {
  readonly args: ReadonlyMap<string, string | undefined>
  readonly env: Readonly<Record<string, string>>
  readonly user: string
  readonly port: number
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly healthcheck: string
  readonly stages: readonly (readonly string[])[]
}

export function readImage(name: 'gateway' | 'web'): Image {
  const lines = readDeployFile(`${name}.Containerfile`)
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const stages: string[][] = []
  for (const line of lines) {
    if (line.startsWith('FROM ')) stages.push([])
    stages.at(-1)?.push(line)
  }
  const last = stages.at(-1) ?? []
  const said = (instruction: string) => {
    const found = last.filter((line) => line.startsWith(`${instruction} `))
    if (found.length !== 1)
      throw new Error(`${name}.Containerfile has ${found.length} ${instruction} in its last stage.`)
    return (found[0] ?? '').slice(instruction.length + 1)
  }
  return {
    args: new Map(
      lines
        .filter((line) => line.startsWith('ARG '))
        .map((line) => line.slice(4).split('='))
        .map(([arg = '', value]) => [arg, value]),
    ),
    env: Object.fromEntries(
      said('ENV')
        .split(' ')
        .map((pair) => pair.split('=') as [string, string]),
    ),
    user: said('USER'),
    port: Number(said('EXPOSE')),
    entrypoint: JSON.parse(said('ENTRYPOINT')) as string[],
    command: JSON.parse(said('CMD')) as string[],
    healthcheck: said('HEALTHCHECK'),
    stages,
  }
}
