import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GATEWAY_FLAGS } from '../scripts/gateway-flags.mjs'

export const SERVICE_TOKEN = 'the-service-token-of-the-benchmark'

export interface Server {
  readonly port: number
  /** The process that handles requests. */
  readonly pid: number
  stop(): Promise<void>
}

export interface GatewayServer extends Server {
  /** Time from the start of the process to its first successful `/readyz`. */
  readonly readyAfterMs: number
  /** Connects a space like a user: start, consent, callback. */
  connect(spaceId: string): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

const running = new Map<ChildProcess, NodeJS.Signals>()

function watch(child: ChildProcess, signal: NodeJS.Signals): ChildProcess {
  running.set(child, signal)
  child.on('exit', () => running.delete(child))
  return child
}

/** Kills the servers that are still running. */
export function killServers(): void {
  for (const [child, signal] of running) child.kill(signal)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Starts the gateway as in production: one process, a database, one log line per call. */
export async function startGateway(
  databaseUrl: string,
  mcpUrl: string,
  env: Record<string, string> = {},
): Promise<GatewayServer> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = watch(
    spawn(process.execPath, [...GATEWAY_FLAGS, join(import.meta.dirname, '../apps/gateway/src/main.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env['PATH'] ?? '',
        PORT: String(port),
        DATABASE_URL: databaseUrl,
        GATEWAY_SERVICE_TOKEN: SERVICE_TOKEN,
        CREDENTIAL_KEYS: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
        NOTION_MCP_SERVER_URL: mcpUrl,
        NOTION_MCP_OAUTH_REDIRECT_URI: `http://127.0.0.1:${port}/integrations/notion/mcp/oauth/callback`,
        PROXY_MAX_STREAMS_PER_SPACE: '20000',
        PROXY_MAX_STREAMS: '20000',
        ...env,
      },
    }),
    'SIGKILL',
  )
  const url = `http://127.0.0.1:${port}`
  while (
    !(await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error('the gateway did not start')
    await pause(2)
  }
  const readyAfterMs = performance.now() - startedAt
  const headers = { authorization: `Bearer ${SERVICE_TOKEN}`, 'x-user-id': 'ada' }
  return {
    port,
    pid: child.pid ?? 0,
    readyAfterMs,
    async connect(spaceId) {
      const start = await fetch(`${url}/integrations/notion/oauth/mcp/start?space_id=${spaceId}`, { headers })
      const { authorizeUrl } = (await start.json()) as { authorizeUrl: string }
      const consent = await fetch(authorizeUrl, { redirect: 'manual' })
      const callback = await fetch(consent.headers.get('location') ?? '', { redirect: 'manual' })
      const back = callback.headers.get('location') ?? ''
      if (!back.includes('status=success')) throw new Error(`the space was not connected: ${back}`)
    },
    stop: () => end(child),
  }
}

/** Starts nginx with one worker and a fixed token; undefined if it is not installed. */
export async function startNginx(upstreamPort: number, fastPort: number): Promise<Server | undefined> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
worker_rlimit_nofile 20000;
events { worker_connections 16000; }
http {
  access_log ${folder}/access.log combined buffer=64k flush=1s;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  upstream mcp { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  upstream fast { server 127.0.0.1:${fastPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Authorization "Bearer a-fixed-token";
    proxy_buffering off;
    proxy_read_timeout 1h;
    location / { proxy_pass http://mcp; }
    location /fast { proxy_pass http://fast; }
  }
}
`,
  )
  // SIGTERM: after a SIGKILL its worker would keep running.
  const child = watch(spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' }), 'SIGTERM')
  let hasEnded = false
  child.once('error', () => (hasEnded = true)).once('exit', () => (hasEnded = true))
  while (!(await responds(port))) {
    if (hasEnded) {
      rmSync(folder, { recursive: true })
      return undefined
    }
    await pause(20)
  }
  return {
    port,
    pid: workerOf(child.pid ?? 0),
    async stop() {
      await end(child)
      rmSync(folder, { recursive: true })
    },
  }
}

/** Starts the bare forwarder of floor.ts, with the gateway's Node flags. */
export async function startFloor(upstreamPort: number): Promise<Server> {
  const port = await freePort()
  const floor = join(import.meta.dirname, 'floor.ts')
  const child = watch(
    spawn(process.execPath, [...GATEWAY_FLAGS, floor, String(port), String(upstreamPort)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
    'SIGKILL',
  )
  while (!(await responds(port))) {
    if (child.exitCode !== null) throw new Error('the floor did not start')
    await pause(20)
  }
  return { port, pid: child.pid ?? 0, stop: () => end(child) }
}

const responds = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/nothing`).then(
    () => true,
    () => false,
  )

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function workerOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
}

/** The processor time of a process in seconds. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  // utime and stime, in clock ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** The processor time of a process and its children in seconds. */
export function processorSecondsOfAll(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return [pid, ...children.map(Number)].reduce((sum, each) => sum + processorSeconds(each), 0)
}

/** The resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}
