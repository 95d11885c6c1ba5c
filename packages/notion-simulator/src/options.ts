import { z } from 'zod'
import { DocumentOptions, ResponseOptions, TokenResponseOptions } from './response-options.ts'

/** Which Notion is simulated. See the README for what each one is taken from. */
export const PROFILES = ['notion-2026-09', 'notion-2026-01', 'wop-0.10'] as const
export type Profile = (typeof PROFILES)[number]

/** Whose limit was reached: the connection's, the workspace's, or that of one tool. */
const RATE_LIMIT_REASONS = [
  'public_api_request_rate_limit',
  'public_api_space_request_rate_limit',
  'public_api_endpoint_rate_limit',
] as const
export type RateLimitReason = (typeof RATE_LIMIT_REASONS)[number]

const times = z.number().int().min(1).or(z.literal('always')).default(1)
const delayMs = z.number().int().min(0)

/**
 * Something that goes wrong at the token endpoint. The first fault in {@link Options.tokenFaults} that fits a request is
 * used up by it (`times`, default once).
 *
 * - `rate-limited`: 429 before anything happened. `rate-limited-after`: 429 although the tokens were rotated.
 * - `lost-request`: the socket dies before anything happened. `lost-response`: the tokens rotate, then the socket dies.
 * - `slow`: waits `delayMs`, then works. `slow-after`: works, then waits `delayMs` before it answers.
 * - `server-error`: `status` (500) before anything happened. `server-error-after`: the same after the rotation.
 * - `html`: an HTML page instead of JSON, `status` (200), nothing happened. `html-after`: after the rotation.
 * - `cut-body`: the tokens rotate, half of the JSON arrives, then the socket dies.
 * - `not-json`: the tokens rotate, the answer is complete but its JSON is broken.
 * - `refused`: an OAuth error, `error` and `description`, with `status` (400), whatever was asked.
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
  /** Which requests it fits. Default: refreshes. */
  on: z.enum(['refresh_token', 'authorization_code', 'revocation', 'any']).default('refresh_token'),
  delayMs: delayMs.default(0),
  status: z.number().int().min(200).max(599).optional(),
  /** Of the 429, in seconds. Default 30, as upstream. `null`: no such header. */
  retryAfterSeconds: z.number().int().min(0).nullable().default(30),
  error: z.string().default('invalid_grant'),
  description: z.string().default('OAuth grant revoked'),
})
export type TokenFault = z.infer<typeof TokenFault>
export type TokenFaultInput = z.input<typeof TokenFault>

/**
 * Something that goes wrong at the MCP endpoint, used up like a {@link TokenFault}.
 *
 * - `slow`: waits `delayMs` before the request is looked at.
 * - `edge-error`: `status` (502) with an HTML page, as from a content delivery network.
 * - `edge-rate-limit`: HTTP 429 (or `status`, e.g. 529) with `Retry-After`.
 * - `unauthorized`: 401 as for an unknown token.
 * - `insufficient-scope`: 403 that asks for `scope`, which Notion itself never does.
 * - `lost-request`: the socket dies before anything happened. `lost-response`: the tool runs, then the socket dies
 *   before a byte of the answer.
 * - `cut-stream`: the answer begins (status, headers, `afterBytes` bytes of the body), then the socket dies.
 * - `deadline`: after `delayMs` the tool answers with Notion's 55 s deadline error. The write may have been applied:
 *   it has been, when `applied` is true.
 * - `tool-rate-limit`: the tool answers `rate_limited` as an `isError` result, with `retryAfterSeconds` and `reason`.
 * - `tool-error`: the tool answers an `APIResponseError` with `code` and `status`.
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
  /** Fits requests with this HTTP method only. */
  httpMethod: z.enum(['POST', 'GET', 'DELETE']).optional(),
  /** Fits requests with this JSON-RPC method only. */
  method: z.string().optional(),
  /** Fits calls of this tool only. */
  tool: z.string().optional(),
  delayMs: delayMs.default(0),
  status: z.number().int().min(200).max(599).optional(),
  retryAfterSeconds: z.number().int().min(0).nullable().default(30),
  afterBytes: z.number().int().min(0).default(20),
  applied: z.boolean().default(false),
  scope: z.string().default('write'),
  code: z.string().default('internal_server_error'),
  message: z.string().optional(),
  /** Of a rate limit that the tool answers. */
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
  /** Another `issuer` than the right one: a client has to refuse it (RFC 8414 §3.3). */
  issuer: z.string().nullable(),
  /** Another `resource` than the right one in the protected resource documents. */
  resource: z.string().nullable(),
  /** Milliseconds before any discovery document is answered. */
  delayMs,
  /** Extra bytes in each discovery document. */
  paddingBytes: z.number().int().min(0),
})
export type MetadataOptions = z.infer<typeof MetadataOptions>

/** The company's identity provider, whose assertions Enterprise-managed authorization takes. */
export const IdentityProvider = z.strictObject({
  issuer: z.string(),
  /** Public keys, RS256 or ES256. */
  jwks: z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())) }),
  /** Id or name of the workspace; the person is the one whose email address is the claim `email`, or else `sub`. */
  workspace: z.string().optional(),
})
export type IdentityProvider = z.infer<typeof IdentityProvider>

