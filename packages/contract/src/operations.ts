/** Every operation of the gateway's HTTP API, for its OpenAPI document (openapi.ts). A test compares it with the gateway's router. */
import { z } from 'zod'
import { AccessKeys, CreatedAccessKey, NewAccessKey, Revocation, scopes, ActiveClients } from './access.ts'
import { AuthorizationStart } from './authorization.ts'
import { Connection, DisconnectReceipt, History, Hold, WorkspaceChangeDecision } from './connection.ts'
import { problems, type ProblemCode } from './problems.ts'

export interface Operation {
  readonly id: string
  readonly tag: 'Connections' | 'Access' | 'MCP' | 'Operating'
  readonly summary: string
  readonly description?: string
  /** `user`: an application that names the user. `mcp`: an application or a user's client. */
  readonly caller: 'none' | 'application' | 'user' | 'mcp'
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** By status. */
  readonly success: Readonly<Record<number, SuccessResponse>>
  /** The errors of the gateway itself. */
  readonly failures: readonly ProblemCode[]
}

export interface SuccessResponse {
  readonly description: string
  /** For JSON bodies. */
  readonly schema?: z.ZodType
  /** For bodies that are forwarded unchanged. */
  readonly mediaTypes?: readonly string[]
  /** Name and meaning. */
  readonly headers?: Readonly<Record<string, string>>
}

/** `GET /healthz`. */
export const Liveness = z.object({ status: z.literal('ok') })

/** `GET /readyz`. */
export const Readiness = z.object({
  status: z.literal('ready'),
  degraded: z
    .array(z.object({ part: z.enum(['redis', 'notifications', 'database']), detail: z.string() }))
    .describe('Impaired parts that calls do not need. Absent while all parts work.')
    .optional(),
  hold: Hold.optional(),
})

/** RFC 9728 §2. */
export const ProtectedResourceMetadata = z.object({
  resource: z.url(),
  authorization_servers: z.array(z.url()),
  scopes_supported: z.array(z.enum(scopes)),
  bearer_methods_supported: z.array(z.string()),
  resource_name: z.string(),
})

/** A message as an application sends it: `meta` is removed before the message is forwarded. */
export const McpMessage = z.looseObject({
  jsonrpc: z.literal('2.0'),
  method: z.string().optional(),
  id: z.union([z.string(), z.number()]).optional(),
  meta: z.looseObject({ space_id: z.string().optional(), user_id: z.string().optional() }).optional(),
})

/** An error of the gateway in responses to users' MCP clients. */
export const JsonRpcError = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number()]).optional(),
  error: z.object({
    code: z.number().int(),
    message: z.string(),
    data: z.object({
      reason: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
      connectUrl: z.url().describe('Where a user can connect the space with Notion.').optional(),
      retryAfterSeconds: z.number().int().optional(),
      requestId: z.string(),
    }),
  }),
})

const spaceId = z.string().min(1).max(200)

const StartQuery = z.object({
  space_id: spaceId.describe('The space to connect.'),
  return_path: z
    .string()
    .describe('Path below `NOTION_MCP_RETURN_BASE_URL` where the browser ends, with the outcome in its query.')
    .optional(),
  binding: z
    .string()
    .min(1)
    .max(500)
    .describe('Random value that the application also sets as the cookie `notion_oauth_binding` in this browser.')
    .optional(),
  confirm_workspace: z
    .enum(['0', '1'])
    .describe('`1`: a reconnect that reaches another workspace than before waits for a decision.')
    .optional(),
})

const CallbackQuery = z.object({
  state: z.string().optional(),
  code: z.string().optional(),
  iss: z.string().optional(),
  error: z.string().optional(),
})

const HistoryQuery = z.object({
  before: z.number().int().min(1).max(2_147_483_647).describe('`nextBefore` of the page before this one.').optional(),
  limit: z.number().int().min(1).max(200).default(50),
})

const OwnerQuery = z.object({ space_id: spaceId, user_id: z.string().describe('Only those of this user.').optional() })
const KeyOwnerQuery = z.object({
  space_id: z.string().describe('Delete only a key of this space.').optional(),
  user_id: z.string().describe('Delete only a key of this user.').optional(),
})

