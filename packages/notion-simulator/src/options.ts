import { z } from 'zod'
import { DocumentOptions, ResponseOptions, TokenResponseOptions } from './response-options.ts'

/** The simulated versions of Notion. The README documents their sources. */
export const PROFILES = ['notion-2026-09', 'notion-2026-01', 'wop-0.10'] as const
export type Profile = (typeof PROFILES)[number]

/** The rate limit that was exceeded: of the connection, of the workspace, or of one tool. */
const RATE_LIMIT_REASONS = [
  'public_api_request_rate_limit',
  'public_api_space_request_rate_limit',
  'public_api_endpoint_rate_limit',
] as const
export type RateLimitReason = (typeof RATE_LIMIT_REASONS)[number]

const times = z.number().int().min(1).or(z.literal('always')).default(1)
const delayMs = z.number().int().min(0)

/**
 * A fault of the token endpoint. A request takes the first matching fault of {@link Options.tokenFaults}, which is removed after `times` uses
 * (default 1).
 *
 * - `rate-limited`: 429 before any processing. `rate-limited-after`: 429 after the rotation.
 * - `lost-request`: the socket is closed before any processing. `lost-response`: the tokens rotate, then the socket is closed.
 * - `slow`: waits `delayMs` before processing. `slow-after`: waits `delayMs` between processing and response.
 * - `server-error`: `status` (500) before any processing. `server-error-after`: the same after the rotation.
 * - `html`: an HTML page instead of JSON, `status` (200), before any processing. `html-after`: after the rotation.
 * - `cut-body`: the tokens rotate, half of the JSON is sent, then the socket is closed.
 * - `not-json`: the tokens rotate, and the response is complete but invalid JSON.
 * - `refused`: the OAuth error `error` with `description` and `status` (400), for any request.
 */
export const TokenFault = z.strictObject({
  kind: z.enum([
    'rate-limited',
    'rate-limited-after',
    'lost-request',
    'lost-response',
    'slow',
    'slow-after',
    'server-error',
    'server-error-after',
    'html',
    'html-after',
    'cut-body',
    'not-json',
    'refused',
  ]),
  times,
  /** The requests that it applies to. Default: refreshes. */
  on: z.enum(['refresh_token', 'authorization_code', 'revocation', 'any']).default('refresh_token'),
  delayMs: delayMs.default(0),
  status: z.number().int().min(200).max(599).optional(),
  /** `Retry-After` of the 429, in seconds. Default 30, as upstream. `null`: no header. */
  retryAfterSeconds: z.number().int().min(0).nullable().default(30),
  error: z.string().default('invalid_grant'),
  description: z.string().default('OAuth grant revoked'),
})
export type TokenFault = z.infer<typeof TokenFault>
export type TokenFaultInput = z.input<typeof TokenFault>

/**
 * A fault of the MCP endpoint, used like a {@link TokenFault}.
 *
 * - `slow`: waits `delayMs` before processing.
 * - `edge-error`: `status` (502) with an HTML page, as from a content delivery network.
 * - `edge-rate-limit`: HTTP 429 (or `status`, e.g. 529) with `Retry-After`.
 * - `unauthorized`: 401 as for an unknown token.
 * - `insufficient-scope`: 403 that requires `scope`. Notion itself never sends it.
 * - `lost-request`: the socket is closed before any processing. `lost-response`: the tool runs, then the socket is closed
 *   before the response.
 * - `cut-stream`: sends status, headers and `afterBytes` bytes of the body, then closes the socket.
 * - `deadline`: after `delayMs` the tool returns Notion's 55 s deadline error. With `applied`, the write has been applied.
 * - `tool-rate-limit`: the tool returns `rate_limited` as an `isError` result, with `retryAfterSeconds` and `reason`.
 * - `tool-error`: the tool returns an `APIResponseError` with `code` and `status`.
 */
