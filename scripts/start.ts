import { createServer } from 'node:net'
import { join } from 'node:path'
import {
  openDataDir,
  listenError,
  loadEnvFile,
  openDatabase,
  readSettings,
  repositoryRoot,
  runProcess,
  StartupError,
  type Environment,
} from '../packages/process/src/index.ts'
import { inspectFlags, watchService, type InspectFlags } from './watch-service.ts'
import { GATEWAY_FLAGS } from './gateway-flags.mjs'
import { DevelopmentSettings, StartSettings } from './start-settings.ts'
import { ServiceFailure, supervise, type Service } from './supervisor.ts'

const [mode, ...options] = process.argv.slice(2)
const isDevelopment = mode === 'dev'
/** Runs with the simulator instead of Notion, and with separate data. */
const isDemo = mode === 'demo' || isDevelopment
let inspect: InspectFlags | undefined

/** Settings of a real installation that the demo must not get. */
const NOT_FOR_DEMO =
  /^(DATABASE_URL|REDIS_URL|CREDENTIAL_KEYS|GATEWAY_SERVICE_TOKEN|AUTH_SECRETS?|WEB_URL|CUDU_ENDPOINT|GATEWAY_PUBLIC_URL|NOTION_MCP_\w+)(_FILE)?$/

const SECRETS_OF_GATEWAY = ['CREDENTIAL_KEYS', 'NOTION_MCP_CLIENT_SECRET', 'REDIS_URL']
const SECRETS_OF_WEB = ['AUTH_SECRET', 'AUTH_SECRETS', 'CHAT_API_KEY']
const SECRETS_OF_BOTH = ['DATABASE_URL', 'GATEWAY_SERVICE_TOKEN']

runProcess(isDevelopment ? 'dev' : 'start', async (stopRequested) => {
  if (isDevelopment) inspect = inspectFlags(options)
  const given = isDemo ? demoEnvironment() : loadEnvFile(repositoryRoot, process.env)
  const settings = isDevelopment ? developmentSettings(given) : readSettings(StartSettings, given)
  const [gatewayPort, webPort, simulatorPort] = isDevelopment
    ? (['DEV_GATEWAY_PORT', 'DEV_WEB_PORT', 'DEV_SIMULATOR_PORT'] as const)
    : (['PORT', 'WEB_PORT', 'DEMO_SIMULATOR_PORT'] as const)
  await checkPort(gatewayPort, settings.HOST, settings.PORT)
  await checkPort(webPort, settings.HOST, settings.WEB_PORT)
  if (isDemo) await checkPort(simulatorPort, 'localhost', settings.DEMO_SIMULATOR_PORT)

  // An installation with its own database needs no files here.
  const folder = settings.DATABASE_URL ? undefined : openDataDir(given, repositoryRoot)
  // Held by this process, so that restarting the gateway or the web app does not stop the embedded database.
  const database = await openDatabase({
    databaseUrl: settings.DATABASE_URL,
    dataDir: folder ?? '',
    database: 'gateway',
  })
  const services = servicesFor(settings, { ...given, ...(folder && { DATA_DIR: folder }) }).map(
    isDevelopment ? watchService : supervise,
  )
  const stopServices = async () => {
    for (const service of services.toReversed()) await service.stop()
  }
  try {
    stopRequested.addEventListener('abort', () => void stopServices())
    await Promise.all(services.map(({ ready }) => ready))
  } catch (error) {
    await stopServices()
    await database.close()
    if (!(error instanceof ServiceFailure)) throw error
    if (!error.isExplained) throw new StartupError(error.message)
    process.exit(1)
  }
  process.stdout.write(welcome(settings, folder))
  return {
    async stop() {
      await stopServices()
      await database.close()
    },
  }
})

/** Checks a port before anything starts; errors use the port's setting in this command. */
async function checkPort(name: string, host: string, number: number): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(number, host, resolve))
  } catch (error) {
    const refusal = listenError(error, host, number)
    throw refusal instanceof StartupError
      ? new StartupError(refusal.message.replace('PORT', name), { cause: error })
      : refusal
  }
  await new Promise((resolve) => probe.close(resolve))
}

/** The addresses of the services on this machine. */
function urls({ HOST, PORT, WEB_PORT, DEMO_SIMULATOR_PORT }: StartSettings) {
  const host = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(HOST) ? 'localhost' : HOST
  return {
    gatewayUrl: `http://${host}:${PORT}`,
    webUrl: `http://${host}:${WEB_PORT}`,
    simulatorUrl: `http://localhost:${DEMO_SIMULATOR_PORT}`,
  }
}

