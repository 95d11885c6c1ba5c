import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingAfterInstalling } from './browser-needs.ts'
import { failedChecks } from './checks.ts'
import { endProgramsWithUs, runProgram } from './programs.ts'

/** The members of Vitest's JSON report that are used here. */
interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { name: string; status: string; message: string; assertionResults: { status: string }[] }[]
}

endProgramsWithUs()

const missing = await missingAfterInstalling()
const checks = await failedChecks()
const { passed, failed, skipped } = await runTests(process.argv.slice(2))

for (const name of missing) {
  console.log(`\n!!! ${name} is missing and could not be installed: every test that needs it was SKIPPED. !!!`)
}
for (const name of checks) console.log(`\nThe check of ${name} failed.`)
console.log(`\n${passed} passed, ${failed + checks.length} failed, ${skipped} skipped`)
process.exitCode = failed + checks.length > 0 ? 1 : 0

async function runTests(args: readonly string[]): Promise<{ passed: number; failed: number; skipped: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-report-'))
  const file = join(folder, 'report.json')
  try {
    const code = await runProgram('vitest', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...args,
    ])
    return counts(JSON.parse(readFileSync(file, 'utf8')) as Report, code)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A file that could not be loaded has no failed tests, and a run can fail after its last test; each counts as one failure. */
function counts(report: Report, exitCode: number): { passed: number; failed: number; skipped: number } {
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = report.numFailedTests + brokenFiles
  return {
    passed: report.numPassedTests,
    failed: exitCode !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}
