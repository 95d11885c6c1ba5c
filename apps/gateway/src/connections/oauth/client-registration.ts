import { ForbiddenUrl, isLoopback, ProxyFailed, type GuardedFetch } from '@nmg/outbound'
import * as oauth from 'oauth4webapi'
import { methodToRequest, readRegistrationResponse, type AuthMethod } from './registration-response.ts'
import { Failure } from '../../platform/failure.ts'
import type { AuthorizationServerInfo } from './discovery.ts'
import type { ClientRegistration } from '../credential.ts'
import { forbidden, originOf, proxyFailure } from './discovery.ts'

export interface RegistrationSettings {
  readonly redirectUri: string
  readonly clientName: string
  /** The method of the settings; undefined to choose one that the server supports, preferably `none`. */
  readonly authMethod: AuthMethod | undefined
}

/**
 * Registers the gateway as a client ([RFC 7591 §3](https://www.rfc-editor.org/rfc/rfc7591#section-3)).
 *
 * @throws {Failure} `authorization_refused` when the server refuses or returns an unusable client; `authorization_unavailable`.
 */
export async function registerClient(
  server: AuthorizationServerInfo & { readonly registrationEndpoint: string },
  { redirectUri, clientName, authMethod }: RegistrationSettings,
  fetch: GuardedFetch,
): Promise<ClientRegistration> {
  const supported = server.tokenEndpointAuthMethods
  const requested = authMethod ?? methodToRequest('none', supported)
  const metadata = {
    client_name: clientName,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: requested,
    application_type: isLoopback(new URL(redirectUri)) ? 'native' : 'web',
  }
  const origin = originOf(server.issuer)
  let response: Response
  try {
    response = await oauth.dynamicClientRegistrationRequest(
      { issuer: server.issuer, registration_endpoint: server.registrationEndpoint },
      metadata,
      { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true },
    )
  } catch (cause) {
    if (cause instanceof ForbiddenUrl) throw forbidden(cause)
    throw cause instanceof ProxyFailed ? proxyFailure(cause) : unavailable(origin, cause)
  }
  const read = readRegistrationResponse({ status: response.status, body: await response.text() }, requested, supported)
  switch (read.kind) {
    case 'granted':
      return read.client
    case 'refused':
      if (response.status === 429) throw unavailable(origin)
      throw new Failure(
        'authorization_refused',
        `${origin} refused to register the gateway as a client (${read.error}). Check NOTION_MCP_OAUTH_REDIRECT_URI.`,
      )
    case 'unusable_method':
      throw new Failure(
        'authorization_refused',
        `${origin} registered the gateway with an authentication method that it cannot use. Set NOTION_MCP_CLIENT_ID and NOTION_MCP_CLIENT_SECRET.`,
      )
    case 'unreadable':
      throw unavailable(origin)
  }
}

const unavailable = (origin: string, cause?: unknown) =>
  new Failure('authorization_unavailable', `${origin} does not register clients right now. Try again in a minute.`, {
    cause,
    retryAfterSeconds: 30,
  })
