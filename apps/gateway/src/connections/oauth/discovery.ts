/**
 * From the URL of an MCP server to its authorization server: protected resource metadata (RFC 9728), then authorization server metadata
 * (RFC 8414, OpenID Connect discovery), as the MCP authorization specification orders it.
 */
import { ForbiddenUrl, type GuardedFetch, type ProxyFailed, type SsrfGuard } from '@nmg/outbound'
import { VERSION } from '@nmg/process'
import { z } from 'zod'
import { issuerMetadataLocations, resourceMetadataLocations, type MetadataLocation } from './metadata-locations.ts'
import { challengedScope, challengeParameter, IMPLIED_SCOPE, scopeOf } from './scope.ts'
import { Failure } from '../../platform/failure.ts'
import { firstUsable, notFound, UnusableDocument, type Fault } from './metadata-documents.ts'

/** What discovery told about the authorization server of the upstream (RFC 9728, RFC 8414). */
export interface AuthorizationServerInfo {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly registrationEndpoint: string | null
  readonly revocationEndpoint: string | null
  /** What to ask for; null for nothing in particular. */
  readonly scope: string | null
  /** The server takes the address of a published document for the id of a client. */
  readonly takesMetadataDocuments: boolean
  /** The server promises `iss` in each authorization response ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)). */
  readonly promisesIssuer: boolean
  /** How clients may authenticate at the token endpoint, as the metadata list it; null when they do not. */
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

/** Whose metadata are read, and how. */
export interface Place {
  readonly mcpServer: URL
  readonly overrides: EndpointOverrides
  readonly guard: SsrfGuard
  readonly fetch: GuardedFetch
}

/** For each of the documents. */
export const METADATA_TIMEOUT_MS = 5_000

/** What an authorization server publishes about itself, with the operator's overrides in place. */
export type IssuerMetadata = Omit<AuthorizationServerInfo, 'resource' | 'scope'> & {
  readonly scopesSupported: readonly string[]
}

/** @throws {Failure} `authorization_unavailable`, `authorization_refused`. */
export async function discover(place: Place): Promise<AuthorizationServerInfo> {
  const { issuer, resource, scope } = await protectedResource(place)
  const { scopesSupported, ...server } = await readIssuerMetadata(new URL(issuer), place)
  return { ...server, resource, scope: withOfflineAccess(scope, scopesSupported) }
}

/**
 * The metadata of one authorization server, as they are now. They must be issued by this very issuer, and lead to nothing that is less
 * public than the MCP server.
 *
 * @throws {Failure} `authorization_unavailable`, `authorization_refused`.
 */
export async function readIssuerMetadata(issuer: URL, place: Omit<Place, 'mcpServer'>): Promise<IssuerMetadata> {
  const { overrides } = place
  assertUsable(issuer.href, place)
  const { document, faults } = await firstDocument(issuerMetadataLocations(issuer), place, (json) =>
    issuerMetadata(json, issuer, overrides),
  )
  const metadata = document ?? vouchedFor(issuer, overrides, faults)
  if (!metadata) {
    throw notFound(
      `The authorization server ${issuer.origin}`,
      faults,
      'Ask its operator, or set NOTION_MCP_AUTHORIZE_ENDPOINT and NOTION_MCP_TOKEN_ENDPOINT.',
    )
  }
  const { authorizationEndpoint, tokenEndpoint, registrationEndpoint, revocationEndpoint } = metadata
  for (const endpoint of [authorizationEndpoint, tokenEndpoint, registrationEndpoint, revocationEndpoint]) {
    if (endpoint !== null) assertUsable(endpoint, place)
  }
  return metadata
}

/** Without any metadata, the operator who named the endpoints vouches for the server; PKCE is sent all the same. */
function vouchedFor(issuer: URL, overrides: EndpointOverrides, faults: readonly Fault[]): IssuerMetadata | undefined {
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

/** An optional member of an unexpected form counts as absent. */
const optionalUrl = z
  .url({ protocol: /^https?$/ })
  .optional()
  .catch(undefined)
/** Names in a list, or in one text, separated by blanks or commas; members that are no text are left out. */
const optionalNames = z
  .union([z.array(z.unknown()), z.string().transform((text) => [text])])
  .transform((list) => list.flatMap((names) => (typeof names === 'string' ? names.split(/[\s,]+/) : [])))
  .transform((names) => names.filter((name) => name !== ''))
  .catch([])
const optionalPromise = z.boolean().catch(false)

const AuthorizationServerMetadata = z.object({
  issuer: z.url(),
  authorization_endpoint: optionalUrl,
  token_endpoint: optionalUrl,
  registration_endpoint: optionalUrl,
  revocation_endpoint: optionalUrl,
  code_challenge_methods_supported: optionalNames,
  token_endpoint_auth_methods_supported: optionalNames,
  scopes_supported: optionalNames,
  client_id_metadata_document_supported: optionalPromise,
  authorization_response_iss_parameter_supported: optionalPromise,
})

/** @throws {UnusableDocument}, {@link z.ZodError} */
function issuerMetadata(json: unknown, issuer: URL, overrides: EndpointOverrides): IssuerMetadata {
  const metadata = AuthorizationServerMetadata.parse(json)
  // RFC 8414 §3.3: else one server could speak for another.
  if (new URL(metadata.issuer).href !== issuer.href)
    throw new UnusableDocument('describes another authorization server')
  if (!metadata.code_challenge_methods_supported.includes('S256')) {
    throw new UnusableDocument('does not say that PKCE with S256 is supported')
  }
  const authorizationEndpoint = overrides.authorize?.href ?? metadata.authorization_endpoint
  const tokenEndpoint = overrides.token?.href ?? metadata.token_endpoint
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined) {
    throw new UnusableDocument('names no authorization endpoint or no token endpoint')
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

/** Servers that name this scope give a refresh token only to those who ask for it. */
function withOfflineAccess(scope: string | null, supported: readonly string[]): string | null {
  if (scope === null || scope === IMPLIED_SCOPE) return scope
  const isMissing = supported.includes('offline_access') && !scope.split(' ').includes('offline_access')
  return isMissing ? `${scope} offline_access` : scope
}

const ResourceMetadata = z.object({
  resource: z.url(),
  /** The first that is an address. */
  authorization_servers: z
    .array(z.unknown())
    .transform((list) => list.find((issuer) => typeof issuer === 'string' && isWebUrl(issuer)))
    .pipe(z.string()),
  scopes_supported: optionalNames,
})

/** A server without this document is looked at as its own authorization server; one whose document cannot be read now is not. */
async function protectedResource(
  place: Place,
): Promise<{ issuer: string; resource: string | null; scope: string | null }> {
  const { mcpServer } = place
  const { metadataUrl: named, scope: asked } = await challengeOf(place)
  const { document, faults } = await firstDocument(resourceMetadataLocations(mcpServer, named), place, (json) => {
    const metadata = ResourceMetadata.parse(json)
    assertCovers(metadata.resource, mcpServer)
    return metadata
  })
  if (document) {
    const { resource, authorization_servers: issuer, scopes_supported } = document
    return { issuer, resource, scope: asked ?? scopeOf(scopes_supported) }
  }
  if (faults.every(({ kind }) => kind === 'refused')) {
    return { issuer: mcpServer.origin, resource: null, scope: asked }
  }
  throw notFound(`The MCP server ${mcpServer.origin}`, faults, 'Ask its operator, or check NOTION_MCP_SERVER_URL.')
}

/** @throws {Failure} `authorization_refused` when a document is at an address that is not used. */
const firstDocument = <T>(
  locations: readonly MetadataLocation[],
  { fetch }: Pick<Place, 'fetch'>,
  read: (json: unknown) => T,
) =>
  firstUsable(locations, fetch, read).catch((cause: unknown) => {
    throw cause instanceof ForbiddenUrl ? forbidden(cause) : cause
  })

/** What the server's answer to calls without a token demands ([RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)). */
async function challengeOf(place: Place): Promise<{ metadataUrl: URL | undefined; scope: string | null }> {
  const clientInfo = { name: 'notion-mcp-gateway', version: VERSION }
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  let response = await callWithoutToken(place, 'initialize', initialize)
  // Some let everybody begin, and ask for a token only then; some do not know this beginning any more.
  if (response && response.status !== 401) response = await callWithoutToken(place, 'tools/list', {})
  const challenge = response?.headers.get('www-authenticate') ?? ''
  const named = challengeParameter(challenge, 'resource_metadata')
  const url = named !== undefined && isWebUrl(named) ? new URL(named) : undefined
  if (url) assertUsable(url.href, place)
  return { metadataUrl: url, scope: challengedScope(challenge) }
}

/** A server that does not answer this may still publish its metadata, so nothing depends on it. */
const callWithoutToken = ({ mcpServer, fetch }: Place, method: string, params: object): Promise<Response | undefined> =>
  fetch(mcpServer.href, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  }).catch(() => undefined)

/** A resource covers the server when its origin is the same and its path is a prefix; everything else would be somebody else's token. */
function assertCovers(resource: string, mcpServer: URL): void {
  const url = URL.parse(resource)
  const isPrefix =
    url && (url.pathname === '/' || `${mcpServer.pathname}/`.startsWith(url.pathname.replace(/\/?$/, '/')))
  if (url?.origin !== mcpServer.origin || !isPrefix) {
    throw new UnusableDocument('describes another resource')
  }
}

/** The origin of an address that a stranger named: its path may hold anything, and errors do not repeat strangers. */
export const originOf = (url: string): string => URL.parse(url)?.origin ?? 'the authorization server'

/** Metadata names addresses that the gateway then sends forms to, with secrets in them. */
function assertUsable(address: string, { guard }: Pick<Place, 'guard'>): void {
  try {
    guard.assertAllowed(new URL(address))
  } catch (cause) {
    throw cause instanceof ForbiddenUrl ? forbidden(cause) : refused('The metadata names what is no address.', cause)
  }
}

/** What somebody is told whose connection would lead where the MCP server has nothing to name. */
export const forbidden = (cause: ForbiddenUrl) =>
  refused(`The MCP server leads to an address that is not used: ${whyForbidden[cause.reason]}`, cause)

const whyForbidden: Record<ForbiddenUrl['reason'], string> = {
  plain: 'it is not https. Tell the operator of that server.',
  private:
    'it is in a private network. If the MCP server is one of your own there, the gateway’s operator sets NOTION_MCP_PRIVATE_NETWORK=true.',
  loopback:
    'it is on the gateway’s own machine, and the MCP server is not. The gateway’s operator can name it in the settings.',
  reserved: 'nothing that a gateway talks to has it. Tell the operator of that server.',
}

/** The failure of a request that the outbound proxy did not let through. */
export const proxyFailure = (cause: ProxyFailed) =>
  new Failure('authorization_unavailable', cause.message, { cause, retryAfterSeconds: 30 })

const refused = (detail: string, cause?: unknown) => new Failure('authorization_refused', detail, { cause })
