import { setTimeout as delay } from 'node:timers/promises'
import { type State, timestamp } from '../state.ts'
import { jsonResponse } from './oauth-error.ts'

export const PROTECTED_RESOURCE_PATH = '/.well-known/oauth-protected-resource'
export const AUTHORIZATION_SERVER_PATH = '/.well-known/oauth-authorization-server'

/** RFC 8414, with the members and the order of the document captured in September 2026. */
export function authorizationServerMetadata({ url, knobs, profile }: State): Record<string, unknown> {
  const { metadata } = knobs
  const grantTypes = ['authorization_code', 'refresh_token']
  const extended = profile !== 'notion-2026-01'
  return {
    issuer: metadata.issuer ?? url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    ...(metadata.registrationEndpoint && { registration_endpoint: `${url}/register` }),
    scopes_supported: ['default'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: extended ? [...grantTypes, 'urn:ietf:params:oauth:grant-type:jwt-bearer'] : grantTypes,
    ...(extended && { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] }),
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    ...(metadata.revocationEndpoint && { revocation_endpoint: `${url}/token` }),
    ...(metadata.codeChallengeMethods && { code_challenge_methods_supported: metadata.codeChallengeMethods }),
    ...(metadata.clientIdMetadataDocuments !== null && {
      client_id_metadata_document_supported: metadata.clientIdMetadataDocuments,
    }),
    ...(metadata.introspectionEndpoint && {
      introspection_endpoint: `${url}/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    }),
    ...(knobs.advertiseIss && { authorization_response_iss_parameter_supported: true }),
  }
}

/** RFC 9728. `resource` follows the path that was asked for, so the root document names the bare origin. */
export function protectedResourceMetadata({ url, knobs }: State, path: string): Record<string, unknown> {
  const suffix = path.slice(PROTECTED_RESOURCE_PATH.length)
  return {
    resource: knobs.metadata.resource ?? `${url}${suffix === '/' ? '' : suffix}`,
    authorization_servers: [url],
    scopes_supported: ['default'],
    bearer_methods_supported: ['header'],
    resource_name: 'Notion MCP (Beta)',
  }
}

/** Answers a `GET` below `/.well-known/`, slowly or at length when told so; `undefined` for what does not exist. */
export async function discover(state: State, path: string): Promise<Response | undefined> {
  const { knobs } = state
  const suffixed = path.startsWith(`${PROTECTED_RESOURCE_PATH}/`)
  const isProtectedResource = path === PROTECTED_RESOURCE_PATH || suffixed
  if (!isProtectedResource && path !== AUTHORIZATION_SERVER_PATH) return undefined
  state.seen.discoveries.push({ at: timestamp(state), path })
  if (knobs.metadata.delayMs > 0) await delay(knobs.metadata.delayMs)

  if (isProtectedResource && knobs.protectedResourceMetadata === (suffixed ? 'root' : 'suffixed')) return undefined
  const document = isProtectedResource ? protectedResourceMetadata(state, path) : authorizationServerMetadata(state)
  const padding = knobs.metadata.paddingBytes
  return jsonResponse(padding > 0 ? { ...document, x_padding: 'x'.repeat(padding) } : document)
}
