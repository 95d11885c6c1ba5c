import { setTimeout as delay } from 'node:timers/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { InMemoryServerEventBus, originValidationResponse } from '@modelcontextprotocol/server'
import { checkBearer, insufficientScopeResponse, unknownTokenResponse } from '../authorization/bearer.ts'
import { takeMcpFault } from '../faults.ts'
import type { McpFault } from '../options.ts'
import type { RecordedMcpRequest } from '../recorded-requests.ts'
import { type State, timestamp } from '../state.ts'
import { withCors } from '../cors.ts'
import { send } from '../send.ts'
import { rateLimiter } from './rate-limit.ts'
import { notionServer } from './server.ts'
import { mcpSessions } from './sessions.ts'
import { statelessServing } from './stateless.ts'
import { authInfoFor, type CallContext } from './tool.ts'

/** The MCP endpoint of one simulator. */
export type McpEndpoint = {
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>
  /** Notifies all listeners (GET streams, `subscriptions/listen`) of a changed list of tools. */
  notifyToolsChanged(): Promise<void>
  /** Closes all MCP sessions, like an idle time-out or a deployment. Their ids are unknown afterwards. */
  forgetSessions(): Promise<number>
  sessionCount(): number
  clear(): Promise<void>
}

export function mcpEndpoint(state: State): McpEndpoint {
  const limiter = rateLimiter(state)
  const bus = new InMemoryServerEventBus()
  const server = (workspaceId: string) => notionServer(state, limiter, workspaceId)
  const sessions = mcpSessions(state, server)
  const stateless = statelessServing(state, server, bus)

  const serve = async (request: Request, call: CallContext): Promise<Response> => {
    const origins = state.options.allowedOrigins
    const refused = origins && originValidationResponse(request, origins)
    if (refused) return refused
    const authInfo = authInfoFor(call)
    return state.options.sessions === 'required' ? sessions.serve(request, authInfo) : stateless(request, authInfo)
  }

  return {
    async handle(incoming, outgoing) {
      const body = await readBody(incoming).catch(() => undefined)
      if (!body) return // The client disconnected before the end of its request.
      const record = startRecord(state, incoming, body)
      const disconnected = new AbortController()
      // Clients may disconnect at any time: `close` records it, and the error must not crash the simulator.
      outgoing.on('error', () => undefined)
      outgoing.on('close', () => {
        record.finishedAt = timestamp(state)
        if (outgoing.writableFinished) return
        if (record.fault === undefined || !isCut(record.fault)) {
          record.aborted = true
          record.abortedAt = record.finishedAt
        }
        disconnected.abort()
      })

      const { response, fault } = await respond(state, incoming, body, record, disconnected.signal, serve)
      if (response === 'socket-destroyed' || fault?.kind === 'lost-response') {
        // Read the complete response, so that the tool has finished.
        if (response !== 'socket-destroyed') await response.arrayBuffer()
        incoming.socket.destroy()
        return
      }
      const origin = incoming.headers.origin
      await send(outgoing, withCors(response, origin), {
        onHead: (status) => (record.status = status),
        onBytes: (count) => (record.sentBytes += count),
        ...(fault?.kind === 'cut-stream' && { cutAfterBytes: fault.afterBytes }),
      })
    },

    async notifyToolsChanged() {
      bus.publish({ kind: 'tools_list_changed' })
      await sessions.notifyToolsChanged()
    },
    forgetSessions: () => sessions.forget(),
    sessionCount: () => sessions.count(),
    async clear() {
      limiter.clear()
      await sessions.forget()
    },
  }
}

const isCut = (kind: string) => kind === 'lost-request' || kind === 'lost-response' || kind === 'cut-stream'

async function respond(
  state: State,
  incoming: IncomingMessage,
  body: Buffer,
  record: RecordedMcpRequest,
  disconnected: AbortSignal,
  serve: (request: Request, call: CallContext) => Promise<Response>,
): Promise<{ response: Response | 'socket-destroyed'; fault?: McpFault }> {
  const request = webRequest(state, incoming, body, disconnected)
  if (request.method === 'OPTIONS') return { response: new Response(null, { status: 204 }) }

  const fault = takeMcpFault(state.options, record)
  if (fault) record.fault = fault.kind
  const retryAfter: Record<string, string> =
    fault && fault.retryAfterSeconds !== null ? { 'retry-after': String(fault.retryAfterSeconds) } : {}
  switch (fault?.kind) {
    case 'lost-request':
      return { response: 'socket-destroyed' }
    case 'slow':
      await delay(fault.delayMs)
      break
    case 'edge-error':
      return { response: edgeResponse(fault.status ?? 502) }
    case 'edge-rate-limit':
      return { response: edgeResponse(fault.status ?? 429, retryAfter) }
    default:
  }

  const check = checkBearer(state, request.headers.get('authorization'), new URL(request.url).pathname)
  record.credential = check.credential
  if ('refusal' in check) return { response: check.refusal }
  if (fault?.kind === 'unauthorized') return { response: unknownTokenResponse(state) }
  if (fault?.kind === 'insufficient-scope') return { response: insufficientScopeResponse(state, fault.scope) }

  const call: CallContext = { ...check.principal, disconnected, record, ...(fault && { fault }) }
  return { response: await serve(request, call), ...(fault && { fault }) }
}

function edgeResponse(status: number, headers: Record<string, string> = {}): Response {
  const html = `<!doctype html><title>${status}</title><h1>Error ${status}</h1>\n`
  return new Response(html, { status, headers: { 'content-type': 'text/html; charset=UTF-8', ...headers } })
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer) // Chunks are buffers, as no encoding is set.
  return Buffer.concat(chunks)
}

function webRequest(state: State, incoming: IncomingMessage, body: Buffer, signal: AbortSignal): Request {
  const headers = new Headers()
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '')
  }
  const method = incoming.method ?? 'GET'
  const hasBody = body.length > 0 && method !== 'GET' && method !== 'HEAD'
  return new Request(new URL(incoming.url ?? '/', state.url), {
    method,
    headers,
    signal,
    ...(hasBody && { body: new Uint8Array(body) }),
  })
}

function startRecord(state: State, incoming: IncomingMessage, body: Buffer): RecordedMcpRequest {
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
  const text = body.toString('utf8')
  const check = checkBearer(state, incoming.headers.authorization ?? null, '/mcp')
  if (headers['authorization'] !== undefined) headers['authorization'] = describeCredential(check.credential)
  const record: RecordedMcpRequest = {
    at: timestamp(state),
    httpMethod: incoming.method ?? 'GET',
    headers,
    credential: check.credential,
    body: text,
    bodyBytes: body.length,
    ...messageOf(text),
    sentBytes: 0,
    aborted: false,
  }
  state.recorded.mcpRequests.push(record)
  return record
}

function describeCredential(credential: RecordedMcpRequest['credential']): string {
  if (credential.kind !== 'access_token') return `<${credential.kind}>`
  return `<access token ${credential.generation} of grant ${credential.grantId}, ${credential.standing}>`
}

/** The JSON-RPC method, id and tool, if the body is one message. */
function messageOf(text: string): Pick<RecordedMcpRequest, 'method' | 'id' | 'tool'> {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return {}
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return {}
  const { method, id, params } = message as { method?: unknown; id?: unknown; params?: { name?: unknown } | null }
  const name = method === 'tools/call' ? params?.name : undefined
  return {
    ...(typeof method === 'string' && { method }),
    ...((typeof id === 'string' || typeof id === 'number') && { id }),
    ...(typeof name === 'string' && { tool: name }),
  }
}
