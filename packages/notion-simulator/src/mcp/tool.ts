import type { AuthInfo } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { McpFault } from '../options.ts'
import type { RecordedMcpRequest } from '../recorded-requests.ts'
import type { Viewer } from '../workspace/pages.ts'

/** The context of a tool. */
export type ToolCall = {
  viewer: Viewer
  /** The tools that are listed for the client, without `notion-`. */
  toolNames: readonly string[]
  /** Aborted when the client cancels the call or disconnects. */
  signal: AbortSignal
  /** Sends a progress notification, if the client requested them. */
  progress(progress: number, total: number, message: string): Promise<void>
}

/** Determines the tool annotations. Clients must not rely on them. */
export type ToolKind = 'read' | 'write' | 'destructive'

/** A tool of the MCP server. `run` returns the JSON for the single text block of the result. */
export type Tool = {
  /** With the prefix `notion-`. */
  name: string
  title: string
  kind: ToolKind
  description: string
  input: z.ZodObject
  run(input: unknown, call: ToolCall): Promise<unknown>
}

/** Defines a tool, with the type of `run`'s argument from the schema. */
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

/** An error of a tool, returned as an `isError` result with HTTP 200. */
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

/** As in the REST API, the error is the same for missing and for inaccessible objects. */
export function notFound(kind: string, id: string): ToolError {
  return new ToolError(
    'object_not_found',
    `Could not find ${kind} with ID: ${id}. Make sure the relevant pages and databases are shared with you.`,
  )
}

/** The context of an MCP request: its user, and its fault, if any. */
export type CallContext = {
  userId: string
  workspaceId: string
  connectionId: string
  fault?: McpFault
  /** Aborted when the client disconnects. */
  disconnected: AbortSignal
  /** Receives the result of the tool. */
  record: Pick<RecordedMcpRequest, 'toolOutcome'>
}

/** Wraps the context for the SDK, which passes it to the tools. Without the token, so that it cannot be logged. */
export function authInfoFor(call: CallContext): AuthInfo {
  return { token: '', clientId: '', scopes: [], extra: { call } }
}

/** Unwraps the context of {@link authInfoFor}. */
export function callContextOf(authInfo: AuthInfo | undefined): CallContext {
  const call = authInfo?.extra?.['call']
  if (!call) throw new Error('An unauthorized request reached the MCP server')
  return call as CallContext // Only authInfoFor sets it.
}
