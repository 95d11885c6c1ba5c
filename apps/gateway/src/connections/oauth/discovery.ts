/**
 * Discovers the authorization server of an MCP server: protected resource metadata (RFC 9728), then authorization server metadata
 * (RFC 8414, OpenID Connect discovery), in the order of the MCP authorization specification.
 */
import { ForbiddenUrl, type GuardedFetch, type ProxyFailed, type SsrfGuard } from '@nmg/outbound'
import { VERSION } from '@nmg/process'
import { z } from 'zod'
import { issuerMetadataLocations, resourceMetadataLocations, type MetadataLocation } from './metadata-locations.ts'
import { challengedScope, challengeParameter, IMPLIED_SCOPE, joinScopes } from './scope.ts'
import { Failure } from '../../platform/failure.ts'
import { readFirstUsable, notFound, UnusableDocument, type Fault } from './metadata-documents.ts'

/** The discovered authorization server of upstream (RFC 9728, RFC 8414). */
export interface AuthorizationServerInfo {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly registrationEndpoint: string | null
  readonly revocationEndpoint: string | null
  /** The scope to request; null for none. */
  readonly scope: string | null
  /** The server supports client ID metadata documents. */
  readonly takesMetadataDocuments: boolean
  /** The server sends `iss` in each authorization response ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)). */
  readonly promisesIssuer: boolean
  /** `token_endpoint_auth_methods_supported` of the metadata; null if it is missing. */
  readonly tokenEndpointAuthMethods: readonly string[] | null
  /** Resource indicator, verbatim from the protected resource metadata. */
  readonly resource: string | null
}

export interface EndpointOverrides {
  readonly authorize: URL | undefined
  readonly token: URL | undefined
  readonly registration: URL | undefined
  readonly revocation: URL | undefined
}

/** The server to discover and the means to do so. */
export interface DiscoveryContext {
  readonly mcpServer: URL
  readonly overrides: EndpointOverrides
  readonly guard: SsrfGuard
  readonly fetch: GuardedFetch
}

/** Time-out of each document. */
export const METADATA_TIMEOUT_MS = 5_000

/** The metadata of an authorization server, with the operator's overrides applied. */
export type IssuerMetadata = Omit<AuthorizationServerInfo, 'resource' | 'scope'> & {
  readonly scopesSupported: readonly string[]
}

/** Discovers the authorization server. @throws {Failure} `authorization_unavailable`, `authorization_refused`. */
export async function discover(context: DiscoveryContext): Promise<AuthorizationServerInfo> {
  const { issuer, resource, scope } = await protectedResource(context)
  const { scopesSupported, ...server } = await readIssuerMetadata(new URL(issuer), context)
  return { ...server, resource, scope: withOfflineAccess(scope, scopesSupported) }
}

/**
 * Reads the current metadata of an authorization server. They must name the same issuer, and their endpoints must pass the SSRF guard.
 *
 * @throws {Failure} `authorization_unavailable`, `authorization_refused`.
 */
export async function readIssuerMetadata(
  issuer: URL,
  context: Omit<DiscoveryContext, 'mcpServer'>,
): Promise<IssuerMetadata> {
  const { overrides } = context
  assertUsable(issuer.href, context)
  const { document, faults } = await firstDocument(issuerMetadataLocations(issuer), context, (json) =>
    issuerMetadata(json, issuer, overrides),
  )
  const metadata = document ?? metadataFromSettings(issuer, overrides, faults)
  if (!metadata) {
    throw notFound(
      `The authorization server ${issuer.origin}`,
      faults,
      'Ask its operator, or set NOTION_MCP_AUTHORIZE_ENDPOINT and NOTION_MCP_TOKEN_ENDPOINT.',
    )
  }
  const { authorizationEndpoint, tokenEndpoint, registrationEndpoint, revocationEndpoint } = metadata
  for (const endpoint of [authorizationEndpoint, tokenEndpoint, registrationEndpoint, revocationEndpoint]) {
    if (endpoint !== null) assertUsable(endpoint, context)
  }
  return metadata
}