export const McpFault = z.strictObject({
  kind: z.enum([
    'slow',
    'edge-error',
    'edge-rate-limit',
    'unauthorized',
    'insufficient-scope',
    'lost-request',
    'lost-response',
    'cut-stream',
    'deadline',
    'tool-rate-limit',
    'tool-error',
  ]),
  times,
  /** Applies only to requests with this HTTP method. */
  httpMethod: z.enum(['POST', 'GET', 'DELETE']).optional(),
  /** Applies only to requests with this JSON-RPC method. */
  method: z.string().optional(),
  /** Applies only to calls of this tool. */
  tool: z.string().optional(),
  delayMs: delayMs.default(0),
  status: z.number().int().min(200).max(599).optional(),
  retryAfterSeconds: z.number().int().min(0).nullable().default(30),
  afterBytes: z.number().int().min(0).default(20),
  applied: z.boolean().default(false),
  scope: z.string().default('write'),
  code: z.string().default('internal_server_error'),
  message: z.string().optional(),
  /** The reason of a `tool-rate-limit`. */
  reason: z.enum(RATE_LIMIT_REASONS).default('public_api_request_rate_limit'),
})
export type McpFault = z.infer<typeof McpFault>
export type McpFaultInput = z.input<typeof McpFault>

/** How discovery documents differ from the captured ones. */
export const MetadataOptions = z.strictObject({
  /** `code_challenge_methods_supported`; `null` leaves the member out. */
  codeChallengeMethods: z.array(z.string()).nullable(),
  revocationEndpoint: z.boolean(),
  registrationEndpoint: z.boolean(),
  /** `client_id_metadata_document_supported`; `null` leaves the member out. */
  clientIdMetadataDocuments: z.boolean().nullable(),
  introspectionEndpoint: z.boolean(),
  /** A wrong `issuer`, which a client must reject (RFC 8414 §3.3). */
  issuer: z.string().nullable(),
  /** A wrong `resource` in the protected resource documents. */
  resource: z.string().nullable(),
  /** Delay of all discovery documents. */
  delayMs,
  /** Number of additional bytes in each discovery document. */
  paddingBytes: z.number().int().min(0),
})
export type MetadataOptions = z.infer<typeof MetadataOptions>

/** The company's identity provider, whose assertions Enterprise-managed authorization accepts. */
export const IdentityProvider = z.strictObject({
  issuer: z.string(),
  /** Public keys, RS256 or ES256. */
  jwks: z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())) }),
  /** Id or name of the workspace. The user is found by the email address in the claim `email`, or else `sub`. */
  workspace: z.string().optional(),
})
export type IdentityProvider = z.infer<typeof IdentityProvider>

