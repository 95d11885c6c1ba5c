// Updates dependencies and Node before anything else runs. Uses only built-in modules of Node 20.19.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { withFileLock } from '../packages/process/src/file-lock.mjs'

/** An error that the operator has to fix; only its message is printed. */
export class SetupError extends Error {}

const setupChildren = new Set()

/**
 * Starts a Node program of the set-up, which ends with this process. Its output goes to standard error: standard output belongs to the command.
 * Resolves with its exit code and output.
 */
export async function runForSetup(node, args, { cwd, env }) {
  const preload = ['--import', join(import.meta.dirname, 'end-with-parent.mjs')]
  const child = spawn(node, [...preload, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  setupChildren.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
      process.stderr.write(text)
    })
  }
  const code = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.code))
    child.on('close', resolve)
  })
  setupChildren.delete(child)
  return { code, output }
}

/** Kills the programs of the set-up and their children. The next run repeats unfinished work. */
export function endSetup() {
  for (const { pid } of setupChildren) process.kill(-pid, 'SIGKILL')
}

/**
 * Updates node_modules to package-lock.json. Takes some milliseconds if it is current. Without `development`, production dependencies are
 * sufficient, as in an image made with `npm ci --omit=dev`.
 */
export async function currentDependencies(root, { development }) {
  if (hasDependencies(root, { development })) return
  await withSetupLock(root, 'install', async () => {
    if (isStamped(root)) return
    if (!agreesWithLock(root, { development: true })) {
      say('Installing dependencies. The first time this takes a minute or so.')
      // Packages in the lock file are immutable, so npm's cache is as good as the registry.
      const flags = [
        '--ignore-scripts',
        '--prefer-offline',
        '--include=dev',
        '--loglevel=error',
        '--no-audit',
        '--no-fund',
      ]
      const clean = await npm(root, ['ci', ...flags])
      if (clean.code !== 0 && clean.output.includes('EUSAGE')) {
        say('package-lock.json does not fit this machine, so npm install has to.')
        await orFail(npm(root, ['install', ...flags]), 'npm install')
      } else if (clean.code !== 0) {
        throw new SetupError(`npm ci failed with code ${clean.code}; see npm's output above.`)
      }
    }
    writeFileSync(stampPath(root), lockHash(root))
  })
}

/** True if there is nothing to install. */
export function hasDependencies(root, { development }) {
  return isStamped(root) || (!development && agreesWithLock(root, { development }))
}

/** The minimum for undici; Node runs TypeScript since 22.18. */
export const OLDEST_NODE = [22, 19]

/** The Node to use, if present: this one if it is new enough, otherwise the one from npm. */
export function presentNode(root) {
  if (process.features.typescript && isNewEnough(process.versions.node)) return process.execPath
  const { folder, version } = nodeFromNpm(root)
  const isThere = version !== undefined && existsSync(join(folder, 'bin/node')) && versionIn(folder) === version
  return isThere ? join(folder, 'bin/node') : undefined
}

/** Path and version of the npm package with a Node for this machine; undefined if npm has none. */
function nodeFromNpm(root) {
  const name = `node-${process.platform}-${process.arch}`
  const { optionalDependencies } = JSON.parse(read(join(root, 'runtime/package.json')) ?? '{"optionalDependencies":{}}')
  return { folder: join(root, 'runtime/node_modules', name), version: optionalDependencies[name] }
}

/** {@link presentNode}, installed from npm if it is missing. */
export async function currentNode(root) {
  const present = presentNode(root)
  if (present) return present
  const { version } = nodeFromNpm(root)
  if (version === undefined) {
    throw new SetupError(
      `This is Node ${process.versions.node}. Install Node ${OLDEST_NODE.join('.')} or newer (https://nodejs.org) and run this again.`,
    )
  }
  await withSetupLock(root, 'runtime', async () => {
    if (presentNode(root)) return
    say(`Installing Node ${version} from npm, because this one is ${process.versions.node}.`)
    await orFail(
      npm(join(root, 'runtime'), [
        'ci',
        '--ignore-scripts',
        '--prefer-offline',
        '--loglevel=error',
        '--no-audit',
        '--no-fund',
      ]),
      'npm ci in runtime/',
    )
  })
  return presentNode(root)
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/** Runs `work` under a lock on this checkout. */
export async function withSetupLock(root, name, work) {
  const folder = join(root, '.stamps')
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, 2)
  } catch (error) {
    throw new SetupError(`${root} has to be set up first, but cannot be written (${error.code}).`)
  }
  return withFileLock(join(folder, `${name}.lock`), work, () =>
    say('Waiting for another process that is setting this up.'),
  )
}

/** Progress goes to standard error: standard output belongs to the command. */
export function say(text) {
  process.stderr.write(`${text}\n`)
}

function stampPath(root) {
  return join(root, 'node_modules/.installed-lock')
}

function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

function isStamped(root) {
  return read(stampPath(root)) === lockHash(root)
}

/** True if npm's record of node_modules contains everything in the lock file that this machine needs. */
function agreesWithLock(root, { development }) {
  const installed = read(join(root, 'node_modules/.package-lock.json'))
  if (installed === undefined) return false
  const { packages: wanted } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const { packages: found } = JSON.parse(installed)
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    const there = found[path]
    if (!there) return (entry.optional && !isForThisMachine(entry)) || (entry.dev && !development)
    return there.version === entry.version && there.integrity === entry.integrity && there.link === entry.link
  })
}

/** Packages that exist once per libc are not checked: npm has installed the right one. */
function isForThisMachine({ os, cpu, libc }) {
  return !libc && os?.includes(process.platform) && cpu?.includes(process.arch)
}

function versionIn(folder) {
  return JSON.parse(read(join(folder, 'package.json')) ?? '{}').version
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

async function orFail(running, what) {
  const { code } = await running
  if (code !== 0) throw new SetupError(`${what} failed with code ${code}; see npm's output above.`)
}

function npm(folder, args) {
  // The nested npm would read the variables of the outer npm script as settings.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local)/.test(name)),
  )
  return runForSetup(process.execPath, [npmScript(), ...args], { cwd: folder, env })
}

/** npm's program: the npm that started this process, otherwise the one of this Node, otherwise the one in PATH. */
function npmScript() {
  const folders = process.env.PATH.split(delimiter)
  const candidates = [
    process.env.npm_execpath,
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
    ...folders.map((folder) => join(folder, 'npm')),
  ]
  const found = candidates.find((path) => path && existsSync(path) && /^npm(-cli\.js)?$/.test(basename(path)))
  if (!found) throw new SetupError('npm is needed to install the dependencies, and it is not in the path.')
  return realpathSync(found)
}
