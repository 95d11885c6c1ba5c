/** Runs tests in a copy of the repository, for scripts/mutations.ts. */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MutationTest } from '../test/mutations/mutation.ts'

/** A run that takes longer hangs: a mutation can turn a loop into an endless one. */
const RUN_TIMEOUT_MS = 180_000

/** The workspaces' own scope: their links must lead to the copy. */
const SCOPE = '@nmg'

/** A copy of the files that git knows or would add, with the installed dependencies of `root`. */
export function copyRepository(root: string): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-mutations-'))
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const file of list.toString().split('\0')) {
    if (file !== '' && existsSync(join(root, file))) cpSync(join(root, file), join(folder, file), { recursive: true })
  }
  for (const path of nodeModulesOf(root)) linkPackages(join(root, path), join(folder, path))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const nodeModulesOf = (root: string): string[] =>
  [
    '.',
    'runtime',
    ...['apps', 'packages'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name))),
  ]
    .map((folder) => join(folder, 'node_modules'))
    .filter((path) => existsSync(join(root, path)))

/** A folder with a link for each package, since caches are written beside them, and the links of workspaces are relative. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    if (name === SCOPE) cpSync(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true })
    else if (!name.startsWith('.vite')) symlinkSync(join(from, name), join(to, name))
  }
}

/** The vitest project to which a test file belongs. */
export function projectOf(file: string): string {
  const [parent = '', name = '', folder = ''] = file.split('/')
  if (parent === 'test') return 'repository'
  if (folder !== 'test') return 'unit'
  return name === 'notion-simulator' ? 'simulator' : name
}

/** Matches the full names of the tests with a title, whose placeholders can have any value. */
export function titlePattern(title: string): string {
  const escaped = title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return `${escaped.replaceAll(/%[sdifjoO#%]|\\\$[\w.]+/g, '.*')}$`
}

export interface TestResult {
  /** Relative to the copy. */
  readonly file: string
  readonly name: string
  readonly status: string
}

/** `broken`: no test failed, but the run did, for a reason in `output`. */
export interface RunResult {
  readonly outcome: 'passed' | 'failed' | 'broken'
  readonly tests: readonly TestResult[]
  readonly output: string
}

/** What is read of vitest's JSON report. */
interface Report {
  success: boolean
  testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[]
}

/**
 * Runs the tests of some files in a copy: those with the titles, if any are given, else all.
 *
 * @param options further options of vitest.
 */
export async function runTests(
  folder: string,
  tests: readonly MutationTest[],
  ...options: readonly string[]
): Promise<RunResult> {
  const reportFile = join(folder, '.mutation-report.json')
  rmSync(reportFile, { force: true })
  const files = [...new Set(tests.map(({ file }) => file))]
  const titles = tests.flatMap(({ title }) => (title === undefined ? [] : [titlePattern(title)]))
  const args = [
    'run',
    '--reporter=json',
    `--outputFile=${reportFile}`,
    '--retry=0',
    ...options,
    ...[...new Set(files.map(projectOf))].map((project) => `--project=${project}`),
    ...files,
    ...(titles.length > 0 ? ['-t', titles.join('|')] : []),
  ]
  const { output, isTimedOut } = await run('vitest', args, folder)
  if (isTimedOut) return { outcome: 'failed', tests: [], output }
  if (!existsSync(reportFile)) return { outcome: 'broken', tests: [], output }
  const { success, testResults } = JSON.parse(readFileSync(reportFile, 'utf8')) as Report
  const results = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, status }) => ({ file: name.replace(`${folder}/`, ''), name: fullName, status })),
  )
  if (results.some(({ status }) => status === 'failed')) return { outcome: 'failed', tests: results, output }
  const hasPassed = success && results.some(({ status }) => status === 'passed')
  return { outcome: hasPassed ? 'passed' : 'broken', tests: results, output }
}

function run(program: string, args: readonly string[], cwd: string): Promise<{ output: string; isTimedOut: boolean }> {
  // Its own group, so that it can be ended with the servers that it started.
  const child = spawn(program, args, { cwd, detached: true, env: { ...process.env, NO_COLOR: '1' } })
  let output = ''
  let isTimedOut = false
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const end = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, signal)
  }
  const timer = setTimeout(() => {
    isTimedOut = true
    end('SIGKILL')
  }, RUN_TIMEOUT_MS)
  const onExit = () => end('SIGTERM')
  process.on('exit', onExit)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      process.off('exit', onExit)
      resolve({ output, isTimedOut })
    })
  })
}
