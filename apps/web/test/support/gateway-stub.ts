import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Connection, DisconnectReceipt, Problem } from '@nmg/contract'

/** A gateway whose connection and refusals a test chooses, for states that take hours or an operator's mistake to come about. */
export interface GatewayStub {
  readonly url: string
  /** What it reports about every space from now on. */
  connection: Partial<Connection>
  /** What every start of a consent gets; undefined for nothing of interest. */
  startRefusal: (Refused & { readonly retryAfter: string }) | undefined
  /** What every MCP call gets while there is no {@link mcp}. */
  callRefusal: Refused
  /** The MCP server behind it. */
  mcp: McpServer | undefined
  receipt: Partial<DisconnectReceipt>
  close(): Promise<void>
}

export interface McpServer {
  readonly tools: readonly unknown[]
  /** The result of a call; a thrown {@link RpcError} becomes a JSON-RPC error, anything else cuts the connection. */
  call(name: string, args: unknown): unknown
}

export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

type Refused = Pick<Problem, 'status' | 'code' | 'detail'>

export async function startGatewayStub(): Promise<GatewayStub> {
  const server = createServer((request, response) => {
    if (stub.mcp && request.url?.startsWith('/mcp/')) return void serveMcp(stub.mcp, request, response)
    const { body, status = 200, headers = {} } = respond(request)
    response.writeHead(status, {
      'content-type': status < 400 ? 'application/json' : 'application/problem+json',
      ...headers,
    })
    response.end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const stub: GatewayStub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connection: {},
    startRefusal: undefined,
    callRefusal: { status: 502, code: 'upstream_unreachable', detail: 'Notion cannot be reached. Try again.' },
    mcp: undefined,
    receipt: {},
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }

  function respond(request: IncomingMessage): {
    body: unknown
    status?: number
    headers?: Record<string, string>
  } {
    const { pathname } = new URL(request.url ?? '/', 'http://stub.invalid')
    if (pathname.endsWith('/oauth/mcp/start'))
      return refused(stub.startRefusal ?? notFound, stub.startRefusal?.retryAfter)
    if (pathname.endsWith('/events')) return { body: { spaceId: 'space', processId: PROCESS, events: [] } }
    if (pathname.startsWith('/mcp/')) return refused(stub.callRefusal)
    if (pathname.startsWith('/access/keys')) return keys(request.method)
    if (pathname.startsWith('/access/clients')) return { body: { clients: [] } }
    const spaceId = /^\/integrations\/notion\/([^/]+)$/.exec(pathname)?.[1]
    if (spaceId === undefined) return refused(notFound)
    if (request.method === 'DELETE') {
      stub.connection = { status: 'disconnected' }
      return {
        body: { spaceId, status: 'disconnected', changed: true, revocation: 'revoked', ...stub.receipt },
      }
    }
    return {
      body: {
        spaceId,
        processId: PROCESS,
        status: 'connected',
        connectedAt: '2026-05-01T10:00:00Z',
        connectedBy: 'somebody',
        workspaceName: 'Acme',
        hasMcpToken: true,
        ...stub.connection,
      },
    }
  }

  return stub
}

interface RpcRequest {
  readonly id?: number
  readonly method: string
  readonly params?: { readonly name?: string; readonly arguments?: unknown }
}

/** Just enough of MCP, without sessions: protocol version 2025-06-18. */
async function serveMcp(mcp: McpServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return void response.writeHead(405).end()
  const { id, method, params } = JSON.parse(await text(request)) as RpcRequest
  if (id === undefined) return void response.writeHead(202).end()
  const send = (outcome: object) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }))
  }
  const capabilities = { tools: {} }
  const serverInfo = { name: 'stub', version: '1' }
  if (method === 'initialize') return send({ result: { protocolVersion: '2025-06-18', capabilities, serverInfo } })
  if (method === 'tools/list') return send({ result: { tools: mcp.tools } })
  if (method !== 'tools/call') return send({ error: { code: -32601, message: 'Method not found' } })
  try {
    send({ result: await mcp.call(params?.name ?? '', params?.arguments) })
  } catch (error) {
    if (error instanceof RpcError) return send({ error: { code: error.code, message: error.message } })
    // The response has begun, as an event stream, and breaks.
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(': working\n\n')
    setTimeout(() => response.destroy(), 50)
  }
}

const PROCESS = '5b8a3f6e-2f0e-4c5f-9d43-0a8f3f1f2a11'

const notFound: Refused = { status: 404, code: 'not_found', detail: 'There is nothing here.' }

const keys = (method: string | undefined) => {
  if (method === 'DELETE') return { body: null }
  if (method !== 'POST') return { body: { keys: [] } }
  const key = { id: PROCESS, name: 'Key', spaceId: 'space', userId: 'ada', scope: 'notion:read', key: 'nmg_key' }
  return { body: { ...key, createdAt: '2026-05-01T10:00:00Z' } }
}

const refused = (problem: Refused, retryAfter?: string) => ({
  status: problem.status,
  ...(retryAfter !== undefined && { headers: { 'retry-after': retryAfter } }),
  body: { type: 'about:blank', title: problem.code, requestId: 'req_stub', ...problem },
})