/** The errors of all operations of applications. */
const COMMON = ['unauthenticated', 'store_unavailable', 'internal'] as const
const STORED = [...COMMON, 'invalid_request'] as const
/** The errors of operations with a JSON body. */
const BODY = ['invalid_json', 'too_large', 'unsupported_encoding'] as const

/** The errors of all methods of an MCP endpoint. */
const MCP_FAILURES = [
  'unauthenticated',
  'reconnect_required',
  'forbidden_space',
  'forbidden_origin',
  'insufficient_scope',
  'consent_required',
  'not_connected',
  'unknown_session',
  'rate_limited',
  'internal',
  'upstream_unreachable',
  'upstream_refuses_token',
  'outcome_unknown',
  'overloaded',
  'refresh_unavailable',
  'store_unavailable',
  'credential_unreadable',
] as const

const mcpOperations = (path: string, suffix: string) =>
  ({
    [`POST ${path}`]: {
      id: `sendMcpMessage${suffix}`,
      tag: 'MCP',
      summary: 'Send a message to the MCP server',
      description:
        'Every byte except `meta` is forwarded unchanged, and so is the response, as it arrives. Failures of the gateway are problem documents for applications, and JSON-RPC errors for MCP clients.',
      caller: 'mcp',
      body: McpMessage,
      success: {
        200: {
          description: 'The response of the MCP server, unchanged.',
          mediaTypes: ['application/json', 'text/event-stream'],
        },
        202: { description: 'The MCP server accepted a notification or a response.' },
      },
      failures: [...MCP_FAILURES, ...BODY, 'invalid_request', 'missing_space'],
    },
    [`GET ${path}`]: {
      id: `openMcpStream${suffix}`,
      tag: 'MCP',
      summary: 'Open the stream from the MCP server to the client',
      caller: 'mcp',
      success: { 200: { description: 'The stream.', mediaTypes: ['text/event-stream'] } },
      failures: MCP_FAILURES,
    },
    [`DELETE ${path}`]: {
      id: `endMcpSession${suffix}`,
      tag: 'MCP',
      summary: 'End the MCP session of the header `Mcp-Session-Id`',
      caller: 'mcp',
      success: { 200: { description: 'The session has ended.' } },
      failures: MCP_FAILURES,
    },
  }) satisfies Record<string, Operation>

const metadataOperations = (path: string, suffix: string) =>
  ({
    [`GET ${path}`]: {
      id: `readResourceMetadata${suffix}`,
      tag: 'MCP',
      summary: 'Read which authorization servers protect an MCP endpoint (RFC 9728)',
      caller: 'none',
      success: { 200: { description: 'The metadata.', schema: ProtectedResourceMetadata } },
      failures: ['not_found', 'internal'],
    },
    [`OPTIONS ${path}`]: {
      id: `preflightResourceMetadata${suffix}`,
      tag: 'MCP',
      summary: 'CORS preflight of the metadata',
      caller: 'none',
      success: { 204: { description: 'Any origin may read the metadata.' } },
      failures: ['internal'],
    },
  }) satisfies Record<string, Operation>

