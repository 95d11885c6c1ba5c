import { setTimeout as delay } from 'node:timers/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { InMemoryServerEventBus, originValidationResponse } from '@modelcontextprotocol/server'
import { checkBearer, lackingScopeResponse, unknownTokenResponse } from '../authorization/bearer.ts'
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
import { authInfoFor, type Errand } from './tool.ts'

/** The MCP endpoint of one simulator. */
export type McpEndpoint = {
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>
  /** Tells everybody who listens (GET streams, `subscriptions/listen`) that the list of tools has changed. */
  notifyToolsChanged(): Promise<void>
  /** Ends MCP sessions, as an idle time-out or a deployment does; their ids are unknown from then on. */
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

  const serve = async (request: Request, errand: Errand): Promise<Response> => {
    const origins = state.options.allowedOrigins
    const refused = origins && originValidationResponse(request, origins)
    if (refused) return refused
    const authInfo = authInfoFor(errand)
    return state.options.sessions === 'required' ? sessions.serve(request, authInfo) : stateless(request, authInfo)
  }

  return {
    async handle(incoming, outgoing) {
      const body = await readBody(incoming).catch(() => undefined)
      if (!body) return // The client went away in the middle of its own request.
      const record = startRecord(state, incoming, body)
      const gone = new AbortController()
      // A client may leave at any moment; that is noted at its `close`, and never ends the simulator.
      outgoing.on('error', () => undefined)
      outgoing.on('close', () => {
        record.finishedAt = timestamp(state)
        if (outgoing.writableFinished) return
        if (record.fault === undefined || !isCut(record.fault)) {
          record.aborted = true
          record.abortedAt = record.finishedAt
        }
        gone.abort()
      })

      const { response, fault } = await answered(state, incoming, body, record, gone.signal, serve)
      if (response === 'socket-destroyed' || fault?.kind === 'lost-response') {
        // The answer to its end, so that the tool has really done its work.
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

async function answered(
  state: State,
  incoming: IncomingMessage,
  body: Buffer,
  record: RecordedMcpRequest,
  gone: AbortSignal,
  serve: (request: Request, errand: Errand) => Promise<Response>,
): Promise<{ response: Response | 'socket-destroyed'; fault?: McpFault }> {
  const request = webRequest(state, incoming, body, gone)
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
  if (fault?.kind === 'insufficient-scope') return { response: lackingScopeResponse(state, fault.scope) }

  const errand: Errand = { ...check.principal, gone, record, ...(fault && { fault }) }
  return { response: await serve(request, errand), ...(fault && { fault }) }
}

function edgeResponse(status: number, headers: Record<string, string> = {}): Response {
  const html = `<!doctype html><title>${status}</title><h1>Error ${status}</h1>\n`
  return new Response(html, { status, headers: { 'content-type': 'text/html; charset=UTF-8', ...headers } })
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer) // No encoding is set, so chunks are buffers.
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
  if (headers['authorization'] !== undefined) headers['authorization'] = inWords(check.credential)
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

function inWords(credential: RecordedMcpRequest['credential']): string {
  if (credential.kind !== 'access_token') return `<${credential.kind}>`
  return `<access token ${credential.generation} of grant ${credential.grantId}, ${credential.standing}>`
}

/** JSON-RPC method, id and tool of a body that is one message. */
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
