// Dependencies and Node: brought up to date before anything else runs. Built-in modules of Node 20.19 only.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { withFileLock } from '../packages/process/src/file-lock.mjs'

/** Something that the operator has to put right; the message is all there is to say. */
export class SetupError extends Error {}

const setupChildren = new Set()

/**
 * Starts a Node program of the set-up, which ends with us. What it writes goes to standard error: standard output is the command's.
 * Resolves with its exit code and what it wrote.
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

/** Ends at once what the set-up has started, with all that this has started. What is half done is done again the next time. */
export function endSetup() {
  for (const { pid } of setupChildren) process.kill(-pid, 'SIGKILL')
}

/**
 * Makes node_modules what package-lock.json says. Takes some milliseconds when it is. Without `development`, it is enough that all is
 * there that runs the product, as in an image made with `npm ci --omit=dev`.
 */
export async function currentDependencies(root, { development }) {
  if (hasDependencies(root, { development })) return
  await withSetupLock(root, 'install', async () => {
    if (isStamped(root)) return
    if (!agreesWithLock(root, { development: true })) {
      say('Installing dependencies. The first time this takes a minute or so.')
      // What the lock file names never changes, so a package in npm's cache is as good as the registry's.
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
        throw new SetupError(`npm ci failed with code ${clean.code}; what npm says stands above.`)
      }
    }
    writeFileSync(stampPath(root), lockHash(root))
  })
}

/** Whether there is nothing to install. */
export function hasDependencies(root, { development }) {
  return isStamped(root) || (!development && agreesWithLock(root, { development }))
}

/** What undici needs; Node runs TypeScript from 22.18 on. */
export const OLDEST_NODE = [22, 19]

/** The Node to run everything with, when it is there: this one when it is new enough, else the one from npm. */
export function presentNode(root) {
  if (process.features.typescript && isNewEnough(process.versions.node)) return process.execPath
  const { folder, version } = nodeFromNpm(root)
  const isThere = version !== undefined && existsSync(join(folder, 'bin/node')) && versionIn(folder) === version
  return isThere ? join(folder, 'bin/node') : undefined
}

/** Where npm puts a Node for this machine, and of which version; undefined where npm has none. */
function nodeFromNpm(root) {
  const name = `node-${process.platform}-${process.arch}`
  const { optionalDependencies } = JSON.parse(read(join(root, 'runtime/package.json')) ?? '{"optionalDependencies":{}}')
  return { folder: join(root, 'runtime/node_modules', name), version: optionalDependencies[name] }
}

/** {@link presentNode}, which is got from npm when it is not there. */
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
    say(`Getting Node ${version} from npm, since this one is ${process.versions.node}.`)
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

/** Runs `work` in this checkout only once at a time. */
export async function withSetupLock(root, name, work) {
  const folder = join(root, '.stamps')
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, 2)
  } catch (error) {
    throw new SetupError(`${root} has to be set up first, and it cannot be written (${error.code}).`)
  }
  return withFileLock(join(folder, `${name}.lock`), work, () => say('Waiting for another process that sets this up.'))
}

/** Progress goes to standard error, since standard output is the command's. */
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

/** Whether what npm noted when it last wrote node_modules has everything of the lock file that this machine needs. */
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

/** Of what is there once for each libc, npm has taken the right one. */
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
  if (code !== 0) throw new SetupError(`${what} failed with code ${code}; what npm says stands above.`)
}

function npm(folder, args) {
  // What npm says about the script that it runs would be taken for settings of this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local)/.test(name)),
  )
  return runForSetup(process.execPath, [npmScript(), ...args], { cwd: folder, env })
}

/** npm's own program: the npm that started us, else the one that comes with this Node, else the one in the path. */
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
