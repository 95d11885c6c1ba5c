import { Problem, type ProblemCode } from '@nmg/contract'
import type { CallToolResult, Client, Tool } from '@modelcontextprotocol/client'

export type { CallToolResult, Tool }

/** Our own chain (this app, the gateway) could not bring the call to Notion; the message is a sentence for the person. */
export class ToolTrouble extends Error {
  override readonly name = 'ToolTrouble'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface McpTools {
  /** @throws {ToolTrouble} */
  list(signal: AbortSignal): Promise<Tool[]>
  /** An answer that reports an error is an answer, too. @throws {ToolTrouble} */
  call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult>
  close(): void
}

/** The code of a call in an MCP session that the server does not know (any more). */
const SESSION_GONE = 'unknown_session' satisfies ProblemCode

/** Tools may think for long; Notion's slowest take minutes. */
const CALL_TIMEOUT_MS = 5 * 60_000

/** The tools of a space's Notion, over MCP through this app. It connects when it is first needed, and again after trouble. */
export function mcpTools(spaceId: string): McpTools {
  let connecting: Promise<Client> | undefined

  const withClient = async <T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> => {
    try {
      connecting ??= connect(spaceId)
      return await work(await connecting)
    } catch (error) {
      if (signal.aborted) throw error
      // The next call begins anew.
      close()
      throw troubleOf(error)
    }
  }

  /** A server that forgot the session has done nothing of the call, so it may be made again, once, in a new one. */
  const inSession = async <T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> => {
    try {
      return await withClient(signal, work)
    } catch (error) {
      if (error instanceof ToolTrouble && error.code === SESSION_GONE) return withClient(signal, work)
      throw error
    }
  }

  const close = () => {
    void connecting?.then(
      (client) => client.close(),
      () => undefined,
    )
    connecting = undefined
  }

  return {
    list: (signal) => inSession(signal, async (client) => (await client.listTools({}, { signal })).tools),
    call: (name, args, signal) =>
      inSession(signal, (client) => client.callTool({ name, arguments: args }, { signal, timeout: CALL_TIMEOUT_MS })),
    close,
  }
}

async function connect(spaceId: string): Promise<Client> {
  // Only who uses tools downloads what speaks MCP.
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const client = new Client(
    { name: 'notion-mcp-gateway-web', version: '0.1.0' },
    { versionNegotiation: { mode: 'auto' } },
  )
  const url = new URL(`/api/mcp?${new URLSearchParams({ spaceId })}`, window.location.origin)
  await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchOrTrouble }))
  return client
}

async function fetchOrTrouble(url: string | URL, init?: RequestInit): Promise<Response> {
  const answer = await fetch(url, init)
  if (answer.status === 404 && new Headers(init?.headers).has('mcp-session-id')) {
    throw new ToolTrouble(SESSION_GONE, 'The session with Notion ended. Try again.')
  }
  // Problem documents come from this app or the gateway, never from Notion.
  if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) return answer
  const problem = Problem.safeParse(await answer.json().catch(() => undefined)).data
  throw new ToolTrouble(
    problem?.code ?? 'internal',
    problem?.detail ?? 'Something went wrong on the way to Notion. Try again in a moment.',
  )
}

function troubleOf(error: unknown): ToolTrouble {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ToolTrouble) return cause
  }
  return new ToolTrouble('internal', 'The call did not get through to Notion. Try again in a moment.', { cause: error })
}