/** The options of a running simulator. Defaults depend on the profile. */
export const Options = z.strictObject({
  /** Skips the consent page: `true` for the first account, or for this account. */
  autoApprove: z.boolean().or(
    z.strictObject({
      /** Id, email or first name. */
      user: z.string().optional(),
      /** Id or name. */
      workspace: z.string().optional(),
      /** Default `allow`. */
      decision: z.enum(['allow', 'deny']).optional(),
    }),
  ),
  /** The clients that must send a code challenge. */
  requirePkce: z.enum(['public', 'all', 'none']),
  /** Accepts `code_challenge_method=plain`. */
  plainPkce: z.boolean(),
  redirectMatching: z.enum(['exact', 'loopback-any-port']),
  /** The older grants of the same client that a new consent revokes. */
  revokeExistingGrants: z.enum(['same-user', 'same-user-and-workspace', 'off']),

  /** Whether token responses contain a refresh token. */
  refreshTokens: z.boolean(),
  /** Lifetime of an access token. */
  accessTtlSeconds: z.number().int().min(1),
  /** Lifetime of a grant from the consent on. A refresh does not extend it. */
  grantTtlSeconds: z.number().int().min(1),
  /** Lifetime of a grant without a refresh. */
  idleTtlSeconds: z.number().int().min(1),
  /** Grace period in which a rotated-out refresh token is only refused. Presenting it later revokes the grant. */
  graceMs: z.number().min(0),
  /** Strict interpretation: after the grace period, the immediately previous token counts as reused too. */
  previousOutsideGraceIsReuse: z.boolean(),
  /** False: a rotated-out token is only refused. */
  reuseDetection: z.boolean(),
  /** A refresh revokes older access tokens. */
  revokeAccessOnRefresh: z.boolean(),
  /** A grant that expires sooner than this cannot be refreshed. */
  minimumGrantLifeSeconds: z.number().int().min(0),
  /** `user_id`, `workspace_id`, `email_domain` in token responses. */
  identityFields: z.boolean(),
  /** Lifetime of a dynamic registration; `null`: unlimited. */
  clientTtlSeconds: z.number().int().min(1).nullable(),
  /** Storage is eventually consistent: writes of the token endpoint become visible after this delay. */
  kvLagMs: z.number().min(0),
  /** Whether `/mcp` accepts a token whose `resource` is the bare origin. */
  originAudience: z.enum(['refused', 'accepted']),
  /** Whether a `resource` other than the MCP endpoint may be requested, also the bare origin. Older libraries accept it. */
  foreignResources: z.enum(['refused', 'accepted']),
  /** Refuses a `resource` in a token request when the authorization request had none. */
  strictResource: z.boolean(),
  /** Accepts identity assertions (ID-JAG) of this provider; `null`: of none, as in a workspace without this feature. */
  identityProvider: IdentityProvider.nullable(),
  /** A refresh token can be used once. Presenting it again counts as reuse, without a grace period. */
  singleUseRefreshTokens: z.boolean(),
  /** Requests in which every `resource` parameter is refused with `invalid_target`. */
  refuseResource: z.array(z.enum(['authorization', 'authorization_code', 'refresh_token'])),
  tokenFaults: z.array(TokenFault),

  /** Changes to successful responses of the token endpoint. */
  tokenResponse: TokenResponseOptions.nullable(),
  /** Changes to error responses of the token endpoint, e.g. for a revoked grant. */
  tokenRefusal: TokenResponseOptions.nullable(),
  /** Changes to the responses to revocations (RFC 7009). */
  revocationResponse: ResponseOptions.nullable(),
  /** Changes to successful registration responses. */
  registrationResponse: ResponseOptions.nullable(),
  /** Changes to discovery documents, by path; also for additional paths. */
  documents: z.record(z.string().startsWith('/'), DocumentOptions.nullable()),
  /** Moves the token endpoint from `/token` to this path. `/token` then responds with `status`, or closes the connection. */
  movedTokenEndpoint: z
    .strictObject({
      path: z.string().startsWith('/'),
      status: z.number().int().min(300).max(599).or(z.literal('closed')).optional(),
    })
    .nullable(),

  metadata: MetadataOptions,
  /** Which protected resource documents exist. */
  protectedResourceMetadata: z.enum(['both', 'root', 'suffixed']),
  /** `iss` in the redirect (RFC 9207). */
  iss: z.enum(['right', 'wrong', 'omitted']),
  /** Whether error redirects contain `iss` too. */
  issOnErrors: z.boolean(),
  /** `authorization_response_iss_parameter_supported` in the metadata. */
  advertiseIss: z.boolean(),

  /** The challenge for a request without credentials. */
  challenge: z.enum(['invalid_token', 'bare']),
  /** The format of responses to POSTs to `/mcp`. */
  answers: z.enum(['sse', 'json']),
  /** `required`: MCP sessions. `header`: only sends a session id, which has no meaning. */
  sessions: z.enum(['required', 'header', 'none']),
  /** Whether `GET /mcp` opens a stream; otherwise 405. */
  getStream: z.boolean(),
  /** With sessions only: SSE events have ids, and a GET with `Last-Event-ID` resumes the stream. */
  resumable: z.boolean(),
  /** Allowed host names in `Origin`; `null`: all. */
  allowedOrigins: z.array(z.string()).nullable(),
  /** Milliseconds between keep-alive comments in SSE; 0 for none. */
  keepAliveMs: z.number().int().min(0),
  mcpFaults: z.array(McpFault),
  /** Limit of requests per minute and connection; `plan`: 600 for Business and Enterprise, 180 for others. */
  rateLimitPerMinute: z.number().int().min(0).nullable().or(z.literal('plan')),
  /** Limit of tool calls of all connections of a workspace in a time window. */
  workspaceRateLimit: z
    .strictObject({ calls: z.number().int().min(0), windowSeconds: z.number().int().min(1) })
    .nullable(),
  /** The older, separate limit of the search tool. */
  searchLimitPerMinute: z.number().int().min(0).nullable(),
  /** All tools, those of the workspace's plan, or exactly these. */
  toolList: z.enum(['all', 'by-plan']).or(z.array(z.string())),
  /** Adds the tools `simulator-stream`, `simulator-wait`, `simulator-payload`, which Notion does not have. */
  testTools: z.boolean(),
})
export type Options = Omit<z.infer<typeof Options>, 'tokenFaults' | 'mcpFaults'> & {
  /** Taken from the front. Members have defaults. */
  tokenFaults: TokenFaultInput[]
  mcpFaults: McpFaultInput[]
}