/** The services in the order of their start; they stop in reverse order. */
function servicesFor(settings: StartSettings, env: Environment): Service[] {
  const { gatewayUrl, webUrl, simulatorUrl } = urls(settings)
  const publicWebUrl = env['WEB_URL'] || webUrl

  const simulator: Service = {
    name: 'simulator',
    command: [
      ...(inspect?.simulator ?? []),
      join(repositoryRoot, 'packages/notion-simulator/bin/notion-simulator.mjs'),
      '--port',
      `${settings.DEMO_SIMULATOR_PORT}`,
    ],
    env: { ...env, ...withheld(env, [...SECRETS_OF_GATEWAY, ...SECRETS_OF_WEB, ...SECRETS_OF_BOTH]) },
    readyUrl: `${simulatorUrl}/.well-known/oauth-protected-resource/mcp`,
    sources: inRoot('packages/notion-simulator/src', 'packages/notion-simulator/bin'),
  }
  const gateway: Service = {
    name: 'gateway',
    command: [...GATEWAY_FLAGS, ...(inspect?.gateway ?? []), join(repositoryRoot, 'apps/gateway/src/main.ts')],
    env: {
      ...env,
      ...withheld(env, SECRETS_OF_WEB),
      ...fixed('PORT', `${settings.PORT}`),
      ...unlessGiven(env, 'NOTION_MCP_RETURN_BASE_URL', publicWebUrl),
      ...unlessGiven(env, 'GATEWAY_PUBLIC_URL', gatewayUrl),
      ...unlessGiven(env, 'NOTION_MCP_OAUTH_REDIRECT_URI', `${gatewayUrl}/integrations/notion/mcp/oauth/callback`),
      ...(isDemo && fixed('NOTION_MCP_SERVER_URL', `${simulatorUrl}/mcp`)),
    },
    readyUrl: `${gatewayUrl}/readyz`,
    sources: inRoot('apps/gateway/src', ...SHARED_SOURCES),
  }
  const web: Service = {
    name: 'web app',
    command: [...(inspect?.web ?? []), join(repositoryRoot, 'apps/web/main.ts'), ...(isDevelopment ? ['--dev'] : [])],
    env: {
      ...env,
      ...withheld(env, SECRETS_OF_GATEWAY),
      ...fixed('PORT', `${settings.WEB_PORT}`),
      ...unlessGiven(env, 'WEB_URL', publicWebUrl),
      ...unlessGiven(env, 'CUDU_ENDPOINT', gatewayUrl),
      // Shorter than the time limit for stopping a service.
      ...unlessGiven(env, 'SHUTDOWN_GRACE_SECONDS', '5'),
      ...unlessGiven(env, 'GATEWAY_PUBLIC_URL', gatewayUrl),
      ...(isDemo && fixed('NOTION_GATEWAY_DEMO', '1')),
    },
    // In development, a page is compiled when it is first opened.
    readyUrl: isDevelopment ? `${webUrl}/healthz` : webUrl,
    // Next reloads pages and their parts; these are the sources of the server around them.
    sources: inRoot(
      ...['main.ts', 'next.config.mjs', 'server', 'lib', 'authorization-server', 'migrations'].map(
        (name) => `apps/web/${name}`,
      ),
      ...SHARED_SOURCES,
    ),
  }
  return isDemo ? [simulator, gateway, web] : [gateway, web]
}

/** Sources that both the gateway and the web app run. */
const SHARED_SOURCES = ['packages/contract/src', 'packages/outbound/src', 'packages/process/src']

const inRoot = (...paths: string[]): string[] => paths.map((path) => join(repositoryRoot, path))

/** A fixed value for a setting, also against its `_FILE` form in `.env`, which the services read too: an empty variable counts as not set. */
function fixed(name: string, value: string): Environment {
  return { [name]: value, [`${name}_FILE`]: '' }
}

function unlessGiven(env: Environment, name: string, value: string): Environment {
  return env[name] || env[`${name}_FILE`] ? {} : { [name]: value }
}

/** Removes the secrets that only another service needs. */
function withheld(env: Environment, names: readonly string[]): Environment {
  const given = names.filter((name) => env[name] || env[`${name}_FILE`])
  return Object.assign({}, ...given.map((name) => fixed(name, '')))
}

/** The services also read `.env`, so settings that the demo must not have are set to empty, which counts as not set. */
function demoEnvironment(): Environment {
  const env = loadEnvFile(repositoryRoot, process.env)
  const real = Object.keys(env).filter((name) => NOT_FOR_DEMO.test(name))
  return {
    ...env,
    ...Object.fromEntries(real.map((name) => [name, ''])),
    DATA_DIR: join(env['DATA_DIR'] || '.data', isDevelopment ? 'dev' : 'demo'),
    // Keep the output short: no line for each request.
    ...unlessGiven(env, 'LOG_LEVEL', isDevelopment ? 'info' : 'warn'),
    // Restarts must not wait for open streams.
    ...(isDevelopment && fixed('SHUTDOWN_GRACE_SECONDS', '0')),
  }
}

/** Ignores the ports of an installation that may run beside this one. */
function developmentSettings(env: Environment): StartSettings {
  const { HOST, DEV_GATEWAY_PORT, DEV_WEB_PORT, DEV_SIMULATOR_PORT } = readSettings(DevelopmentSettings, env)
  return { HOST, PORT: DEV_GATEWAY_PORT, WEB_PORT: DEV_WEB_PORT, DEMO_SIMULATOR_PORT: DEV_SIMULATOR_PORT }
}

function welcome(settings: StartSettings, folder: string | undefined): string {
  const { gatewayUrl, webUrl, simulatorUrl } = urls(settings)
  const lines = [
    isDevelopment
      ? 'Notion MCP Gateway, DEVELOPMENT'
      : isDemo
        ? 'Notion MCP Gateway, DEMO'
        : 'Notion MCP Gateway is running',
    ...(isDemo ? ['Notion is SIMULATED here: nothing reaches notion.com.'] : []),
    '',
    `Open       ${webUrl}`,
    ...(isDemo ? ['Sign in    ada@demo.test, password demo-password (space "Demo team")'] : []),
    `Gateway    ${gatewayUrl}`,
    ...(isDemo ? [`Simulator  ${simulatorUrl}`] : []),
    `Data       ${folder === undefined ? 'in the PostgreSQL of DATABASE_URL' : `${folder}, with an embedded PostgreSQL`}`,
    ...(inspect ? [`Debugger   ${inspect.words}`] : []),
    'Stop       Ctrl-C',
  ]
  const width = Math.max(...lines.map(({ length }) => length))
  const body = lines.map((line) => `│ ${line.padEnd(width)} │\n`).join('')
  return `┌${'─'.repeat(width + 2)}┐\n${body}└${'─'.repeat(width + 2)}┘\n`
}
