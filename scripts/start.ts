import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { z } from 'zod'
import {
  dataDir,
  listenError,
  loadEnvFile,
  openDatabase,
  readSettings,
  repositoryRoot,
  runProcess,
  StartupError,
  type Environment,
} from '../packages/process/src/index.ts'
import { ServiceFailure, supervise, type Service, type Supervised } from './supervisor.ts'

const isDemo = process.argv[2] === 'demo'

const port = (standard: number) => z.coerce.number().int().min(1).max(65_535).default(standard)
const Settings = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port(8000),
  WEB_PORT: port(3000),
  DEMO_SIMULATOR_PORT: port(9000),
  DATABASE_URL: z.string().optional(),
})
type Settings = z.infer<typeof Settings>

/** What must not reach the demo from the settings of a real installation. Empty counts as not given, also against `.env`. */
const NOT_FOR_DEMO = [
  'DATABASE_URL',
  'REDIS_URL',
  'CREDENTIAL_KEYS',
  'GATEWAY_SERVICE_TOKEN',
  'AUTH_SECRET',
  'NOTION_MCP_CLIENT_ID',
  'NOTION_MCP_CLIENT_SECRET',
  'NOTION_MCP_TOKEN_AUTH_METHOD',
  'NOTION_MCP_TOKEN_SCOPE',
  'NOTION_MCP_AUTHORIZE_ENDPOINT',
  'NOTION_MCP_TOKEN_ENDPOINT',
  'NOTION_MCP_REGISTRATION_ENDPOINT',
  'NOTION_MCP_REVOCATION_ENDPOINT',
].flatMap((name) => [name, `${name}_FILE`])

runProcess('start', async (stopRequested) => {
  const given = isDemo ? demoEnvironment() : loadEnvFile(repositoryRoot, process.env)
  const settings = readSettings(Settings, given)
  const folder = dataDir(given, repositoryRoot)
  for (const [name, number] of portsOf(settings)) await checkPort(name, settings.HOST, number)

  // Held by us, so that neither gateway nor web takes the database with it when it is started again.
  const database = await openDatabase({ databaseUrl: settings.DATABASE_URL, dataDir: folder, database: 'gateway' })
  const services = servicesFor(settings, { ...given, DATA_DIR: folder }).map(supervise)
  const stop = async () => {
    for (const service of services.toReversed()) await service.stop()
    await database.close()
  }
  stopRequested.addEventListener('abort', () => void stopAll(services))
  try {
    await Promise.all(services.map(({ ready }) => ready))
  } catch (error) {
    await stop()
    if (!(error instanceof ServiceFailure)) throw error
    if (error.isExplained || stopRequested.aborted) process.exit(1)
    throw new StartupError(error.message)
  }
  process.stdout.write(welcome(settings, folder, database.embedded))
  return { stop }
})

async function stopAll(services: readonly Supervised[]): Promise<void> {
  for (const service of services.toReversed()) await service.stop()
}

function portsOf({ PORT, WEB_PORT, DEMO_SIMULATOR_PORT }: Settings): [string, number][] {
  const ports: [string, number][] = [
    ['PORT', PORT],
    ['WEB_PORT', WEB_PORT],
  ]
  return isDemo ? [...ports, ['DEMO_SIMULATOR_PORT', DEMO_SIMULATOR_PORT]] : ports
}

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

/** In the order in which they stop, last first. */
function servicesFor(settings: Settings, env: Environment): Service[] {
  const { PORT, WEB_PORT, DEMO_SIMULATOR_PORT } = settings
  const gatewayUrl = `http://localhost:${PORT}`
  const webUrl = env['WEB_URL'] || `http://localhost:${WEB_PORT}`
  const simulatorUrl = `http://localhost:${DEMO_SIMULATOR_PORT}`

  const simulator: Service = {
    name: 'simulator',
    command: [
      '--import',
      join(import.meta.dirname, 'end-with-parent.mjs'),
      join(repositoryRoot, 'packages/notion-simulator/bin/notion-simulator.mjs'),
    ],
    env: { ...env, PORT: `${DEMO_SIMULATOR_PORT}` },
    readyUrl: `${simulatorUrl}/.well-known/oauth-protected-resource/mcp`,
  }
  const gateway: Service = {
    name: 'gateway',
    command: [join(repositoryRoot, 'apps/gateway/src/main.ts')],
    env: {
      ...env,
      PORT: `${PORT}`,
      NOTION_MCP_RETURN_BASE_URL: env['NOTION_MCP_RETURN_BASE_URL'] || webUrl,
      NOTION_MCP_OAUTH_REDIRECT_URI:
        env['NOTION_MCP_OAUTH_REDIRECT_URI'] || `${gatewayUrl}/integrations/notion/mcp/oauth/callback`,
      ...(isDemo && { NOTION_MCP_SERVER_URL: `${simulatorUrl}/mcp` }),
    },
    readyUrl: `${gatewayUrl}/readyz`,
  }
  const web: Service = {
    name: 'web app',
    command: [join(repositoryRoot, 'apps/web/main.ts')],
    env: {
      ...env,
      PORT: `${WEB_PORT}`,
      WEB_PORT: `${WEB_PORT}`,
      WEB_URL: webUrl,
      CUDU_ENDPOINT: env['CUDU_ENDPOINT'] || gatewayUrl,
      ...(isDemo && { NOTION_GATEWAY_DEMO: '1' }),
    },
    readyUrl: `http://localhost:${WEB_PORT}/`,
  }
  return isDemo ? [simulator, gateway, web] : [gateway, web]
}

function demoEnvironment(): Environment {
  const env: Environment = { ...loadEnvFile(repositoryRoot, process.env) }
  for (const name of NOT_FOR_DEMO) env[name] = ''
  return { ...env, DATA_DIR: env['DATA_DIR'] || '.data/demo' }
}

function welcome(settings: Settings, folder: string, isEmbedded: boolean): string {
  const shown = relative(process.cwd(), folder)
  const place = shown.startsWith('..') ? folder : shown
  const lines = [
    isDemo ? 'Notion MCP Gateway, DEMO' : 'Notion MCP Gateway is running',
    ...(isDemo ? ['Notion is SIMULATED here: nothing reaches notion.com.'] : []),
    '',
    `Open       http://localhost:${settings.WEB_PORT}`,
    ...(isDemo ? ['Sign in    ada@demo.test, password demo-password (space "Demo team")'] : []),
    `Gateway    http://localhost:${settings.PORT}`,
    ...(isDemo ? [`Simulator  http://localhost:${settings.DEMO_SIMULATOR_PORT}`] : []),
    `Data       ${place}${isEmbedded ? ', embedded PostgreSQL' : ', and the PostgreSQL of DATABASE_URL'}`,
    'Stop       Ctrl-C',
  ]
  const width = Math.max(...lines.map(({ length }) => length))
  const body = lines.map((line) => `│ ${line.padEnd(width)} │\n`).join('')
  return `┌${'─'.repeat(width + 2)}┐\n${body}└${'─'.repeat(width + 2)}┘\n`
}