/** If the server publishes no metadata, the endpoints of the settings suffice. PKCE is used nevertheless. */
function metadataFromSettings(
  issuer: URL,
  overrides: EndpointOverrides,
  faults: readonly Fault[],
): IssuerMetadata | undefined {
  const isWithoutMetadata = faults.every(({ kind }) => kind === 'refused' || kind === 'malformed')
  if (!isWithoutMetadata || !overrides.authorize || !overrides.token) return undefined
  return {
    issuer: issuer.href.replace(/\/$/, ''),
    authorizationEndpoint: overrides.authorize.href,
    tokenEndpoint: overrides.token.href,
    registrationEndpoint: overrides.registration?.href ?? null,
    revocationEndpoint: overrides.revocation?.href ?? null,
    takesMetadataDocuments: false,
    promisesIssuer: false,
    tokenEndpointAuthMethods: null,
    scopesSupported: [],
  }
}

const isWebUrl = (text: string) => /^https?:$/.test(URL.parse(text)?.protocol ?? '')

/** An optional member of an unexpected type counts as absent. */
const optionalUrl = z
  .url({ protocol: /^https?$/ })
  .optional()
  .catch(undefined)
/** Names in an array or a string, separated by spaces or commas. Elements that are not strings are dropped. */
const optionalNames = z
  .union([z.array(z.unknown()), z.string().transform((text) => [text])])
  .transform((list) => list.flatMap((names) => (typeof names === 'string' ? names.split(/[\s,]+/) : [])))
  .transform((names) => names.filter((name) => name !== ''))
  .catch([])
const optionalFlag = z.boolean().catch(false)

const AuthorizationServerMetadata = z.object({
  issuer: z.url(),
  authorization_endpoint: optionalUrl,
  token_endpoint: optionalUrl,
  registration_endpoint: optionalUrl,
  revocation_endpoint: optionalUrl,
  code_challenge_methods_supported: optionalNames,
  token_endpoint_auth_methods_supported: optionalNames,
  scopes_supported: optionalNames,
  client_id_metadata_document_supported: optionalFlag,
  authorization_response_iss_parameter_supported: optionalFlag,
})

/** @throws {UnusableDocument}, {@link z.ZodError} */
function issuerMetadata(json: unknown, issuer: URL, overrides: EndpointOverrides): IssuerMetadata {
  const metadata = AuthorizationServerMetadata.parse(json)
  // RFC 8414 §3.3: prevents a server from impersonating another one.
  if (new URL(metadata.issuer).href !== issuer.href)
    throw new UnusableDocument('describes another authorization server')
  if (!metadata.code_challenge_methods_supported.includes('S256')) {
    throw new UnusableDocument('does not list support for PKCE with S256')
  }
  const authorizationEndpoint = overrides.authorize?.href ?? metadata.authorization_endpoint
  const tokenEndpoint = overrides.token?.href ?? metadata.token_endpoint
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined) {
    throw new UnusableDocument('has no authorization endpoint or no token endpoint')
  }
  const authMethods = metadata.token_endpoint_auth_methods_supported
  return {
    issuer: metadata.issuer,
    authorizationEndpoint,
    tokenEndpoint,
    registrationEndpoint: overrides.registration?.href ?? metadata.registration_endpoint ?? null,
    revocationEndpoint: overrides.revocation?.href ?? metadata.revocation_endpoint ?? null,
    takesMetadataDocuments: metadata.client_id_metadata_document_supported,
    promisesIssuer: metadata.authorization_response_iss_parameter_supported,
    tokenEndpointAuthMethods: authMethods.length > 0 ? authMethods : null,
    scopesSupported: metadata.scopes_supported,
  }
}

/** Servers that list `offline_access` issue refresh tokens only to clients that request it. */
function withOfflineAccess(scope: string | null, supported: readonly string[]): string | null {
  if (scope === null || scope === IMPLIED_SCOPE) return scope
  const isMissing = supported.includes('offline_access') && !scope.split(' ').includes('offline_access')
  return isMissing ? `${scope} offline_access` : scope
}

const ResourceMetadata = z.object({
  resource: z.url(),
  /** The first one that is a URL. */
  authorization_servers: z
    .array(z.unknown())
    .transform((list) => list.find((issuer) => typeof issuer === 'string' && isWebUrl(issuer)))
    .pipe(z.string()),
  scopes_supported: optionalNames,
})

