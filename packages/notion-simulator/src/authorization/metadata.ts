import { setTimeout as delay } from 'node:timers/promises'
import { type DocumentOptions, applyResponseOptions, useUp } from '../response-options.ts'
import { type State, timestamp } from '../state.ts'
import { jsonResponse } from './oauth-error.ts'

export const PROTECTED_RESOURCE_PATH = '/.well-known/oauth-protected-resource'
/** RFC 7523, with an ID-JAG as the assertion. */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const AUTHORIZATION_SERVER_PATH = '/.well-known/oauth-authorization-server'

/** RFC 8414, with the members and the order of the document captured in September 2026. */
export function authorizationServerMetadata({ url, options, profile }: State): Record<string, unknown> {
  const { metadata } = options
  const grantTypes = ['authorization_code', 'refresh_token']
  const tokenPath = options.movedTokenEndpoint?.path ?? '/token'
  const extended = profile !== 'notion-2026-01'
  return {
    issuer: metadata.issuer ?? url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}${tokenPath}`,
    ...(metadata.registrationEndpoint && { registration_endpoint: `${url}/register` }),
    scopes_supported: ['default'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: extended ? [...grantTypes, JWT_BEARER] : grantTypes,
    ...(extended && { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] }),
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    ...(metadata.revocationEndpoint && { revocation_endpoint: `${url}${tokenPath}` }),
    ...(metadata.codeChallengeMethods && { code_challenge_methods_supported: metadata.codeChallengeMethods }),
    ...(metadata.clientIdMetadataDocuments !== null && {
      client_id_metadata_document_supported: metadata.clientIdMetadataDocuments,
    }),
    ...(metadata.introspectionEndpoint && {
      introspection_endpoint: `${url}/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    }),
    ...(options.advertiseIss && { authorization_response_iss_parameter_supported: true }),
  }
}

/** Protected resource metadata (RFC 9728). `resource` follows the requested path, so the root document has the bare origin. */
export function protectedResourceMetadata({ url, options }: State, path: string): Record<string, unknown> {
  const suffix = path.slice(PROTECTED_RESOURCE_PATH.length)
  return {
    resource: options.metadata.resource ?? `${url}${suffix === '/' ? '' : suffix}`,
    authorization_servers: [url],
    scopes_supported: ['default'],
    bearer_methods_supported: ['header'],
    resource_name: 'Notion MCP (Beta)',
  }
}

/**
 * The response to a `GET` of a discovery document, changed by the options; undefined for documents that do not exist.
 */
export async function discover(state: State, path: string): Promise<Response | undefined> {
  const { documents, metadata } = state.options
  const options = (Object.hasOwn(documents, path) && documents[path]) || undefined
  const normal = normalDocument(state, path, options?.document)
  if (path.includes('/.well-known/') || options) state.recorded.discoveries.push({ at: timestamp(state), path })
  if (!normal && !options) return undefined
  if (metadata.delayMs > 0) await delay(metadata.delayMs)
  if (options) useUp(documents, path)
  const padding = metadata.paddingBytes
  const response = jsonResponse(padding > 0 ? { ...normal, x_padding: 'x'.repeat(padding) } : (normal ?? {}))
  return applyResponseOptions(response, options)
}

function normalDocument(
  state: State,
  path: string,
  document: DocumentOptions['document'],
): Record<string, unknown> | undefined {
  const suffixed = path.startsWith(`${PROTECTED_RESOURCE_PATH}/`)
  const isProtectedResource = path === PROTECTED_RESOURCE_PATH || suffixed
  if (document === 'authorization-server' || (!document && path === AUTHORIZATION_SERVER_PATH)) {
    return authorizationServerMetadata(state)
  }
  if (document === 'protected-resource' && !isProtectedResource) {
    return protectedResourceMetadata(state, `${PROTECTED_RESOURCE_PATH}/mcp`)
  }
  const exists = state.options.protectedResourceMetadata !== (suffixed ? 'root' : 'suffixed')
  return isProtectedResource && (document || exists) ? protectedResourceMetadata(state, path) : undefined
}
