import { randomBytes } from 'node:crypto'
import {
  type AuthInfo,
  createMcpHandler,
  isLegacyRequest,
  type McpHttpHandler,
  type McpServer,
  type ServerEventBus,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { State } from '../state.ts'
import { callContextOf } from './tool.ts'

/**
 * Handles requests without sessions: each POST gets a new server of its protocol revision. The SDK implements the 2026-07-28 revision.
 */
export function statelessServing(
  state: State,
  server: (workspaceId: string) => McpServer,
  bus: ServerEventBus,
): (request: Request, authInfo: AuthInfo) => Promise<Response> {
  const handlers = new Map<string, McpHttpHandler>()

  /** The handler for the current options. */
  const modern = (): McpHttpHandler => {
    const { answers, keepAliveMs } = state.options
    const key = `${answers} ${keepAliveMs}`
    const known = handlers.get(key)
    if (known) return known
    const handler = createMcpHandler((context) => server(callContextOf(context.authInfo).workspaceId), {
      legacy: 'reject',
      responseMode: answers === 'json' ? 'auto' : 'sse',
      keepAliveMs,
      bus,
    })
    handlers.set(key, handler)
    return handler
  }

  return async (request, authInfo) => {
    if (!(await isLegacyRequest(request))) return modern().fetch(request, { authInfo })
    if (request.method === 'GET' && state.options.getStream) return silentStream(state.options.keepAliveMs)
    if (request.method !== 'POST') return methodNotAllowed()

    const { answers, keepAliveMs, sessions } = state.options
    const transport = new WebStandardStreamableHTTPServerTransport({
      keepAliveMs,
      enableJsonResponse: answers === 'json',
    })
    const instance = server(callContextOf(authInfo).workspaceId)
    await instance.connect(transport)
    // Close the server of an aborted request; after a response it is garbage.
    request.signal.addEventListener('abort', () => void instance.close().catch(() => undefined), { once: true })
    const response = await transport.handleRequest(request, { authInfo })
    if (sessions === 'header') response.headers.set('mcp-session-id', randomBytes(32).toString('hex'))
    return response
  }
}

function methodNotAllowed(): Response {
  return Response.json(
    { jsonrpc: '2.0', error: { code: -32000, message: 'Method not allowed.' }, id: null },
    { status: 405, headers: { allow: 'POST' } },
  )
}

/** A GET stream with keep-alive comments only. */
function silentStream(keepAliveMs: number): Response {
  let timer: NodeJS.Timeout | undefined
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const beat = () => controller.enqueue(new TextEncoder().encode(': keepalive\n\n'))
      if (keepAliveMs > 0) timer = setInterval(beat, keepAliveMs)
    },
    cancel: () => clearInterval(timer),
  })
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' },
  })
}
