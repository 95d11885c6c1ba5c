/**
 * The stand-in for Notion in the benchmark: an authorization server that grants everything, and an MCP endpoint that responds at once. `/mcp` is an
 * ordinary server on node:http; `/fast` responds with fixed bytes at minimal cost.
 */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { serveJobs } from './jobs.ts'

/** The jobs of this process. */
export interface UpstreamJobs {
  listen(): Promise<{ port: number; fastPort: number }>
  /** Sends one event to every open stream; returns the time and the number of streams. */
  tick(): { sentAt: number; streams: number }
  /** Sends `count` events at this rate, each to the next open stream. */
  trickle(count: number, perSecond: number): Promise<void>
  /** Sets the lifetime of the access tokens of new grants, in seconds. */
  grantFor(seconds: number): void
  /** Makes refreshes wait until `release`. */
  holdRefreshes(): void
  release(): { releasedAt: number; held: number }
  /** Number of token requests received. */
  tokenRequests(): number
  /** Number of MCP requests received. */
  calls(): number
}

const small = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { content: [{ type: 'text', text: 'The launch plan has three milestones. '.repeat(4) }], isError: false },
})
const large = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { content: [{ type: 'text', text: 'x'.repeat(1_000_000) }] },
})
const fast = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(small)}\r\n\r\n${small}`,
)

const streams = new Set<ServerResponse>()
const held: (() => void)[] = []
let holds = false
let expiresIn = 28_800
let generation = 0
let tokenRequests = 0
let calls = 0

const http = createHttpServer({ keepAliveTimeout: 120_000 }, (req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => respond(req, res, Buffer.concat(chunks)))
})

/** Handles connections whose first request is `POST /fast` itself, and passes others, for discovery, to node:http. */
const fastServer = createServer({ noDelay: true }, (socket) => {
  socket.once('data', (first) => {
    if (first.toString('latin1', 0, 10) === 'POST /fast') {
      const respond = fastResponder(socket)
      socket.on('data', respond)
      respond(first)
    } else {
      http.emit('connection', socket)
      socket.unshift(first)
    }
  })
  socket.on('error', () => {})
})

/** Responds to each complete request. */
function fastResponder(socket: Socket): (bytes: Buffer) => void {
  let unread: Buffer | undefined
  return (more) => {
    const bytes = unread ? Buffer.concat([unread, more]) : more
    const headEnd = bytes.indexOf('\r\n\r\n')
    const length =
      headEnd === -1 ? undefined : /content-length: *(\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1]
    if (length === undefined || bytes.length < headEnd + 4 + Number(length)) {
      unread = bytes
      return
    }
    unread = undefined
    calls++
    socket.write(fast)
  }
}

function respond(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  const [path] = (req.url ?? '').split('?')
  if (path === '/mcp') respondToMcp(req, res)
  else if (path === '/peer') respondToPeer(req, res, body)
  else respondToOAuth(req, res, body, path ?? '')
}

function respondToMcp(req: IncomingMessage, res: ServerResponse): void {
  calls++
  const name = req.headers['mcp-name']
  if (req.method === 'GET') {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.flushHeaders()
    streams.add(res)
    res.on('close', () => streams.delete(res))
  } else if (name === 'events') {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.flushHeaders()
    setImmediate(() => {
      res.write(`event: message\ndata: ${small}\n\n`)
      setImmediate(() => res.end())
    })
  } else {
    const text = name === 'large' ? large : small
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
    res.end(text)
  }
}

/** For proxies that implement MCP on both sides, which need matching ids. */
function respondToPeer(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  calls++
  if (req.method !== 'POST') {
    res.writeHead(405).end()
    return
  }
  const { id, method } = JSON.parse(body.toString()) as { id?: number; method: string }
  if (id === undefined) {
    res.writeHead(202).end()
    return
  }
  const opened = {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'bench', version: '1' },
  }
  const result = method === 'initialize' ? opened : JSON.parse(small).result
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

function respondToOAuth(req: IncomingMessage, res: ServerResponse, body: Buffer, path: string): void {
  const origin = `http://${req.headers.host}`
  const form = new URLSearchParams(body.toString())
  const send = (status: number, content: unknown): void => {
    res.writeHead(status, { 'content-type': 'application/json' })
    res.end(JSON.stringify(content))
  }
  if (path.startsWith('/.well-known/oauth-protected-resource')) {
    const resource = origin + path.slice('/.well-known/oauth-protected-resource'.length)
    send(200, { resource, authorization_servers: [origin] })
  } else if (path.startsWith('/.well-known/')) {
    send(200, {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none'],
      code_challenge_methods_supported: ['S256'],
    })
  } else if (path === '/register') {
    send(201, { ...JSON.parse(body.toString()), client_id: 'bench', client_id_issued_at: 1 })
  } else if (path === '/authorize') {
    const query = new URL(req.url ?? '', origin).searchParams
    const back = new URL(query.get('redirect_uri') ?? '')
    back.search = new URLSearchParams({ code: 'code', state: query.get('state') ?? '', iss: origin }).toString()
    res.writeHead(302, { location: back.href })
    res.end()
  } else if (path === '/token') {
    tokenRequests++
    const expires_in = expiresIn
    const grant = () =>
      send(200, {
        access_token: `access-${++generation}`,
        refresh_token: `refresh-${generation}`,
        token_type: 'Bearer',
        expires_in,
      })
    if (holds && form.get('grant_type') === 'refresh_token') held.push(grant)
    else grant()
  } else {
    send(404, {})
  }
}

serveJobs<UpstreamJobs>({
  async listen() {
    http.listen(0, '127.0.0.1', 4096)
    fastServer.listen(0, '127.0.0.1', 4096)
    await Promise.all([once(http, 'listening'), once(fastServer, 'listening')])
    return { port: (http.address() as AddressInfo).port, fastPort: (fastServer.address() as AddressInfo).port }
  },
  tick() {
    const sentAt = performance.timeOrigin + performance.now()
    for (const stream of streams) stream.write(`data: ${sentAt}\n\n`)
    return { sentAt, streams: streams.size }
  },
  async trickle(count, perSecond) {
    const all = [...streams]
    const startedAt = performance.now()
    for (let sent = 0; sent < count;) {
      const due = Math.min(count, Math.ceil(((performance.now() - startedAt) / 1000) * perSecond))
      for (; sent < due; sent++)
        all[sent % all.length]?.write(`data: ${performance.timeOrigin + performance.now()}\n\n`)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  },
  grantFor(seconds) {
    expiresIn = seconds
  },
  holdRefreshes() {
    holds = true
  },
  release() {
    holds = false
    const releasedAt = performance.timeOrigin + performance.now()
    const count = held.length
    for (const grant of held.splice(0)) grant()
    return { releasedAt, held: count }
  },
  tokenRequests: () => tokenRequests,
  calls: () => calls,
})
