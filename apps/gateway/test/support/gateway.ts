/** A whole gateway for tests: over HTTP, on a real database, in this process or in a separate one. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { BINDING_COOKIE, type Connection, type History } from '@nmg/contract'
import { testDatabase } from '@nmg/process/testing'
import { readConfig } from '../../src/config.ts'
import type { DataLocations } from '../../src/connections/copies/open.ts'
import { openGateway, type Gateway } from '../../src/gateway.ts'
import type { RefreshFailpoints } from '../../src/refresh/open.ts'
import { jsonLog } from '../../src/platform/log.ts'
import type { Clock } from '../../src/platform/clock.ts'

export const SERVICE_TOKEN = 'a-service-token-of-the-tests'
export const CREDENTIAL_KEYS = `test:${Buffer.alloc(32, 7).toString('base64')}`
export const RETURN_BASE = 'http://localhost:3999'

export interface GatewayClient {
  readonly url: string
  readonly databaseUrl: string
  /** The log so far. */
  logs(): string
  /** Sends a request as the application does, with the service token and a user. */
  fetch(path: string, init?: RequestInit & { user?: string | null }): Promise<Response>
  /** Starts an authorization. */
  start(space: string, more?: Record<string, string>): Promise<{ authorizeUrl: string; state: string }>
  /** Completes an authorization as a browser does; the simulator must approve automatically. Resolves to the final redirect. */
  authorize(space: string, more?: { user?: string; binding?: string; returnPath?: string }): Promise<URL>
  /** Completes an authorization and rejects unless it succeeded. */
  connect(space: string, user?: string): Promise<void>
  connection(space: string): Promise<Connection>
  history(space: string): Promise<History>
  /** Sends a JSON-RPC message through the proxy. */
  call(space: string, message: object, init?: RequestInit & { user?: string | null }): Promise<Response>
  /** Calls a Notion tool. Resolves to its result. */
  callTool(space: string, name: string, args: object): Promise<{ content: { text: string }[]; isError?: boolean }>
}

export interface InProcessGateway extends GatewayClient {
  readonly gateway: Gateway
  stop(): Promise<void>
}

export interface ProcessGateway extends GatewayClient {
  readonly process: ChildProcess
  /** Sends SIGTERM and waits for the exit. */
  stop(): Promise<void>
  /** Sends SIGKILL and waits for the exit. */
  kill(): Promise<void>
}

export interface GatewayTestOptions {
  /** The simulator's MCP endpoint. */
  readonly mcpUrl: string
  /** Default: a new database. */
  readonly databaseUrl?: string
  readonly env?: Record<string, string>
  readonly clock?: Clock
  readonly failpoints?: RefreshFailpoints
  readonly lookup?: LookupFunction
  readonly locations?: DataLocations
}

export async function startGateway(options: GatewayTestOptions): Promise<InProcessGateway> {
  const { env, databaseUrl } = await environment(options)
  const lines: string[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const config = readConfig(env, () => {
    throw new Error('tests must pass all secrets')
  })
  const gateway = await openGateway({
    config,
    databaseUrl,
    log: jsonLog('debug', sink),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.failpoints === undefined ? {} : { failpoints: options.failpoints }),
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    ...(options.locations === undefined ? {} : { locations: options.locations }),
  })
  gateway.server.listen(config.PORT, '127.0.0.1')
  await once(gateway.server, 'listening')
  return {
    ...client(`http://127.0.0.1:${config.PORT}`, databaseUrl, () => lines.join('')),
    gateway,
    stop() {
      // The idle connections of the test, for which the gateway would wait a moment.
      gateway.server.closeIdleConnections()
      return gateway.stop()
    },
  }
}

