/**
 * From the URL of an MCP server to its authorization server: protected resource metadata (RFC 9728), then authorization server metadata
 * (RFC 8414, OpenID Connect discovery), as the MCP authorization specification orders it.
 */
import * as oauth from 'oauth4webapi'
import { z } from 'zod'
import { Failure } from '../../failure.ts'
import type { AuthorizationServerInfo } from '../../ports.ts'
import { assertAllowed, ForbiddenUrl, guardedFetch, isLoopback } from './guarded-request.ts'

export interface EndpointOverrides {
  readonly authorize: URL | undefined
  readonly token: URL | undefined
  readonly registration: URL | undefined
  readonly revocation: URL | undefined
}

const METADATA_TIMEOUT_MS = 5_000
const fetchMetadata = guardedFetch(undefined, METADATA_TIMEOUT_MS)
const options = { [oauth.customFetch]: fetchMetadata, [oauth.allowInsecureRequests]: true } as const

/** @throws {Failure} `authorization_unavailable`, `authorization_refused`. */
export async function discover(mcpServer: URL, overrides: EndpointOverrides): Promise<AuthorizationServerInfo> {
  const { issuer, resource, scope } = await protectedResource(mcpServer)
  assertUsable(issuer, mcpServer)
  const metadata = await authorizationServerMetadata(new URL(issuer), overrides)

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
  const named = [
    metadata.authorization_endpoint,
    metadata.token_endpoint,
    metadata.registration_endpoint,
    metadata.revocation_endpoint,
  ]
  for (const endpoint of named) if (endpoint !== undefined) assertUsable(endpoint, mcpServer)
  return {
    issuer: metadata.issuer,
    authorizationEndpoint,
    tokenEndpoint,
    registrationEndpoint,
    revocationEndpoint,
    takesMetadataDocuments: metadata.client_id_metadata_document_supported === true,
    promisesIssuer: metadata.authorization_response_iss_parameter_supported === true,
    resource,
    scope: scope === null ? null : withOfflineAccess(scope, metadata.scopes_supported),
  }
}

/** Servers that name this scope give a refresh token only to those who ask for it. */
function withOfflineAccess(scope: string, supported: readonly string[] | undefined): string {
  const isMissing = supported?.includes('offline_access') === true && !scope.split(' ').includes('offline_access')
  return isMissing ? `${scope} offline_access` : scope
}

async function protectedResource(
  mcpServer: URL,
): Promise<{ issuer: string; resource: string | null; scope: string | null }> {
  const { metadataUrl: named, scope: asked } = await challengeOf(mcpServer)
  // Not the root document first: its `resource` lacks the path, and a token for it may be refused at the endpoint.
  const candidates = named
    ? [named]
    : [wellKnownResource(mcpServer), new URL('/.well-known/oauth-protected-resource', mcpServer)]
  for (const url of candidates) {
    const response = await get(url)
    if (response.status !== 200) continue
    const { resource, authorization_servers, scopes_supported } = await process(readResourceMetadata(response), url)
    assertCovers(resource, mcpServer)
    return { issuer: authorization_servers[0], resource, scope: asked ?? scopeOf(scopes_supported) }
  }
  return { issuer: mcpServer.origin, resource: null, scope: asked }
}

/** What the server's answer to a request without a token demands ([RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)). */
async function challengeOf(mcpServer: URL): Promise<{ metadataUrl: URL | undefined; scope: string | null }> {
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'notion-mcp-gateway', version: '0.1.0' },
    },
  }
  // A server that does not answer this may still publish its metadata, so nothing depends on it.
  const response = await fetchMetadata(mcpServer.href, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify(initialize),
  }).catch(() => undefined)
  const challenge = response?.headers.get('www-authenticate') ?? ''
  const named = /(?:^|[\s,])resource_metadata="([^"]*)"/i.exec(challenge)?.[1]
  const scope = /(?:^|[\s,])scope="([^"]*)"/i.exec(challenge)?.[1]
  const url = named === undefined ? null : URL.parse(named)
  if (url) assertUsable(url.href, mcpServer)
  return { metadataUrl: url ?? undefined, scope: scope === undefined ? null : scopeOf(scope.split(' ')) }
}

async function authorizationServerMetadata(
  issuer: URL,
  overrides: EndpointOverrides,
): Promise<oauth.AuthorizationServer> {
  for (const algorithm of ['oauth2', 'oidc'] as const) {
    const response = await reach(issuer, () => oauth.discoveryRequest(issuer, { ...options, algorithm }))
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

/** Notion's only scope, which is also what a request without any gets. Naming it would bring nothing. */
const IMPLIED_SCOPE = 'default'

/** Scope tokens as one may send them ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)); null for none. */
const scopeOf = (names: readonly string[]): string | null =>
  names.filter((name) => name !== IMPLIED_SCOPE && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name)).join(' ') || null

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

/**
 * Metadata names addresses that the gateway then sends forms to, with secrets in them. They are https; or this machine, but only when the MCP server
 * itself is: a server elsewhere has nothing to name here.
 */
function assertUsable(address: string, mcpServer: URL): void {
  try {
    const url = new URL(address)
    assertAllowed(url)
    if (isLoopback(url) && !isLoopback(mcpServer)) throw new ForbiddenUrl('a server elsewhere names this machine')
  } catch (cause) {
    throw refused('The metadata names an address that is not used: neither https, nor on the same machine.', cause)
  }
}

const get = (url: URL) => reach(url, () => fetchMetadata(url.href, { headers: { accept: 'application/json' } }))

async function reach(url: URL, send: () => Promise<Response>): Promise<Response> {
  try {
    return await send()
  } catch (cause) {
    throw unavailable(url, cause)
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
