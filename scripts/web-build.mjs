// Builds the web app for production if its sources have changed. Uses only built-in modules of Node 20.19.
//
// Each build has a separate folder, named by the digest of its sources, and `.built` links to the latest. A running web app keeps the folder that
// the link named when it started, so a new build does not affect it.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { runForSetup, say, SetupError, withSetupLock } from './install.mjs'
import { processesRunning } from './running.mjs'

/** The files and folders of the digest. */
const SOURCES = [
  'apps/web',
  'packages/contract',
  'packages/outbound',
  'packages/process',
  'package-lock.json',
  'tsconfig.base.json',
]

/** Paths in these folders that are not sources of the build. */
const NOT_BUILT = new Set(['node_modules', '.next', '.next-dev', 'test', 'next-env.d.ts'])

/** Names of builds, and of the link to the latest one. All are in one folder: a build refers to node_modules by relative paths. */
const BUILT = '.built'

/** Files that stay in Next's build folder: its cache, and the types for editors and checks. */
const KEPT_FOR_NEXT_BUILD = new Set(['cache', 'dev', 'types'])

/** Builds the web app unless its latest build is from the same sources. */
export async function currentWebBuild(root, node, env) {
  if (isCurrentWebBuild(root)) return
  await withSetupLock(root, 'web-build', async () => {
    if (isCurrentWebBuild(root)) return
    const app = join(root, 'apps/web')
    const name = buildName(root)
    if (!isWhole(join(app, name))) {
      say('Building the web app. This takes half a minute or so.')
      await build(root, node, env)
      moveBuild(join(app, '.next'), join(app, name))
    }
    pointTo(app, name)
    if (processesRunning(join(app, 'main.ts')).length === 0) removeOtherBuilds(app, name)
  })
}

/** True if the latest build is from the current sources. */
export function isCurrentWebBuild(root) {
  const app = join(root, 'apps/web')
  return latestBuild(app) === buildName(root) && isWhole(join(app, BUILT))
}

/** True if there is a build to start, from any sources. */
export function hasWebBuild(root) {
  return isWhole(join(root, 'apps/web', BUILT))
}

const buildName = (root) => `${BUILT}-${sourcesHash(root).slice(0, 16)}`

const isWhole = (folder) => existsSync(join(folder, 'BUILD_ID'))

function latestBuild(app) {
  try {
    return readlinkSync(join(app, BUILT))
  } catch {
    return undefined
  }
}

async function build(root, node, env) {
  const { code } = await runForSetup(node, [join(root, 'node_modules/next/dist/bin/next'), 'build'], {
    cwd: join(root, 'apps/web'),
    env: { ...env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  })
  if (code !== 0 || !isWhole(join(root, 'apps/web/.next'))) {
    throw new SetupError('The web app could not be built; the reason stands above. The build that was there is kept.')
  }
}

/** Renames the build to its final name once it is complete. */
function moveBuild(from, to) {
  const part = `${to}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part)
  for (const name of readdirSync(from)) {
    if (!KEPT_FOR_NEXT_BUILD.has(name)) renameSync(join(from, name), join(part, name))
  }
  rmSync(to, { recursive: true, force: true })
  renameSync(part, to)
}

function pointTo(app, name) {
  const draft = join(app, `${BUILT}-link`)
  rmSync(draft, { force: true })
  symlinkSync(name, draft)
  renameSync(draft, join(app, BUILT))
}

function removeOtherBuilds(app, name) {
  for (const other of readdirSync(app)) {
    if (other.startsWith(`${BUILT}-`) && other !== name) rmSync(join(app, other), { recursive: true })
  }
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
      if (!NOT_BUILT.has(name) && !name.startsWith(BUILT) && !name.endsWith('.tsbuildinfo'))
        yield* filesOf(join(path, name))
    }
  }
}