/** By method and path, in OpenAPI's format. */
export const operations: Readonly<Record<string, Operation>> = {
  'GET /integrations/notion/oauth/mcp/start': {
    id: 'startAuthorization',
    tag: 'Connections',
    summary: 'Start to connect a space',
    description: "Open `authorizeUrl` in the user's browser. A space may start 10 consents per hour.",
    caller: 'user',
    query: StartQuery,
    success: { 200: { description: 'The authorization URL.', schema: AuthorizationStart } },
    failures: [
      ...STORED,
      'missing_space',
      'invalid_return_path',
      'rate_limited',
      'authorization_refused',
      'authorization_unavailable',
    ],
  },
  'GET /integrations/notion/mcp/oauth/callback': {
    id: 'finishAuthorization',
    tag: 'Connections',
    summary: 'Finish to connect a space: where Notion redirects the browser',
    caller: 'none',
    query: CallbackQuery,
    success: {
      303: {
        description:
          'To `return_path`, with `status=success` (`spaceId`, `processId`, `workspaceId`, `mcp`), or with `status=error` and `error`.',
        headers: { Location: 'Where the browser continues.' },
      },
      503: { description: 'A prefetch of the browser; the state stays unused.' },
    },
    failures: ['internal'],
  },
  'GET /integrations/notion/{space_id}': {
    id: 'readConnection',
    tag: 'Connections',
    summary: "Read a space's connection",
    caller: 'application',
    success: { 200: { description: 'The connection.', schema: Connection } },
    failures: [...STORED, 'not_connected'],
  },
  'DELETE /integrations/notion/{space_id}': {
    id: 'disconnect',
    tag: 'Connections',
    summary: 'Disconnect a space, and revoke its grant',
    description: 'Idempotent. The credential is destroyed even if Notion does not confirm the revocation.',
    caller: 'user',
    success: { 200: { description: 'A receipt.', schema: DisconnectReceipt } },
    failures: STORED,
  },
  'GET /integrations/notion/{space_id}/events': {
    id: 'readHistory',
    tag: 'Connections',
    summary: "Read a connection's history, newest first",
    caller: 'application',
    query: HistoryQuery,
    success: { 200: { description: 'A page of the history.', schema: History } },
    failures: [...STORED, 'not_connected'],
  },
  'POST /integrations/notion/{space_id}/waiting': {
    id: 'decideWorkspaceChange',
    tag: 'Connections',
    summary: 'Accept or decline a reconnect that reached another workspace',
    caller: 'user',
    body: WorkspaceChangeDecision,
    success: { 200: { description: 'The connection after the decision.', schema: Connection } },
    failures: [...STORED, ...BODY, 'not_connected', 'not_found'],
  },
  'POST /access/keys': {
    id: 'createKey',
    tag: 'Access',
    summary: 'Create a key for an MCP client of a user',
    caller: 'user',
    body: NewAccessKey,
    success: {
      201: { description: 'The key, with its secret: the only time that it is shown.', schema: CreatedAccessKey },
    },
    failures: [...STORED, ...BODY],
  },
  'GET /access/keys': {
    id: 'listKeys',
    tag: 'Access',
    summary: 'List the keys of a space, newest first',
    caller: 'application',
    query: OwnerQuery,
    success: { 200: { description: 'The keys, without their secrets.', schema: AccessKeys } },
    failures: [...COMMON, 'missing_space'],
  },
  'DELETE /access/keys/{id}': {
    id: 'deleteKey',
    tag: 'Access',
    summary: 'Delete a key',
    description: 'Idempotent.',
    caller: 'application',
    query: KeyOwnerQuery,
    success: { 204: { description: 'There is no such key.' } },
    failures: COMMON,
  },
  'POST /access/revocations': {
    id: 'revokeAccess',
    tag: 'Access',
    summary: "End the access of a user's MCP clients to a space",
    description:
      "Tokens that were issued until now are rejected, and open streams are closed, on all replicas. Without `clientId` and `grantId` the user's keys are deleted too.",
    caller: 'application',
    body: Revocation,
    success: { 204: { description: 'The access has ended.' } },
    failures: [...STORED, ...BODY],
  },
  'GET /access/clients': {
    id: 'listClients',
    tag: 'Access',
    summary: 'List the MCP clients that called, most recent first',
    caller: 'application',
    query: OwnerQuery,
    success: { 200: { description: 'The clients.', schema: ActiveClients } },
    failures: [...COMMON, 'missing_space'],
  },
  ...mcpOperations('/mcp/notion/proxy', ''),
  ...mcpOperations('/mcp/notion/spaces/{space_id}', 'OfSpace'),
  ...metadataOperations('/.well-known/oauth-protected-resource/mcp/notion/proxy', ''),
  ...metadataOperations('/.well-known/oauth-protected-resource/mcp/notion/spaces/{space_id}', 'OfSpace'),
  'GET /healthz': {
    id: 'checkLiveness',
    tag: 'Operating',
    summary: 'Check whether the process is alive',
    caller: 'none',
    success: { 200: { description: 'It is.', schema: Liveness } },
    failures: ['internal'],
  },
  'GET /readyz': {
    id: 'checkReadiness',
    tag: 'Operating',
    summary: 'Check whether the gateway can serve calls',
    caller: 'none',
    success: { 200: { description: 'It can.', schema: Readiness } },
    failures: ['overloaded', 'store_unavailable', 'internal'],
  },
}
