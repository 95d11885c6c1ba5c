import { spawnSync } from 'node:child_process'
import { chromiumProgram, redisProgram } from '../packages/process/src/testing/programs.ts'
import { runProgram } from './programs.ts'

/** Programs that tests need and npm does not install: how to find them, and their Debian packages. */
const NEEDS = [
  { name: 'Chromium', isThere: () => chromiumProgram() !== undefined, packages: ['chromium', 'fonts-liberation'] },
  { name: 'redis-server', isThere: () => redisProgram() !== undefined, packages: ['redis-server'] },
]

/** Installs missing programs if apt exists and this process is root. Returns the names of those still missing. */
export async function missingAfterInstalling(): Promise<string[]> {
  const missing = NEEDS.filter(({ isThere }) => !isThere())
  if (missing.length > 0 && process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    const packages = missing.flatMap(({ packages: names }) => names)
    console.log(`Installing ${packages.join(', ')} for the tests.`)
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    // An outdated package list may name versions that the mirror has removed; without network the packages can still be in the cache.
    await runProgram('apt-get', ['update', '-qq'], env)
    await runProgram('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], env)
  }
  return NEEDS.filter(({ isThere }) => !isThere()).map(({ name }) => name)
}
