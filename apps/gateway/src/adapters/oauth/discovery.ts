/**
 * From the URL of an MCP server to its authorization server: protected resource metadata (RFC 9728), then authorization server metadata
 * (RFC 8414, OpenID Connect discovery), as the MCP authorization specification orders it.
 */
import { ForbiddenUrl, type GuardedFetch, type Reach } from '@nmg/outbound'
import * as oauth from 'oauth4webapi'
import { z } from 'zod'
import { challengedScope, challengeParameter, IMPLIED_SCOPE, scopeOf } from '../../domain/upstream-scope.ts'
import { Failure } from '../../failure.ts'
import type { AuthorizationServerInfo } from '../../ports.ts'

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
  readonly reach: Reach
  readonly fetch: GuardedFetch
}

/** For each of the documents. */
export const METADATA_TIMEOUT_MS = 5_000

/** @throws {Failure} `authorization_unavailable`, `authorization_refused`. */
export async function discover(place: Place): Promise<AuthorizationServerInfo> {
  const { overrides } = place
  const { issuer, resource, scope } = await protectedResource(place)
  assertUsable(issuer, place)
  const metadata = await authorizationServerMetadata(new URL(issuer), place)

  if (!metadata.code_challenge_methods_supported?.includes('S256')) {
    throw refused(
      `The authorization server ${originOf(metadata.issuer)} does not say that it supports PKCE with S256, so it is not used.`,
    )
  }
  const authorizationEndpoint = overrides.authorize?.href ?? metadata.authorization_endpoint
  const tokenEndpoint = overrides.token?.href ?? metadata.token_endpoint
  if (!authorizationEndpoint || !tokenEndpoint) {
    throw refused(`The authorization server ${originOf(metadata.issuer)} names no authorization or no token endpoint.`)
  }
  const registrationEndpoint = overrides.registration?.href ?? metadata.registration_endpoint ?? null
  const revocationEndpoint = overrides.revocation?.href ?? metadata.revocation_endpoint ?? null
  for (const endpoint of [authorizationEndpoint, tokenEndpoint, registrationEndpoint, revocationEndpoint]) {
    if (endpoint !== null) assertUsable(endpoint, place)
  }
  return {
    issuer: metadata.issuer,
    authorizationEndpoint,
    tokenEndpoint,
    registrationEndpoint,
    revocationEndpoint,
    takesMetadataDocuments: metadata.client_id_metadata_document_supported === true,
    promisesIssuer: metadata.authorization_response_iss_parameter_supported === true,
    resource,
    scope: withOfflineAccess(scope, metadata.scopes_supported),
  }
}

/** Servers that name this scope give a refresh token only to those who ask for it. */
function withOfflineAccess(scope: string | null, supported: readonly string[] | undefined): string | null {
  if (scope === null || scope === IMPLIED_SCOPE) return scope
  const isMissing = supported?.includes('offline_access') === true && !scope.split(' ').includes('offline_access')
  return isMissing ? `${scope} offline_access` : scope
}

async function protectedResource(
  place: Place,
): Promise<{ issuer: string; resource: string | null; scope: string | null }> {
  const { mcpServer } = place
  const { metadataUrl: named, scope: asked } = await challengeOf(place)
  // Not the root document first: its `resource` lacks the path, and a token for it may be refused at the endpoint.
  const candidates = named
    ? [named]
    : [wellKnownResource(mcpServer), new URL('/.well-known/oauth-protected-resource', mcpServer)]
  for (const url of candidates) {
    const response = await get(url, place)
    if (response.status !== 200) continue
    const { resource, authorization_servers, scopes_supported } = await process(readResourceMetadata(response), url)
    assertCovers(resource, mcpServer)
    return { issuer: authorization_servers[0], resource, scope: asked ?? scopeOf(scopes_supported) }
  }
  return { issuer: mcpServer.origin, resource: null, scope: asked }
}

/** What the server's answer to calls without a token demands ([RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)). */
async function challengeOf(place: Place): Promise<{ metadataUrl: URL | undefined; scope: string | null }> {
  const clientInfo = { name: 'notion-mcp-gateway', version: '0.1.0' }
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  let response = await callWithoutToken(place, 'initialize', initialize)
  // Some let everybody begin, and ask for a token only then; some do not know this beginning any more.
  if (response && response.status !== 401) response = await callWithoutToken(place, 'tools/list', {})
  const challenge = response?.headers.get('www-authenticate') ?? ''
  const named = challengeParameter(challenge, 'resource_metadata')
  const url = named === undefined ? null : URL.parse(named)
  if (url) assertUsable(url.href, place)
  return { metadataUrl: url ?? undefined, scope: challengedScope(challenge) }
}

