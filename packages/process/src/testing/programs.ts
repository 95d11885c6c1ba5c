import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** The browser for tests; undefined if none is installed. */
export function chromiumProgram(): string | undefined {
  const onMac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
  return (
    process.env['CHROMIUM_PATH'] ||
    findInPath(['chromium', 'chromium-browser', 'google-chrome']) ||
    (existsSync(onMac) ? onMac : undefined)
  )
}

/** The Redis for tests; undefined if none is installed. */
export function redisProgram(): string | undefined {
  return findInPath(['redis-server', 'valkey-server'])
}

function findInPath(names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = spawnSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).stdout.trim()
    if (found) return found
  }
  return undefined
}
