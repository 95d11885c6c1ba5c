import { spawnSync } from 'node:child_process'
import { chromiumProgram, redisProgram } from '../packages/process/src/testing/programs.ts'
import { runProgram } from './programs.ts'

/** What tests need that npm does not bring: how to find it, and Debian's packages for it. */
const NEEDS = [
  { name: 'Chromium', isThere: () => chromiumProgram() !== undefined, packages: ['chromium', 'fonts-liberation'] },
  { name: 'redis-server', isThere: () => redisProgram() !== undefined, packages: ['redis-server'] },
]

/** Installs what is missing, where apt is and we are root. Answers the names of what is still missing. */
export async function missingAfterInstalling(): Promise<string[]> {
  const missing = NEEDS.filter(({ isThere }) => !isThere())
  if (missing.length > 0 && process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    const packages = missing.flatMap(({ packages: names }) => names)
    console.log(`Installing ${packages.join(', ')} for the tests.`)
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    // What an old list names may be gone from the mirror; without network the packages can still be in the cache.
    await runProgram('apt-get', ['update', '-qq'], env)
    await runProgram('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], env)
  }
  return NEEDS.filter(({ isThere }) => !isThere()).map(({ name }) => name)
}
