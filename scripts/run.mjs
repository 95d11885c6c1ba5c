// Runs a command of the product: `node scripts/run.mjs <command> [arguments]`, as package.json's scripts do.
//
// Before that it updates the dependencies and finds a Node that runs TypeScript; in a release it only does the latter (prepare.mjs).
// So this file and its imports use only built-in modules of Node 20.19. Standard output belongs to the command.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { GATEWAY_FLAGS } from './gateway-flags.mjs'
import { endSetup, SetupError } from './install.mjs'
import { isRelease, prepare } from './prepare.mjs'
import { currentWebBuild } from './web-build.mjs'

const root = dirname(import.meta.dirname)

/**
 * - `checkout`: not available in a release, nor are commands whose entry file is missing there.
 * - `started`: in a checkout, it uses the result of `npm run build` and prepares nothing itself.
 * - `deployed`: also runs in production, without development dependencies.
 * - `flags`: Node's flags.
 * - `web`: needs the web app's build.
 * - `endsWithParent`: does not detect the end of this process itself, so a preloaded module does.
 */
const COMMANDS = {
  start: { entry: 'scripts/start.ts', args: ['start'], web: true },
  demo: { entry: 'scripts/start.ts', args: ['demo'], web: true, checkout: true },
  gateway: { entry: 'apps/gateway/src/main.ts', flags: GATEWAY_FLAGS, started: true },
  web: { entry: 'apps/web/main.ts', web: true, started: true },
  dev: { entry: 'scripts/start.ts', args: ['dev'], checkout: true },
  build: { entry: 'scripts/build.ts', web: true, endsWithParent: true },
  simulator: { entry: 'packages/notion-simulator/bin/notion-simulator.mjs', deployed: true },
  'export-notion-mcp-credentials': {
    entry: 'apps/gateway/src/commands/export-credentials.ts',
    deployed: true,
    endsWithParent: true,
  },
  'forget-credentials': {
    entry: 'apps/gateway/src/commands/forget-credentials.ts',
    deployed: true,
    endsWithParent: true,
  },
  backup: { entry: 'scripts/backup.ts', deployed: true, endsWithParent: true },
  restore: { entry: 'scripts/restore.ts', deployed: true, endsWithParent: true },
  database: { entry: 'apps/gateway/src/commands/database.ts', deployed: true, endsWithParent: true },
  doctor: { entry: 'scripts/doctor.ts', deployed: true, endsWithParent: true },
  'reset-link': { entry: 'apps/web/reset-link.ts', endsWithParent: true },
  bench: { entry: 'bench/main.ts', endsWithParent: true },
  check: { entry: 'scripts/check.ts', endsWithParent: true },
  generate: { entry: 'scripts/generate.ts', endsWithParent: true },
  format: { entry: 'node_modules/prettier/bin/prettier.cjs', args: ['--write', '.'], endsWithParent: true },
  test: { entry: 'scripts/test.ts', endsWithParent: true },
  vitest: { entry: 'node_modules/vitest/vitest.mjs', endsWithParent: true },
  agents: { entry: 'scripts/agents.ts', endsWithParent: true },
  images: { entry: 'scripts/images.ts', endsWithParent: true },
  mutations: { entry: 'scripts/mutations.ts', endsWithParent: true },
  'refresh-figures': { entry: 'scripts/refresh-figures.ts', endsWithParent: true },
}

/** Interval of checks whether the parent npm still runs: killing it sends no signal to its children. */
const PARENT_POLL_MS = 500

/** npm forwards a Ctrl-C that the terminal has already sent to this process; a user's second Ctrl-C comes later than this. */
const SAME_SIGNAL_MS = 1_000

/** Longer than the graceful stop of any command. */
const KILL_AFTER_MS = 45_000

const [name = '', ...args] = process.argv.slice(2)
const command = COMMANDS[name]

let child
let firstSignalAt
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(signal))
// The terminal was closed: stop the command gracefully, unless it runs in the background.
const survivesTerminal = isInBackground()
process.on('SIGHUP', () => survivesTerminal || end('SIGTERM'))
watchParent()

try {
  if (!command) throw new SetupError(`Unknown command "${name}". Commands: ${Object.keys(COMMANDS).join(', ')}.`)
  if (isRelease(root) && (command.checkout || !existsSync(join(root, command.entry))))
    throw new SetupError(`"${name}" is not part of a release. Run it in a checkout.`)
  const node = await prepare(root, command)
  const env = {
    // The folder in which npm was called; relative paths start from there.
    INIT_CWD: process.cwd(),
    ...process.env,
    PATH: [dirname(node), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
  }
  if (!existsSync(join(root, command.entry)))
    throw new SetupError(`${command.entry}, which runs "${name}", is not there.`)
  if (command.web && !command.started && !isRelease(root)) await currentWebBuild(root, node, env)
  run(node, env)
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error)
  process.exit(1)
}

function run(node, env) {
  const preload = command.endsWithParent ? ['--import', join(root, 'scripts/end-with-parent.mjs')] : []
  child = spawn(
    node,
    [...(command.flags ?? []), ...preload, join(root, command.entry), ...(command.args ?? []), ...args],
    {
      cwd: root,
      env,
      // The command detects by the closed channel that this process was killed.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      // A session of its own, so that it gets a Ctrl-C once, from this process.
      detached: true,
    },
  )
  child.on('error', (error) => {
    console.error(`${node} cannot be run: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

/** Forwards a signal to the command, or ends the set-up that precedes it. */
function end(signal) {
  if (!child) {
    endSetup()
    process.exit(128 + constants.signals[signal])
  }
  if (firstSignalAt !== undefined && Date.now() - firstSignalAt < SAME_SIGNAL_MS) return
  firstSignalAt ??= Date.now()
  child.kill(signal)
  setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref()
}

/**
 * Ends the command when the npm that runs this process ends, except in the background of a terminal, where it survives the terminal. Other
 * parents, such as scripts and shells, often end earlier on purpose.
 */
function watchParent() {
  if (survivesTerminal || !isRunByNpm()) return
  const parent = process.ppid
  const poll = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(poll)
    end('SIGTERM')
  }, PARENT_POLL_MS)
  poll.unref()
}

/** True if npm itself is the parent: its script is only this command, so its shell was replaced (`exec`). */
function isRunByNpm() {
  const script = (process.env.npm_lifecycle_script ?? '').replace(/^(\w+=\S+ )+/, '')
  return script === `exec node scripts/run.mjs ${name}` || script.startsWith(`exec node scripts/run.mjs ${name} `)
}

/** True if this process was started with `&` in a terminal. Only Linux shows that without starting a program. */
function isInBackground() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const [, , group, , , foregroundGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return foregroundGroup !== '-1' && foregroundGroup !== group
  } catch {
    return false
  }
}
