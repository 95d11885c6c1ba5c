import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'

/** The release that runs, as `1.2.3`. */
export function ownRelease(): string {
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }
  return version
}

/** Whether `release` came before `other`. What follows the three numbers does not count. */
export function isOlder(release: string, other: string): boolean {
  const [own, others] = [numbersOf(release), numbersOf(other)]
  const differing = own.findIndex((number, index) => number !== others[index])
  return differing >= 0 && (own[differing] ?? 0) < (others[differing] ?? 0)
}

function numbersOf(release: string): number[] {
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(release)
  if (!found) throw new Error(`${release} is no release.`)
  return found.slice(1).map(Number)
}
