import type { AuthInfo } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { McpFault } from '../options.ts'
import type { RecordedMcpRequest } from '../recorded-requests.ts'
import type { Viewer } from '../workspace/pages.ts'

/** What a tool may use. */
export type ToolCall = {
  viewer: Viewer
  /** All tools that the caller was shown, without `notion-`. */
  toolNames: readonly string[]
  /** Aborted when the caller cancels or goes away. */
  signal: AbortSignal
  /** Tells the caller how far the work is, if the caller asked to be told. */
  progress(progress: number, total: number, message: string): Promise<void>
}

/** What the client is told that a tool does; nothing may depend on it. */
export type ToolKind = 'read' | 'write' | 'destructive'

/** A tool of the MCP server. `run` returns the JSON that goes into the one text block of the result. */
export type Tool = {
  /** With the prefix `notion-`. */
  name: string
  title: string
  kind: ToolKind
  description: string
  input: z.ZodObject
  run(input: unknown, call: ToolCall): Promise<unknown>
}

/** Ties the type of `run`'s argument to the schema. */
export function tool<Input extends z.ZodObject>(definition: {
  name: string
  title: string
  kind: ToolKind
  description: string
  input: Input
  run(input: z.infer<Input>, call: ToolCall): unknown
}): Tool {
  return {
    ...definition,
    name: `notion-${definition.name}`,
    description: definition.description.trim(),
    run: async (input, call) => definition.run(definition.input.parse(input), call),
  }
}

export type ErrorCode =
  | 'object_not_found'
  | 'validation_error'
  | 'unauthorized'
  | 'restricted_resource'
  | 'conflict_error'
  | 'rate_limited'
  | 'internal_server_error'
  | 'service_unavailable'
  | 'service_overload'

const STATUS: Record<ErrorCode, number> = {
  object_not_found: 404,
  validation_error: 400,
  unauthorized: 401,
  restricted_resource: 403,
  conflict_error: 409,
  rate_limited: 429,
  internal_server_error: 500,
  service_unavailable: 503,
  service_overload: 529,
}

/** A tool's refusal, answered as an `isError` result with HTTP 200. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly code: string
  readonly status: number
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message)
    this.code = code
    this.status = STATUS[code]
    this.details = details
  }
}

/** As in the REST API, nobody is told whether a thing does not exist or is somebody else's. */
export function notFound(kind: string, id: string): ToolError {
  return new ToolError(
    'object_not_found',
    `Could not find ${kind} with ID: ${id}. Make sure the relevant pages and databases are shared with you.`,
  )
}

/** What a request is about: for whom, and what is to go wrong with it. */
export type Errand = {
  userId: string
  workspaceId: string
  connectionId: string
  fault?: McpFault
  /** The HTTP request was given up. */
  gone: AbortSignal
  /** Where it is noted how the tool's work ended. */
  record: Pick<RecordedMcpRequest, 'toolOutcome'>
}

/** Wraps the errand for the SDK, which carries it to the tools. The token stays out, so that nothing can print it. */
export function authInfoFor(errand: Errand): AuthInfo {
  return { token: '', clientId: '', scopes: [], extra: { errand } }
}

/** The errand that {@link authInfoFor} wrapped. */
export function errandOf(authInfo: AuthInfo | undefined): Errand {
  const errand = authInfo?.extra?.['errand']
  if (!errand) throw new Error('A request came to the MCP server without having been authorized')
  return errand as Errand // Only authInfoFor sets it.
}
