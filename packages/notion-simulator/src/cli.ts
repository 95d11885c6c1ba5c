import { parseArgs } from 'node:util'
import { PROFILES, type OptionChanges, type Profile } from './options.ts'
import type { Simulator } from './running-simulator.ts'
import { startSimulator } from './simulator.ts'

const HELP = `Notion simulator: a stand-in for Notion's hosted MCP server, for tests and demos. All data is invented and kept in memory only.

Usage: notion-simulator [options]

  --port <number>           port to listen on (default 9000; 0 for any free one)
  --host <address>          address to listen on (default localhost)
  --profile <name>          ${PROFILES.join(', ')} (default ${PROFILES[0]})
  --control [--control-token <token>]
                            enables /__control, the API for tests in other processes
  --auto-approve            approves authorization requests without the consent page
  --options <json>          changes to the options, e.g. '{"accessTtlSeconds":60}' (older name: --knobs)
  --help                    prints this help
`

const OPTIONS = {
  port: { type: 'string', default: '9000' },
  host: { type: 'string', default: 'localhost' },
  profile: { type: 'string', default: PROFILES[0] },
  control: { type: 'boolean', default: false },
  'control-token': { type: 'string' },
  'auto-approve': { type: 'boolean', default: false },
  options: { type: 'string', default: '{}' },
  knobs: { type: 'string', default: '{}' }, // The older name of --options.
  help: { type: 'boolean', default: false },
} as const

/** An error in the command line. The message is for the user. */
class UsageError extends Error {}

/** The output of the command and its stop signal. */
export type Terminal = {
  out(text: string): void
  error(text: string): void
  /** Receives the function that stops the simulator, once. */
  onStop(stop: () => Promise<void>): void
}

/** Runs the command. @returns its exit code, or undefined while the simulator is running. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number | undefined> {
  try {
    const simulator = await start(args, terminal)
    if (!simulator) return 0
    terminal.onStop(() => simulator.close())
    return undefined
  } catch (error) {
    terminal.error(`notion-simulator: ${messageOf(error)}\n`)
    return 1
  }
}

async function start(args: readonly string[], terminal: Terminal): Promise<Simulator | undefined> {
  const { values } = parse(args)
  if (values.help) {
    terminal.out(HELP)
    return undefined
  }
  const token = values['control-token']
  const simulator = await startSimulator({
    port: portFrom(values.port),
    host: values.host,
    profile: profileFrom(values.profile),
    control: token ?? values.control,
    options: {
      ...optionsFrom('--knobs', values.knobs),
      ...optionsFrom('--options', values.options),
      ...(values['auto-approve'] && { autoApprove: true }),
    },
  })
  terminal.out(announcement(simulator, token !== undefined || values.control))
  return simulator
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : 'invalid options'}. See --help.`)
  }
}

function portFrom(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new UsageError(`--port takes a number from 0 to 65535, not "${text}".`)
  return port
}

function profileFrom(text: string): Profile {
  const profile = PROFILES.find((name) => name === text)
  if (!profile) throw new UsageError(`--profile takes one of ${PROFILES.join(', ')}, not "${text}".`)
  return profile
}

function optionsFrom(name: string, text: string): OptionChanges {
  try {
    return JSON.parse(text) as OptionChanges // startSimulator checks every member.
  } catch {
    throw new UsageError(`${name} takes a JSON object.`)
  }
}

function announcement({ url, mcpUrl, profile, workspaces, options }: Simulator, controlled: boolean): string {
  const people = workspaces.map(({ name, members }) => `${name} (${members.map(({ user }) => user.name).join(', ')})`)
  const lines = [
    `Notion simulator, profile ${profile}. This is not Notion; all data is invented and kept in memory only.`,
    `  MCP endpoint           ${mcpUrl}`,
    `  Authorization server   ${url}${options.autoApprove ? ' (approves everything)' : ''}`,
    `  Workspaces             ${people.join('; ')}`,
    ...(controlled ? [`  Control                ${url}/__control/state`] : []),
  ]
  return `${lines.join('\n')}\n`
}

/** The error message for the user. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string }
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken. Stop the other program, or choose another with --port.`
    case 'EACCES':
      return `Port ${port} may not be used by this user. Choose one above 1023 with --port.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address "${address ?? ''}". Choose another with --host.`
    default:
      return error.message
  }
}