/** What a running simulator can be told. Defaults depend on the profile. */
export const Options = z.strictObject({
  /** Answers `GET /authorize` at once, without the page: `true` for the first account, or for this one. */
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
  /** Who has to send a code challenge. */
  requirePkce: z.enum(['public', 'all', 'none']),
  /** Whether `code_challenge_method=plain` is good enough. */
  plainPkce: z.boolean(),
  redirectMatching: z.enum(['exact', 'loopback-any-port']),
  /** Which older grants of the same client end when a consent completes. */
  revokeExistingGrants: z.enum(['same-user', 'same-user-and-workspace', 'off']),

  /** Whether token responses hold a refresh token. */
  refreshTokens: z.boolean(),
  /** Life of an access token. */
  accessTtlSeconds: z.number().int().min(1),
  /** Life of a grant from its consent on; refreshing does not extend it. */
  grantTtlSeconds: z.number().int().min(1),
  /** How long a grant lives without a refresh. */
  idleTtlSeconds: z.number().int().min(1),
  /** How long a rotated-out refresh token is merely refused, before presenting it revokes the grant. */
  graceMs: z.number().min(0),
  /** The strict reading: after the grace, also the immediately previous token counts as stolen. */
  previousOutsideGraceIsReuse: z.boolean(),
  /** Off: a rotated-out token is only ever refused. */
  reuseDetection: z.boolean(),
  /** A refresh ends the older access tokens at once. */
  revokeAccessOnRefresh: z.boolean(),
  /** A grant with less left than this cannot be refreshed any more. */
  minimumGrantLifeSeconds: z.number().int().min(0),
  /** `user_id`, `workspace_id`, `email_domain` in token responses. */
  identityFields: z.boolean(),
  /** Life of a dynamic registration; `null` for ever. */
  clientTtlSeconds: z.number().int().min(1).nullable(),
  /** Storage is eventually consistent: every write of the token endpoint is seen this many milliseconds later. */
  kvLagMs: z.number().min(0),
  /** Whether `/mcp` takes a token whose `resource` was the bare origin. */
  originAudience: z.enum(['refused', 'accepted']),
  /** Whether a `resource` other than the MCP endpoint may be asked for, also the bare origin; older libraries let it pass. */
  foreignResources: z.enum(['refused', 'accepted']),
  /** Refuses a `resource` in a token request when the authorization request had none. */
  strictResource: z.boolean(),
  /** Takes identity assertions (ID-JAG) of this provider; `null` takes none, as in a workspace without this feature. */
  identityProvider: IdentityProvider.nullable(),
  /** A refresh token is good for one refresh only; presenting it again is reuse at once, without any grace. */
  singleUseRefreshTokens: z.boolean(),
  /** Requests at which a `resource` parameter is refused with `invalid_target`, whatever it is. */
  refuseResource: z.array(z.enum(['authorization', 'authorization_code', 'refresh_token'])),
  tokenFaults: z.array(TokenFault),

  /** How successful responses of the token endpoint differ; `null`: not at all. */
  tokenResponse: TokenResponseOptions.nullable(),
  /** How refusals of the token endpoint differ, e.g. those of a grant that was revoked. */
  tokenRefusal: TokenResponseOptions.nullable(),
  /** How the responses to revocations (RFC 7009) differ. */
  revocationResponse: ResponseOptions.nullable(),
  /** How successful registration responses differ. */
  registrationResponse: ResponseOptions.nullable(),
  /** How discovery documents differ, by path; also paths at which nothing is served otherwise. */
  documents: z.record(z.string().startsWith('/'), DocumentOptions.nullable()),
  /** The token endpoint has this path instead of `/token`, where `status`, or a closed connection, is the response. */
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
  /** Whether error redirects carry `iss` too. */
  issOnErrors: z.boolean(),
  /** `authorization_response_iss_parameter_supported` in the metadata. */
  advertiseIss: z.boolean(),

  /** The answer to a request without credentials. */
  challenge: z.enum(['invalid_token', 'bare']),
  /** How POSTs to `/mcp` are answered. */
  answers: z.enum(['sse', 'json']),
  /** `required`: MCP sessions. `header`: an id is handed out and means nothing. */
  sessions: z.enum(['required', 'header', 'none']),
  /** Whether `GET /mcp` opens a stream; otherwise 405. */
  getStream: z.boolean(),
  /** Sessions only: SSE events carry ids, and a GET with `Last-Event-ID` resumes. */
  resumable: z.boolean(),
  /** Host names that may stand in `Origin`; `null` lets everything pass. */
  allowedOrigins: z.array(z.string()).nullable(),
  /** Milliseconds between keep-alive comments in SSE; 0 for none. */
  keepAliveMs: z.number().int().min(0),
  mcpFaults: z.array(McpFault),
  /** Requests per minute and connection; `plan`: 600 for Business and Enterprise, 180 for others. */
  rateLimitPerMinute: z.number().int().min(0).nullable().or(z.literal('plan')),
  /** Tool calls of all connections of a workspace together in a window, which may be longer than a minute. */
  workspaceRateLimit: z
    .strictObject({ calls: z.number().int().min(0), windowSeconds: z.number().int().min(1) })
    .nullable(),
  /** The older, separate limit of the search tool. */
  searchLimitPerMinute: z.number().int().min(0).nullable(),
  /** `all`, or only what the workspace's plan can use, or exactly these tools. */
  toolList: z.enum(['all', 'by-plan']).or(z.array(z.string())),
  /** Adds the tools `simulator-stream`, `simulator-wait`, `simulator-payload`, which Notion does not have. */
  testTools: z.boolean(),
})
export type Options = Omit<z.infer<typeof Options>, 'tokenFaults' | 'mcpFaults'> & {
  /** Taken from the front; what is not said of a fault has its default. */
  tokenFaults: TokenFaultInput[]
  mcpFaults: McpFaultInput[]
}

/** What may be given at the start or changed later: any part of {@link Options}; faults with only what matters. */
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
 * @throws {Error} naming each member that is unknown or has a wrong value.
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
