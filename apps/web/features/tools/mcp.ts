import type { Client } from '@modelcontextprotocol/client'
import type { ProblemCode } from '@nmg/contract'
import { z } from 'zod'
import { ApiError, apiErrorOf } from '@/lib/api-client.ts'
import { isSchema } from './safe-schema.ts'

/** The parts of a tool that this page uses. Other invalid members do not exclude a tool. */
export interface Tool {
  readonly name: string
  readonly description: string
  /** Undefined if the server sent none; the tool cannot be called. */
  readonly inputSchema: Readonly<Record<string, unknown>> | undefined
}

/** The unmodified result of a tool. */
export const CallResult = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })).optional(),
  isError: z.boolean().optional(),
})
export type CallResult = z.infer<typeof CallResult>

/** All methods throw {@link ApiError}: `server_error` for an MCP error, `interrupted` for a call that may have been applied. */
export interface McpTools {
  list(signal: AbortSignal): Promise<Tool[]>
  /** A result that reports an error is a result, too. */
  call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallResult>
  close(): void
}

/** Error code for a call in an unknown or expired MCP session. */
const SESSION_GONE = 'unknown_session' satisfies ProblemCode

/** Time limit of a call; Notion's slowest tools take minutes. */
const CALL_TIMEOUT_MS = 5 * 60_000

/** Page limit of `tools/list`, against servers with cyclic cursors. */
const MOST_PAGES = 20

const ToolPage = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().optional() })

interface Session {
  readonly client: Client
  /** Rejects when the response of a call ends without its result. */
  untilInterrupted(): Promise<never>
}

/** The tools of a space's Notion, over MCP through this app. Connects lazily and reconnects after failures. */
export function mcpTools(spaceId: string): McpTools {
  let connecting: Promise<Session> | undefined

  const withSession = async <T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> => {
    let isConnected = false
    try {
      connecting ??= connect(spaceId)
      const session = await connecting
      isConnected = true
      return await work(session)
    } catch (error) {
      if (signal.aborted) throw error
      const trouble = troubleOf(error, isConnected)
      // Reconnect at the next call, unless the server rejected only this one.
      if (trouble.code !== 'server_error') close()
      throw trouble
    }
  }

  /** A call in an unknown session was not applied, so it is retried once in a new session. */
  const inSession = async <T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> => {
    try {
      return await withSession(signal, work)
    } catch (error) {
      if (error instanceof ApiError && error.code === SESSION_GONE) return withSession(signal, work)
      throw error
    }
  }

  const close = () => {
    void connecting?.then(
      ({ client }) => client.close(),
      () => undefined,
    )
    connecting = undefined
  }

  return {
    list: (signal) => inSession(signal, ({ client }) => listTools(client, signal)),
    call: (name, args, signal) =>
      inSession(signal, async ({ client, untilInterrupted }) => {
        const interrupted = untilInterrupted()
        return Promise.race([
          // Not callTool(), which rejects results that violate the tool's output schema.
          client.request({ method: 'tools/call', params: { name, arguments: args } }, CallResult, {
            signal,
            timeout: CALL_TIMEOUT_MS,
          }),
          interrupted,
        ])
      }),
    close,
  }
}

async function listTools(client: Client, signal: AbortSignal): Promise<Tool[]> {
  const tools: Tool[] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor }
    const listed = await client.request({ method: 'tools/list', params }, ToolPage, { signal })
    tools.push(...listed.tools.flatMap(toolOf))
    if (listed.nextCursor === undefined || listed.nextCursor === cursor) break
    cursor = listed.nextCursor
  }
  // Calls go by the name.
  return [...new Map(tools.map((tool) => [tool.name, tool])).values()]
}

/** Tools without a name are dropped, because they cannot be called. */
export function toolOf(listed: unknown): Tool[] {
  if (!isSchema(listed) || typeof listed['name'] !== 'string' || listed['name'] === '') return []
  const { name, description, inputSchema } = listed
  return [
    {
      name,
      description: typeof description === 'string' ? description : '',
      inputSchema: isSchema(inputSchema) ? inputSchema : undefined,
    },
  ]
}

async function connect(spaceId: string): Promise<Session> {
  // Load the MCP client on demand.
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const client = new Client(
    { name: 'notion-mcp-gateway-web', version: '0.1.0' },
    { versionNegotiation: { mode: 'auto' } },
  )
  const url = new URL(`/api/mcp?${new URLSearchParams({ spaceId })}`, window.location.origin)
  let interrupt: (() => void) | undefined
  const fetchWatched = async (address: string | URL, init?: RequestInit) => {
    const isCall = typeof init?.body === 'string' && init.body.includes('"method":"tools/call"')
    const ended = isCall ? interrupt : undefined
    const response = await fetchOrTrouble(address, init)
    return ended ? watched(response, ended) : response
  }
  await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchWatched }))
  return {
    client,
    untilInterrupted: () =>
      new Promise((_, reject) => {
        interrupt = () => reject(new ApiError('interrupted', INTERRUPTED))
      }),
  }
}

/** The last message of a stream is read before its end is noticed. */
const AFTER_END_MS = 500
/** Streams with event ids are resumed after a connection loss. */
const RESUMING_MS = 30_000

/** Calls `onEnd` when a response stream ends without a result; the client itself would wait for its time-out. */
function watched(response: Response, onEnd: () => void): Response {
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) return response
  const reader = response.body.getReader()
  let isResumable = false
  const end = () => setTimeout(onEnd, isResumable ? RESUMING_MS : AFTER_END_MS)
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) {
          controller.close()
          end()
          return
        }
        isResumable ||= /(?:^|\n)id:/.test(new TextDecoder().decode(value.subarray(0, 1_000)))
        controller.enqueue(value)
      } catch (error) {
        controller.error(error)
        end()
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new Response(body, { status: response.status, headers: response.headers })
}

async function fetchOrTrouble(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (response.status === 404 && new Headers(init?.headers).has('mcp-session-id')) {
    throw new ApiError(SESSION_GONE, 'The session with Notion ended. Try again.')
  }
  // Problem documents come from this app or the gateway, never from Notion.
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return response
  throw await apiErrorOf(response, ({ detail }) => detail ?? INTERRUPTED)
}

const INTERRUPTED = 'Interrupted before a result arrived. Notion may have applied it; check before retrying.'

/** The error of a failed call. Only a call that was certainly not sent invites a retry without checking. */
export function troubleOf(error: unknown, isSent: boolean): ApiError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApiError) return cause
    const message = messageOfServer(cause)
    if (message !== undefined) return new ApiError('server_error', message, { cause: error })
  }
  return isSent
    ? new ApiError('interrupted', INTERRUPTED, { cause: error })
    : new ApiError('internal', 'Couldn’t reach Notion. Nothing was sent. Try again in a moment.', { cause: error })
}

const RpcError = z.object({ error: z.object({ code: z.number(), message: z.string() }) })

/** The text of a JSON-RPC error, reported by the client as such or as the body of an error response. */
function messageOfServer(error: Error): string | undefined {
  const { code, data } = error as Error & { code?: unknown; data?: unknown }
  if (typeof code === 'number') return `${error.message.replace(/^MCP error -?\d+: /, '')} (${code})`
  const body = isSchema(data) && typeof data['text'] === 'string' ? data['text'] : undefined
  if (body === undefined) return undefined
  const parsed = RpcError.safeParse(parse(body)).data?.error
  return parsed && `${parsed.message} (${parsed.code})`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
