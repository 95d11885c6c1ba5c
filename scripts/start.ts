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
/** With the simulator in Notion's place, and data of its own. */
const isDemo = mode === 'demo' || isDevelopment
let inspect: InspectFlags | undefined

/** What must not reach the demo from the settings of a real installation. */
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

  // Nothing is made on disk for an installation that brings its own database.
  const folder = settings.DATABASE_URL ? undefined : openDataDir(given, repositoryRoot)
  // Held by us, so that neither gateway nor web takes the embedded database with it when it is started again.
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

/** Before anything is started, and under the name that this port has in this command. */
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

/** Where the services are reached from this machine. */
function urls({ HOST, PORT, WEB_PORT, DEMO_SIMULATOR_PORT }: StartSettings) {
  const host = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(HOST) ? 'localhost' : HOST
  return {
    gatewayUrl: `http://${host}:${PORT}`,
    webUrl: `http://${host}:${WEB_PORT}`,
    simulatorUrl: `http://localhost:${DEMO_SIMULATOR_PORT}`,
  }
}

/** In the order in which they stop, last first. */
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
      // Within the time that this command gives a service to stop.
      ...unlessGiven(env, 'SHUTDOWN_GRACE_SECONDS', '5'),
      ...unlessGiven(env, 'GATEWAY_PUBLIC_URL', gatewayUrl),
      ...(isDemo && fixed('NOTION_GATEWAY_DEMO', '1')),
    },
    // In development, the first page is compiled when somebody opens it.
    readyUrl: isDevelopment ? `${webUrl}/healthz` : webUrl,
    // Pages and their parts are Next's to reload; this is what the server around them runs.
    sources: inRoot(
      ...['main.ts', 'next.config.mjs', 'server', 'lib', 'authorization-server', 'migrations'].map(
        (name) => `apps/web/${name}`,
      ),
      ...SHARED_SOURCES,
    ),
  }
  return isDemo ? [simulator, gateway, web] : [gateway, web]
}

/** What gateway and web app both run. */
const SHARED_SOURCES = ['packages/contract/src', 'packages/outbound/src', 'packages/process/src']

const inRoot = (...paths: string[]): string[] => paths.map((path) => join(repositoryRoot, path))

/** A setting that this command decides, whichever way it was given. The services read `.env` as well; empty counts as not given there. */
function fixed(name: string, value: string): Environment {
  return { [name]: value, [`${name}_FILE`]: '' }
}

function unlessGiven(env: Environment, name: string, value: string): Environment {
  return env[name] || env[`${name}_FILE`] ? {} : { [name]: value }
}

/** Nobody gets the secrets that only another service needs. */
function withheld(env: Environment, names: readonly string[]): Environment {
  const given = names.filter((name) => env[name] || env[`${name}_FILE`])
  return Object.assign({}, ...given.map((name) => fixed(name, '')))
}

/** The services read `.env` as well, so what the demo must not have is given as empty, which counts as not given. */
function demoEnvironment(): Environment {
  const env = loadEnvFile(repositoryRoot, process.env)
  const real = Object.keys(env).filter((name) => NOT_FOR_DEMO.test(name))
  return {
    ...env,
    ...Object.fromEntries(real.map((name) => [name, ''])),
    DATA_DIR: join(env['DATA_DIR'] || '.data', isDevelopment ? 'dev' : 'demo'),
    // People who try it read the box, not a line for each request.
    ...unlessGiven(env, 'LOG_LEVEL', isDevelopment ? 'info' : 'warn'),
    // A restart does not wait for open streams.
    ...(isDevelopment && fixed('SHUTDOWN_GRACE_SECONDS', '0')),
  }
}

/** The ports of an installation that may run beside this one are not for us. */
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
