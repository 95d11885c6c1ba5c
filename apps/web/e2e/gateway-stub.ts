import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Connection, DisconnectReceipt, Problem } from '@nmg/contract'

/** A gateway whose connection and refusals a test chooses, for states that take hours or an operator's mistake to come about. */
export interface GatewayStub {
  readonly url: string
  /** What it reports about every space from now on. */
  connection: Partial<Connection>
  /** What every start of a consent gets; undefined for nothing of interest. */
  startRefusal: (Refused & { readonly retryAfter: string }) | undefined
  /** What every MCP call gets. */
  callRefusal: Refused
  receipt: Partial<DisconnectReceipt>
  close(): Promise<void>
}

type Refused = Pick<Problem, 'status' | 'code' | 'detail'>

export async function startGatewayStub(): Promise<GatewayStub> {
  const server = createServer((request, response) => {
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
    if (pathname.startsWith('/access/keys')) return { body: { keys: [] } }
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

const PROCESS = '5b8a3f6e-2f0e-4c5f-9d43-0a8f3f1f2a11'

const notFound: Refused = { status: 404, code: 'not_found', detail: 'There is nothing here.' }

const refused = (problem: Refused, retryAfter?: string) => ({
  status: problem.status,
  ...(retryAfter !== undefined && { headers: { 'retry-after': retryAfter } }),
  body: { type: 'about:blank', title: problem.code, requestId: 'req_stub', ...problem },
})
