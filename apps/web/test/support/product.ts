import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startSimulator, type Simulator, type SimulatorOptions } from 'notion-simulator'
import { buildApp } from './built-app.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')

type Env = Record<string, string>

export interface RunningProcess {
  /** All that it wrote until now. */
  output(): string
  /** SIGTERM, and waits for the end. Answers with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL, for the end of a test that is not about the end: an orderly one takes its time. */
  kill(): Promise<void>
}

export interface Product {
  readonly webUrl: string
  readonly gatewayUrl: string
  readonly simulator: Simulator
  readonly web: RunningProcess
  /** The gateway that runs now. */
  gateway(): RunningProcess
  /** Starts it again after it was stopped, at the same address. */
  startGateway(): Promise<void>
  stop(): Promise<void>
}

/** Where both processes keep their data: a database that they share, or a folder for the embedded one. */
export type Storage = { DATABASE_URL: string } | { DATA_DIR: string }

export interface ProductOptions {
  /** Further settings. */
  readonly web?: Env
  readonly gateway?: Env
  readonly simulator?: SimulatorOptions
}

/** Secrets that a deployment with a database of its own has to bring. */
export const deploymentSecrets = {
  GATEWAY_SERVICE_TOKEN: 'service-token-of-the-browser-tests',
  AUTH_SECRET: 'auth-secret-of-the-browser-tests-0123456789',
  CREDENTIAL_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
}

/** The whole product as people get it: the built app, the gateway and, in Notion's place, the simulator. */
export async function startProduct(
  storage: Storage,
  { web: webEnv = {}, gateway: gatewayEnv = {}, simulator: options = {} }: ProductOptions = {},
): Promise<Product> {
  await buildApp()
  const simulator = await startSimulator(options)
  const [webPort, gatewayPort] = [await freePort(), await freePort()]
  // By name, as people do it: the cookie that binds a consent to its browser is not shared between localhost and 127.0.0.1.
  const webUrl = `http://localhost:${webPort}`
  const gatewayUrl = `http://localhost:${gatewayPort}`
  const dataFolder = mkdtempSync(join(tmpdir(), 'nmg-product-'))
  const secrets: Env = 'DATABASE_URL' in storage ? deploymentSecrets : {}

  const startGateway = () =>
    startProcess('apps/gateway/src/main.ts', '"gateway.listening"', {
      PORT: String(gatewayPort),
      NOTION_MCP_SERVER_URL: simulator.mcpUrl,
      NOTION_MCP_OAUTH_REDIRECT_URI: `${gatewayUrl}/integrations/notion/mcp/oauth/callback`,
      NOTION_MCP_RETURN_BASE_URL: webUrl,
      ...secrets,
      // For what the gateway keeps outside of a database that the test brought.
      DATA_DIR: dataFolder,
      ...storage,
      ...gatewayEnv,
    })
  let gateway = await startGateway()
  const web = await startProcess('apps/web/main.ts', '"web.listening"', {
    PORT: String(webPort),
    WEB_URL: webUrl,
    CUDU_ENDPOINT: gatewayUrl,
    ...secrets,
    ...storage,
    ...webEnv,
  })

  return {
    webUrl,
    gatewayUrl,
    simulator,
    web,
    gateway: () => gateway,
    async startGateway() {
      gateway = await startGateway()
    },
    async stop() {
      // An embedded database has to be put in order; one that the test brought is thrown away.
      const end = (running: RunningProcess) => ('DATABASE_URL' in storage ? running.kill() : running.stop())
      await end(web)
      await end(gateway)
      await simulator.close()
      rmSync(dataFolder, { recursive: true, force: true })
    },
  }
}

/** Starts a process of the product and waits until its output says that it serves. */
export async function startProcess(main: string, ready: string, env: Env): Promise<RunningProcess> {
  const child = spawn(process.execPath, [join(ROOT, main)], {
    // NODE_ENV as a test runner hands it on; the processes have to know better.
    env: { PATH: process.env['PATH'], NODE_ENV: 'test', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const exited = once(child, 'exit')
  const isServing = new Promise<boolean>((resolveServing) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes(ready)) resolveServing(true)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void exited.then(() => resolveServing(false))
  })
  if (!(await isServing)) throw new Error(`${main} did not start:\n${output}`)
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
  }
  return {
    output: () => output,
    async stop() {
      await end('SIGTERM')
      return child.exitCode
    },
    kill: () => end('SIGKILL'),
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