/** A server without this document counts as its own authorization server, unless the document is only unavailable now. */
async function protectedResource(
  context: DiscoveryContext,
): Promise<{ issuer: string; resource: string | null; scope: string | null }> {
  const { mcpServer } = context
  const { metadataUrl: named, scope: requested } = await challengeOf(context)
  const { document, faults } = await firstDocument(resourceMetadataLocations(mcpServer, named), context, (json) => {
    const metadata = ResourceMetadata.parse(json)
    assertCovers(metadata.resource, mcpServer)
    return metadata
  })
  if (document) {
    const { resource, authorization_servers: issuer, scopes_supported } = document
    return { issuer, resource, scope: requested ?? joinScopes(scopes_supported) }
  }
  if (faults.every(({ kind }) => kind === 'refused')) {
    return { issuer: mcpServer.origin, resource: null, scope: requested }
  }
  throw notFound(`The MCP server ${mcpServer.origin}`, faults, 'Ask its operator, or check NOTION_MCP_SERVER_URL.')
}

/** @throws {Failure} `authorization_refused` when the SSRF guard forbids the address of a document. */
const firstDocument = <T>(
  locations: readonly MetadataLocation[],
  { fetch }: Pick<DiscoveryContext, 'fetch'>,
  read: (json: unknown) => T,
) =>
  readFirstUsable(locations, fetch, read).catch((cause: unknown) => {
    throw cause instanceof ForbiddenUrl ? forbidden(cause) : cause
  })

/** The challenge to calls without a token ([RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)). */
async function challengeOf(context: DiscoveryContext): Promise<{ metadataUrl: URL | undefined; scope: string | null }> {
  const clientInfo = { name: 'notion-mcp-gateway', version: VERSION }
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  let response = await callWithoutToken(context, 'initialize', initialize)
  // Some servers require no token for `initialize`, and newer protocol versions may not have it.
  if (response && response.status !== 401) response = await callWithoutToken(context, 'tools/list', {})
  const challenge = response?.headers.get('www-authenticate') ?? ''
  const named = challengeParameter(challenge, 'resource_metadata')
  const url = named !== undefined && isWebUrl(named) ? new URL(named) : undefined
  if (url) assertUsable(url.href, context)
  return { metadataUrl: url, scope: challengedScope(challenge) }
}

/** Undefined if the server does not respond; it may publish its metadata nevertheless. */
const callWithoutToken = (
  { mcpServer, fetch }: DiscoveryContext,
  method: string,
  params: object,
): Promise<Response | undefined> =>
  fetch(mcpServer.href, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  }).catch(() => undefined)

/** A resource covers the server if it has the same origin and its path is a prefix; a token for any other resource must not be sent to it. */
function assertCovers(resource: string, mcpServer: URL): void {
  const url = URL.parse(resource)
  const isPrefix =
    url && (url.pathname === '/' || `${mcpServer.pathname}/`.startsWith(url.pathname.replace(/\/?$/, '/')))
  if (url?.origin !== mcpServer.origin || !isPrefix) {
    throw new UnusableDocument('describes another resource')
  }
}

/** The origin of an untrusted URL. Error messages omit the path, which a remote server could choose freely. */
export const originOf = (url: string): string => URL.parse(url)?.origin ?? 'the authorization server'

/** The gateway sends secrets to the discovered endpoints, so they must pass the SSRF guard. */
function assertUsable(address: string, { guard }: Pick<DiscoveryContext, 'guard'>): void {
  try {
    guard.assertAllowed(new URL(address))
  } catch (cause) {
    throw cause instanceof ForbiddenUrl ? forbidden(cause) : refused('The metadata contains an invalid URL.', cause)
  }
}

/** The failure for a discovered URL that the SSRF guard forbids. */
export const forbidden = (cause: ForbiddenUrl) =>
  refused(`The MCP server leads to a forbidden address: ${whyForbidden[cause.reason]}`, cause)

const whyForbidden: Record<ForbiddenUrl['reason'], string> = {
  plain: 'it is not https. Tell the operator of that server.',
  private:
    'it is in a private network. If the MCP server is one of your own there, the gateway’s operator sets NOTION_MCP_PRIVATE_NETWORK=true.',
  loopback:
    'it is on the gateway’s own machine, and the MCP server is not. The gateway’s operator can name it in the settings.',
  reserved: 'it is a reserved address. Tell the operator of that server.',
}

/** The failure of a request that the outbound proxy did not forward. */
export const proxyFailure = (cause: ProxyFailed) =>
  new Failure('authorization_unavailable', cause.message, { cause, retryAfterSeconds: 30 })

const refused = (detail: string, cause?: unknown) => new Failure('authorization_refused', detail, { cause })