/** Changes to {@link Options}. */
export type OptionChanges = Partial<Omit<Options, 'metadata'>> & { metadata?: Partial<MetadataOptions> }

const OptionChangesSchema = Options.partial().extend({ metadata: MetadataOptions.partial().optional() })

/** The default options of a profile. */
export function defaultOptions(profile: Profile): Options {
  const common: Options = {
    autoApprove: false,
    requirePkce: 'public',
    plainPkce: false,
    redirectMatching: 'exact',
    revokeExistingGrants: 'same-user',
    refreshTokens: true,
    accessTtlSeconds: 28_800,
    grantTtlSeconds: 180 * 24 * 3600,
    idleTtlSeconds: 30 * 24 * 3600,
    graceMs: 60_000,
    previousOutsideGraceIsReuse: false,
    reuseDetection: true,
    revokeAccessOnRefresh: true,
    minimumGrantLifeSeconds: 0,
    identityFields: true,
    clientTtlSeconds: 90 * 24 * 3600,
    kvLagMs: 0,
    originAudience: 'refused',
    foreignResources: 'refused',
    strictResource: false,
    identityProvider: null,
    singleUseRefreshTokens: false,
    refuseResource: [],
    tokenFaults: [],
    tokenResponse: null,
    tokenRefusal: null,
    revocationResponse: null,
    registrationResponse: null,
    documents: {},
    movedTokenEndpoint: null,
    metadata: {
      codeChallengeMethods: ['plain', 'S256'],
      revocationEndpoint: true,
      registrationEndpoint: true,
      clientIdMetadataDocuments: true,
      introspectionEndpoint: true,
      issuer: null,
      resource: null,
      delayMs: 0,
      paddingBytes: 0,
    },
    protectedResourceMetadata: 'both',
    iss: 'right',
    issOnErrors: false,
    advertiseIss: false,
    challenge: 'invalid_token',
    answers: 'sse',
    sessions: 'none',
    getStream: false,
    resumable: false,
    allowedOrigins: ['mcp.notion.com', 'app.notion.com', 'www.notion.com', 'www.notion.so'],
    keepAliveMs: 15_000,
    mcpFaults: [],
    rateLimitPerMinute: 'plan',
    workspaceRateLimit: null,
    searchLimitPerMinute: null,
    toolList: 'all',
    testTools: false,
  }
  switch (profile) {
    case 'notion-2026-09':
      return common
    case 'notion-2026-01':
      return {
        ...common,
        accessTtlSeconds: 3600,
        identityFields: false,
        iss: 'omitted',
        metadata: {
          ...common.metadata,
          revocationEndpoint: false,
          clientIdMetadataDocuments: null,
          introspectionEndpoint: false,
        },
        sessions: 'required',
        getStream: true,
        allowedOrigins: null,
        keepAliveMs: 25_000,
        rateLimitPerMinute: 180,
        searchLimitPerMinute: 30,
      }
    case 'wop-0.10':
      return {
        ...common,
        redirectMatching: 'loopback-any-port',
        minimumGrantLifeSeconds: 60,
        metadata: { ...common.metadata, codeChallengeMethods: ['S256'] },
        issOnErrors: true,
        advertiseIss: true,
        challenge: 'bare',
      }
  }
}

/**
 * Changes `options` in place; members that are not named stay. Nothing changes when a part of `changes` is not valid.
 *
 * @throws {Error} naming each unknown or invalid member.
 */
export function changeOptions(options: Options, changes: unknown): void {
  const parsed = OptionChangesSchema.safeParse(changes)
  if (!parsed.success)
    throw new Error(`Options that the simulator does not understand:\n${z.prettifyError(parsed.error)}`)
  const { metadata, ...others } = parsed.data
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined) Object.assign(options, { [name]: value })
  }
  if (metadata) {
    for (const [name, value] of Object.entries(metadata)) {
      if (value !== undefined) Object.assign(options.metadata, { [name]: value })
    }
  }
}
