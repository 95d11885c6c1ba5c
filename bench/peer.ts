import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Target } from './load.ts'

/** A proxy from npm that forwards MCP from HTTP to HTTP. */
const PEER = 'mcp-proxy@6.7.19'

/** As in its documentation: a server and a client, with all messages forwarded. */
const PROGRAM = `
import { startHTTPServer, proxyServer } from 'mcp-proxy'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Server } from '@modelcontextprotocol/server'

const [upstream, port] = process.argv.slice(2)
await startHTTPServer({
  host: '127.0.0.1',
  port: Number(port),
  async createServer() {
    const client = new Client({ name: 'peer', version: '1' }, { capabilities: {} })
    await client.connect(new StreamableHTTPClientTransport(new URL(upstream)))
    const server = new Server(client.getServerVersion(), { capabilities: client.getServerCapabilities() })
    await proxyServer({ client, server, serverCapabilities: client.getServerCapabilities() })
    return server
  },
})
console.log('ready')
`

export interface Peer {
  readonly name: string
  target(body: string): Target
  stop(): Promise<void>
}

/** Installs the peer into \`folder\`, starts it in front of \`upstream\` and opens a session. */
export async function startPeer(folder: string, upstream: string): Promise<Peer> {
  const home = join(folder, 'peer')
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{"type":"module","private":true}')
  await promisify(execFile)(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      PEER,
      '@modelcontextprotocol/client@2',
      '@modelcontextprotocol/server@2',
    ],
    { cwd: home },
  )
  writeFileSync(join(home, 'main.js'), PROGRAM)
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const child = spawn(process.execPath, ['main.js', upstream, String(port)], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')

  const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
  const url = `http://127.0.0.1:${port}/mcp`
  const opening = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
  const opened = await fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: opening }),
  })
  const text = await opened.text()
  if (!opened.ok) throw new Error(`${PEER} did not initialize: ${opened.status} ${text}`)
  const session = {
    ...headers,
    'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
    'mcp-protocol-version': '2025-06-18',
  }
  await (
    await fetch(url, {
      method: 'POST',
      headers: session,
      body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    })
  ).text()

  return {
    name: PEER,
    target: (body) => ({ port, path: '/mcp', headers: session, body }),
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
