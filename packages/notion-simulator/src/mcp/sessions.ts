import { randomBytes } from 'node:crypto'
import {
  type AuthInfo,
  isInitializeRequest,
  isJsonContentType,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { State } from '../state.ts'
import { eventStore } from './event-store.ts'
import { callContextOf } from './tool.ts'

const MAX_BODY_BYTES = 4 * 1024 * 1024

type Session = { transport: WebStandardStreamableHTTPServerTransport; server: McpServer }

/** MCP sessions, as in older versions of Notion. */
export type McpSessions = {
  serve(request: Request, authInfo: AuthInfo): Promise<Response>
  notifyToolsChanged(): Promise<void>
  forget(): Promise<number>
  count(): number
}

export function mcpSessions(state: State, server: (workspaceId: string) => McpServer): McpSessions {
  const sessions = new Map<string, Session>()

  const open = async (request: Request, authInfo: AuthInfo): Promise<Response> => {
    const id = randomBytes(32).toString('hex')
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      enableJsonResponse: state.options.answers === 'json',
      keepAliveMs: state.options.keepAliveMs,
      ...(state.options.resumable && { eventStore: eventStore() }),
      onsessionclosed: () => {
        sessions.delete(id)
      },
    })
    const session = { transport, server: server(callContextOf(authInfo).workspaceId) }
    await session.server.connect(transport)
    const response = await transport.handleRequest(request, { authInfo })
    if (transport.sessionId !== undefined) sessions.set(id, session)
    return response
  }

  return {
    async serve(request, authInfo) {
      const sessionId = request.headers.get('mcp-session-id')
      if (request.method === 'GET' && !state.options.getStream) return refuse(405, -32000, 'Method not allowed.')
      if (request.method === 'POST') {
        const { refusal, opening } = await inspectPost(request, sessionId !== null)
        if (refusal) return refusal
        if (opening) return open(request, authInfo)
      }
      if (sessionId === null) return refuse(400, -32000, 'Bad Request: Mcp-Session-Id header is required')
      const session = sessions.get(sessionId)
      if (!session) return refuse(404, -32001, 'Session not found')
      return session.transport.handleRequest(request, { authInfo })
    },

    async notifyToolsChanged() {
      for (const { server: instance } of sessions.values()) await instance.server.sendToolListChanged()
    },

    async forget() {
      const forgotten = [...sessions.values()]
      sessions.clear()
      for (const { server: instance } of forgotten) await instance.close()
      return forgotten.length
    },

    count: () => sessions.size,
  }
}

/** The checks before a session is looked up, with the order and messages of the older server. */
async function inspectPost(request: Request, hasSession: boolean): Promise<{ refusal?: Response; opening?: boolean }> {
  const accept = request.headers.get('accept') ?? ''
  if (!accept.includes('application/json') || !accept.includes('text/event-stream')) {
    const message = 'Not Acceptable: Client must accept both application/json and text/event-stream'
    return { refusal: refuse(406, -32000, message) }
  }
  if (!isJsonContentType(request.headers.get('content-type'))) {
    return { refusal: refuse(415, -32000, 'Unsupported Media Type: Content-Type must be application/json') }
  }
  const text = await request.clone().text()
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) {
    const message = `Request body too large: maximum size is ${MAX_BODY_BYTES} bytes`
    return { refusal: refuse(413, -32000, message) }
  }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { refusal: refuse(400, -32700, 'Parse error: Invalid JSON') }
  }
  const opening = (Array.isArray(body) ? body : [body]).some((message) => isInitializeRequest(message))
  if (opening && hasSession) {
    const message = 'Invalid Request: Initialization requests must not include a sessionId'
    return { refusal: refuse(400, -32600, message) }
  }
  return { opening }
}

function refuse(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
