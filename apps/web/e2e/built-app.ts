import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const APP = resolve(import.meta.dirname, '..')
const CONTRACT = resolve(APP, '../../packages/contract/src')

/** What `next build` reads; main.ts and server/ run as they are. */
const SOURCES = [
  ...[
    'app',
    'components',
    'features',
    'lib',
    'next.config.mjs',
    'tsconfig.json',
    'tsconfig.build.json',
    'instrumentation-client.ts',
  ].map((name) => join(APP, name)),
  CONTRACT,
]

/** Builds the app unless a build stands that is newer than everything it is made of. */
export function buildApp(): void {
  const build = join(APP, '.next', 'BUILD_ID')
  if (existsSync(build) && newest(SOURCES) < statSync(build).mtimeMs) return
  try {
    execFileSync(process.execPath, [nextCommand(), 'build', APP], {
      encoding: 'utf8',
      env: { ...process.env, NODE_ENV: 'production' },
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`next build failed:\n${stdout}\n${stderr}`, { cause: error })
  }
}

function newest(paths: readonly string[]): number {
  return Math.max(
    ...paths.map((path) => {
      const stat = statSync(path)
      return stat.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : stat.mtimeMs
    }),
    0,
  )
}

function nextCommand(): string {
  for (let folder = APP; folder !== dirname(folder); folder = dirname(folder)) {
    const command = join(folder, 'node_modules/next/dist/bin/next')
    if (existsSync(command)) return command
  }
  throw new Error('next is not installed')
}
