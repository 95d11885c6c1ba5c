// Runs a command of the product: `node scripts/run.mjs <command> [arguments]`, as package.json's scripts do.
//
// Before that it brings the dependencies up to date and finds a Node that runs TypeScript. So this file and those that it imports
// use nothing but what Node 20.19 has built in. Standard output belongs to the command alone.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { GATEWAY_FLAGS } from './gateway-flags.mjs'
import { currentDependencies, currentNode, endSetup, SetupError } from './install.mjs'
import { currentWebBuild } from './web-build.mjs'

const root = dirname(import.meta.dirname)

/**
 * - `deployed`: runs in production as well, where what only development needs is left out.
 * - `flags`: what Node itself is told.
 * - `web`: needs the web app's build.
 * - `endsWithParent`: does not itself notice that this process is gone, so a preloaded module does it.
 */
const COMMANDS = {
  start: { entry: 'scripts/start.ts', args: ['start'], web: true },
  demo: { entry: 'scripts/start.ts', args: ['demo'], web: true },
  gateway: { entry: 'apps/gateway/src/main.ts', flags: GATEWAY_FLAGS, deployed: true },
  web: { entry: 'apps/web/main.ts', web: true },
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
  format: { entry: 'node_modules/prettier/bin/prettier.cjs', args: ['--write', '.'], endsWithParent: true },
  test: { entry: 'scripts/test.ts', endsWithParent: true },
  agents: { entry: 'scripts/agents.ts', endsWithParent: true },
  'refresh-figures': { entry: 'scripts/refresh-figures.ts', endsWithParent: true },
}

/** How often to look whether npm, which started us, is still there: it tells nobody when it is killed. */
const PARENT_POLL_MS = 500

/** npm passes a Ctrl-C on that the terminal has sent us already; a person who means a second one takes longer. */
const SAME_SIGNAL_MS = 1_000

/** Longer than any command takes to stop in order. */
const KILL_AFTER_MS = 45_000

const [name = '', ...args] = process.argv.slice(2)
const command = COMMANDS[name]

let child
let firstSignalAt
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(signal))
// The terminal is gone; the command stops in order.
process.on('SIGHUP', () => end('SIGTERM'))
watchParent()

try {
  if (!command) throw new SetupError(`There is no command "${name}". Commands: ${Object.keys(COMMANDS).join(', ')}.`)
  const [node] = await Promise.all([currentNode(root), currentDependencies(root, { development: !command.deployed })])
  const env = {
    ...process.env,
    PATH: [dirname(node), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
  }
  if (!existsSync(join(root, command.entry)))
    throw new SetupError(`${command.entry}, which runs "${name}", is not there.`)
  if (command.web) await currentWebBuild(root, node, env)
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
      // The channel is how the command notices when we are killed.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      // A session of its own, so that a Ctrl-C reaches it once, from us.
      detached: true,
    },
  )
  child.on('error', (error) => {
    console.error(`${node} cannot be run: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

/** Passes a signal on to the command, or ends the setting up that goes before it. */
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
 * Ends the command when the npm that started us is gone. It may have put a shell between itself and us, which then outlives it.
 * Started by something else, we do not look: that may well be meant to end before us.
 */
function watchParent() {
  if (!process.env.npm_lifecycle_event) return
  const parent = process.ppid
  const grandparent = parentOf(parent)
  const poll = setInterval(() => {
    if (process.ppid === parent && parentOf(parent) === grandparent) return
    clearInterval(poll)
    end('SIGTERM')
  }, PARENT_POLL_MS)
  poll.unref()
}

/** Only Linux says so without starting a program; elsewhere shells make room for the one command that they were given. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  } catch {
    return undefined
  }
}
