// The web app's production build, made when its sources have changed. Built-in modules of Node 20.19 only.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { runForSetup, say, SetupError, withSetupLock } from './install.mjs'

/** What the build is made of. */
const SOURCES = [
  'apps/web',
  'packages/contract',
  'packages/outbound',
  'packages/process',
  'package-lock.json',
  'tsconfig.base.json',
]

/** What lies there and is no source of the build. */
const NOT_BUILT = new Set(['node_modules', '.next', '.next-before', 'test', 'next-env.d.ts'])

/** Builds the web app unless the build that is there was made from these very sources. */
export async function currentWebBuild(root, node, env) {
  const built = join(root, 'apps/web/.next')
  const stamp = join(built, 'sources-hash')
  const isWhole = () => existsSync(join(built, 'BUILD_ID'))
  const isCurrent = () => isWhole() && existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesHash(root)
  if (isCurrent()) return

  await withSetupLock(root, 'web-build', async () => {
    if (isCurrent()) return
    say('Building the web app. This takes half a minute or so.')
    const hash = sourcesHash(root)
    const before = join(root, 'apps/web/.next-before')
    putAside(built, before)
    const code = await build(root, node, env)
    if (code !== 0 || !isWhole()) {
      bringBack(built, before)
      throw new SetupError('The web app could not be built; the reason stands above. The build that was there is kept.')
    }
    writeFileSync(stamp, hash)
    rmSync(before, { recursive: true, force: true })
  })
}

/** Moves a build aside, but not its cache, which the next one uses. */
function putAside(built, before) {
  // Left by a build that was killed: what it had put aside is the last good one.
  if (existsSync(before)) bringBack(built, before)
  mkdirSync(before, { recursive: true })
  moveAll(built, before)
}

function bringBack(built, before) {
  for (const name of entries(built)) rmSync(join(built, name), { recursive: true })
  moveAll(before, built)
  rmSync(before, { recursive: true })
}

function moveAll(from, to) {
  mkdirSync(to, { recursive: true })
  for (const name of entries(from)) renameSync(join(from, name), join(to, name))
}

function entries(folder) {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'cache') : []
}

async function build(root, node, env) {
  const { code } = await runForSetup(node, [join(root, 'node_modules/next/dist/bin/next'), 'build'], {
    cwd: join(root, 'apps/web'),
    env: { ...env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  })
  return code
}

function sourcesHash(root) {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    for (const path of filesOf(join(root, source))) {
      hash.update(`${relative(root, path)}\n`).update(readFileSync(path))
    }
  }
  return hash.digest('hex')
}

function* filesOf(path) {
  if (statSync(path).isFile()) yield path
  else {
    for (const name of readdirSync(path).sort()) {
      if (!NOT_BUILT.has(name) && !name.endsWith('.tsbuildinfo')) yield* filesOf(join(path, name))
    }
  }
}
