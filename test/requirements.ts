import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'

/** The laws of the code that this release keeps. L13 belongs to the next one. */
export const LAWS = ['L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7', 'L8', 'L9', 'L10', 'L11', 'L12', 'L14'] as const
export type Law = (typeof LAWS)[number]

/** One line of a table of docs/testing.md. */
export interface Requirement {
  /** `L4`, `S12`, `G3`: several lines may have the id of the same law. */
  readonly id: string
  /** Files and folders, relative to the repository. */
  readonly keptBy: readonly string[]
  readonly tests: readonly NamedTest[]
}

export interface NamedTest {
  /** Relative to the repository. */
  readonly file: string
  /** As in the source: a title of `it.each` with its placeholders. */
  readonly title: string
}

/** Reads the lines `| id | statement | kept by | tests |` of a Markdown text. The tests are `` `file`: "title", "title"; … ``. */
export function requirementsIn(markdown: string): Requirement[] {
  return [...markdown.matchAll(/^\| ([LSG]\d+) \|(.*)\|$/gm)].map(([, id = '', rest = '']) => {
    const [, keptBy = '', tests = ''] = rest.split(' | ')
    return { id, keptBy: pathsIn(keptBy), tests: testsIn(tests) }
  })
}

const pathsIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path)

function testsIn(cell: string): NamedTest[] {
  return [...cell.matchAll(/`([^`]+)`: (.*?)(?=; `|\s*$)/g)].flatMap(([, file = '', titles = '']) =>
    titles
      .slice(1, -1)
      .split('", "')
      .map((title) => ({ file, title })),
  )
}

/** Why a named test, or without a title its file, cannot be found; undefined when it is there. */
export function faultOf({ file, title }: { file: string; title: string | undefined }): string | undefined {
  const path = join(repositoryRoot, file)
  if (!existsSync(path)) return `${file} does not exist`
  if (title === undefined || hasTitle(readFileSync(path, 'utf8'), title)) return undefined
  return `${file} has no test "${title}"`
}

/** Whether a test or a group in the source has exactly this title. */
export const hasTitle = (source: string, title: string): boolean =>
  ["'", '"', '`'].some((quote) => source.includes(`(${quote}${title}${quote},`) || startsLine(source, quote, title))

/** Prettier puts a title on a line of its own when the call is long. */
const startsLine = (source: string, quote: string, title: string): boolean =>
  source.split('\n').some((line) => line.trim() === `${quote}${title}${quote},`)
