/**
 * `npm run test:mutations [-- L4 L7]`: breaks each law of docs/testing.md in several ways, in a copy of the repository, and runs the tests that are
 * named for it. They must fail.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../packages/process/src/index.ts'
import { mutations } from '../test/mutations/all.ts'
import type { Mutation, MutationTest } from '../test/mutations/mutation.ts'
import { copyRepository, runTests, titlePattern, type TestResult } from './mutation-run.ts'

/** A broken law often shows by something that never comes, and the tests that wait for it take seconds when it does. */
const UNTIL_ONE_FAILS = ['--bail=1', '--testTimeout=30000'] as const

type Verdict = 'killed' | 'SURVIVED' | 'BROKEN' | 'NOT FOUND'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

const laws = process.argv.slice(2)
const chosen = mutations.filter(({ law }) => laws.length === 0 || laws.includes(law))
const copy = copyRepository(repositoryRoot)
process.on('exit', copy.remove)
process.exitCode = (await passesWithout(chosen)) && (await areKilled(chosen)) ? 0 : 1

/** Without a mutation, all the tests pass; otherwise their failure with one would prove nothing. */
async function passesWithout(list: readonly Mutation[]): Promise<boolean> {
  console.log(`Without a mutation: the tests of ${list.length} mutations`)
  const tests = list.map(({ test }) => test)
  for (const group of [tests.filter(({ title }) => !title), tests.filter(({ title }) => title)]) {
    if (group.length === 0) continue
    const { outcome, tests: results, output } = await runTests(copy.folder, group)
    const missing = group.filter((test) => !results.some((result) => isOf(test, result)))
    if (outcome === 'passed' && missing.length === 0) continue
    for (const { file, title } of missing) console.error(`No test ran for ${file} ${title ?? ''}`)
    for (const { file, name, status } of results)
      if (status === 'failed') console.error(`Fails without a mutation: ${file} ${name}`)
    if (outcome === 'broken') console.error(output)
    return false
  }
  return true
}

function isOf({ file, title }: MutationTest, result: TestResult): boolean {
  if (result.status !== 'passed' || result.file !== file) return false
  return title === undefined || new RegExp(titlePattern(title)).test(result.name)
}

async function areKilled(list: readonly Mutation[]): Promise<boolean> {
  const counts: Partial<Record<Verdict, number>> = {}
  for (const mutation of list) {
    const started = performance.now()
    const verdict = await judge(mutation)
    counts[verdict] = (counts[verdict] ?? 0) + 1
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${mutation.law.padEnd(4)}${verdict.padEnd(10)}${seconds.padStart(6)} s  ${mutation.fault}`)
    if (verdict !== 'killed')
      console.log(`      ${mutation.file}, tests: ${mutation.test.file} ${mutation.test.title ?? ''}`)
  }
  console.log(
    `\n${Object.entries(counts)
      .map(([verdict, count]) => `${count} ${verdict}`)
      .join(', ')}`,
  )
  return list.length > 0 && counts.killed === list.length
}

async function judge({ file, text, replacement, test }: Mutation): Promise<Verdict> {
  const path = join(copy.folder, file)
  const source = readFileSync(path, 'utf8')
  const [before, after, ...more] = source.split(text)
  if (before === undefined || after === undefined || more.length > 0) return 'NOT FOUND'
  writeFileSync(path, before + replacement + after)
  try {
    const { outcome, output } = await runTests(copy.folder, [test], ...UNTIL_ONE_FAILS)
    if (outcome === 'broken') console.log(output)
    return outcome === 'failed' ? 'killed' : outcome === 'passed' ? 'SURVIVED' : 'BROKEN'
  } finally {
    writeFileSync(path, source)
  }
}
