import { advisories } from './advisories.ts'
import { failedChecks } from './checks.ts'
import { endProgramsWithUs } from './programs.ts'

endProgramsWithUs()
const failed = await failedChecks()
console.log(`info   advisories: ${await advisories()}`)
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}.`)
  process.exitCode = 1
}