/** A server that does not answer this may still publish its metadata, so nothing depends on it. */
const callWithoutToken = ({ mcpServer, fetch }: Place, method: string, params: object): Promise<Response | undefined> =>
  fetch(mcpServer.href, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  }).catch(() => undefined)

async function authorizationServerMetadata(
  issuer: URL,
  { overrides, fetch }: Place,
): Promise<oauth.AuthorizationServer> {
  const options = { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true } as const
  for (const algorithm of ['oauth2', 'oidc'] as const) {
    const response = await ask(issuer, () => oauth.discoveryRequest(issuer, { ...options, algorithm }))
    if (response.status === 404) continue
    if (response.status >= 500) throw unavailable(issuer)
    return process(oauth.processDiscoveryResponse(issuer, response), issuer)
  }
  if (overrides.authorize && overrides.token) {
    // The operator named the endpoints and so vouches for the server; PKCE is sent all the same.
    return { issuer: issuer.href.replace(/\/$/, ''), code_challenge_methods_supported: ['S256'] }
  }
  throw refused(
    `${issuer.origin} publishes no authorization server metadata. Set NOTION_MCP_AUTHORIZE_ENDPOINT and NOTION_MCP_TOKEN_ENDPOINT.`,
  )
}

const ResourceMetadata = z.object({
  resource: z.url(),
  authorization_servers: z.tuple([z.url()], z.unknown()),
  scopes_supported: z.array(z.string()).catch([]).default([]),
})

/** Not oauth4webapi's check: that one refuses a resource that is a prefix of the server's URL, which MCP allows. */
const readResourceMetadata = async (response: Response) => ResourceMetadata.parse(await response.json())

const wellKnownResource = (mcpServer: URL) =>
  new URL(`/.well-known/oauth-protected-resource${mcpServer.pathname === '/' ? '' : mcpServer.pathname}`, mcpServer)

/** A resource covers the server when its origin is the same and its path is a prefix; everything else would be somebody else's token. */
function assertCovers(resource: string, mcpServer: URL): void {
  const url = URL.parse(resource)
  const isPrefix =
    url && (url.pathname === '/' || `${mcpServer.pathname}/`.startsWith(url.pathname.replace(/\/?$/, '/')))
  if (url?.origin !== mcpServer.origin || !isPrefix) {
    throw refused(`The metadata of ${mcpServer.href} describes another resource, so it is not used.`)
  }
}

/** The origin of an address that a stranger named: its path may hold anything, and errors do not repeat strangers. */
export const originOf = (url: string): string => URL.parse(url)?.origin ?? 'the authorization server'

/** Metadata names addresses that the gateway then sends forms to, with secrets in them. */
function assertUsable(address: string, { reach }: Place): void {
  try {
    reach.assertAllowed(new URL(address))
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
  machine:
    'it is on the gateway’s own machine, and the MCP server is not. The gateway’s operator can name it in the settings.',
  nowhere: 'nothing that a gateway talks to has it. Tell the operator of that server.',
}

const get = (url: URL, { fetch }: Place) => ask(url, () => fetch(url.href, { headers: { accept: 'application/json' } }))

async function ask(url: URL, send: () => Promise<Response>): Promise<Response> {
  try {
    return await send()
  } catch (cause) {
    throw cause instanceof ForbiddenUrl ? forbidden(cause) : unavailable(url, cause)
  }
}

async function process<T>(work: Promise<T>, url: URL): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw refused(`The metadata at ${url.origin} is not usable: it is malformed, or speaks for another server.`, cause)
  }
}

const unavailable = (url: URL, cause?: unknown) =>
  new Failure(
    'authorization_unavailable',
    `${url.origin} does not answer. Notion may be down; try again in a minute.`,
    {
      cause,
      retryAfterSeconds: 30,
    },
  )

const refused = (detail: string, cause?: unknown) => new Failure('authorization_refused', detail, { cause })