export async function spawnGateway(
  options: Omit<GatewayTestOptions, 'clock' | 'failpoints' | 'lookup' | 'locations'>,
): Promise<ProcessGateway> {
  const { env, databaseUrl, port } = await environment(options)
  const main = join(import.meta.dirname, '../../src/main.ts')
  const dataFolder = mkdtempSync(join(tmpdir(), 'nmg-gateway-'))
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataFolder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exited = once(child, 'exit').finally(() => rmSync(dataFolder, { recursive: true, force: true }))
  const url = `http://127.0.0.1:${port}`
  while (!output.includes('"gateway.listening"')) {
    const ended = await Promise.race([exited.then(() => true), once(child.stdout, 'data').then(() => false)])
    if (ended) throw new Error(`the gateway did not start: ${output}`)
  }
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
  }
  return {
    ...client(url, databaseUrl, () => output),
    process: child,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

async function environment({
  mcpUrl,
  databaseUrl: given,
  env,
}: Omit<GatewayTestOptions, 'clock' | 'failpoints' | 'lookup' | 'locations'>) {
  const databaseUrl = given ?? (await testDatabase()).url
  const port = await freePort()
  return {
    databaseUrl,
    port,
    env: {
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      GATEWAY_SERVICE_TOKEN: SERVICE_TOKEN,
      CREDENTIAL_KEYS,
      NOTION_MCP_SERVER_URL: mcpUrl,
      NOTION_MCP_OAUTH_REDIRECT_URI: `http://127.0.0.1:${port}/integrations/notion/mcp/oauth/callback`,
      NOTION_MCP_RETURN_BASE_URL: RETURN_BASE,
      ...env,
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

function client(url: string, databaseUrl: string, logs: () => string): GatewayClient {
  const self: GatewayClient = {
    url,
    databaseUrl,
    logs,

    fetch(path, { user = 'ada', ...init } = {}) {
      const headers = new Headers(init.headers)
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${SERVICE_TOKEN}`)
      if (user !== null && !headers.has('x-user-id')) headers.set('x-user-id', user)
      return fetch(url + path, { redirect: 'manual', ...init, headers })
    },

    async start(space, more = {}) {
      const { user, ...query } = more
      const response = await self.fetch(
        `/integrations/notion/oauth/mcp/start?${new URLSearchParams({ space_id: space, ...query })}`,
        user === undefined ? {} : { user },
      )
      if (response.status !== 200) throw new Error(`start responded with ${response.status}: ${await response.text()}`)
      return (await response.json()) as { authorizeUrl: string; state: string }
    },

    async authorize(space, { user = 'ada', binding, returnPath } = {}) {
      const { authorizeUrl } = await self.start(space, {
        user,
        ...(binding === undefined ? {} : { binding }),
        ...(returnPath === undefined ? {} : { return_path: returnPath }),
      })
      const consent = await fetch(authorizeUrl, { redirect: 'manual' })
      const callback = consent.headers.get('location')
      if (callback === null) throw new Error(`the consent page responded with ${consent.status} and no redirect`)
      const response = await fetch(callback, {
        redirect: 'manual',
        headers: binding === undefined ? {} : { cookie: `${BINDING_COOKIE}=${binding}` },
      })
      const location = response.headers.get('location')
      if (response.status !== 303 || location === null)
        throw new Error(`the callback responded with ${response.status}`)
      return new URL(location)
    },

    async connect(space, user = 'ada') {
      const end = await self.authorize(space, { user })
      if (end.searchParams.get('status') !== 'success') throw new Error(`not connected: ${end.search}`)
    },

    async connection(space) {
      return (await (await self.fetch(`/integrations/notion/${space}`)).json()) as Connection
    },

    async history(space) {
      return (await (await self.fetch(`/integrations/notion/${space}/events`)).json()) as History
    },

    call(space, message, { user = 'ada', ...init } = {}) {
      return self.fetch('/mcp/notion/proxy', {
        method: 'POST',
        user,
        ...init,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-06-18',
          ...Object.fromEntries(new Headers(init.headers)),
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message, meta: { space_id: space } }),
      })
    },

    async callTool(space, name, args) {
      const response = await self.call(space, { id: 1, method: 'tools/call', params: { name, arguments: args } })
      const text = await response.text()
      if (response.status !== 200) throw new Error(`the proxy responded with ${response.status}: ${text}`)
      const json = /^data: (.*)$/m.exec(text)?.[1] ?? text
      return (JSON.parse(json) as { result: { content: { text: string }[]; isError?: boolean } }).result
    },
  }
  return self
}
