import { SECOND } from '../clock.ts'
import { isApplied, applyResponseOptions, useUp } from '../response-options.ts'
import { type State, timestamp } from '../state.ts'
import { type ClientMetadata, readClientMetadata, UnusableMetadata, UnusableRedirectUri } from './client-metadata.ts'
import { jsonResponse, NO_STORE, OAuthError, oauthErrorResponse } from './oauth-error.ts'

const MAX_BYTES = 1024 * 1024

/** RFC 7591 dynamic client registration. */
export async function register(state: State, request: Request): Promise<Response> {
  const at = timestamp(state)
  let metadata: unknown
  try {
    if (!state.options.metadata.registrationEndpoint) {
      throw new OAuthError('not_implemented', 'Client registration is not enabled', 501)
    }
    metadata = await readMetadata(request)
    const registration = createClient(state, metadata)
    const clientId = String(registration['client_id'])
    const options = state.options.registrationResponse ?? undefined
    if (!isApplied(options)) state.clients.forget(clientId)
    useUp(state.options, 'registrationResponse')
    const response = await applyResponseOptions(jsonResponse(registration, 201, NO_STORE), options)
    state.recorded.registrations.push({ at, status: response.status, clientId, metadata })
    return response
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    state.recorded.registrations.push({ at, status: error.status, ...(metadata !== undefined && { metadata }) })
    return oauthErrorResponse(error)
  }
}

async function readMetadata(request: Request): Promise<unknown> {
  if (request.method !== 'POST') throw new OAuthError('invalid_request', 'Method not allowed', 405)
  const tooLarge = new OAuthError('invalid_request', 'Request payload too large, must be under 1 MiB', 413)
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BYTES) throw tooLarge
  const text = await request.text()
  if (text.length > MAX_BYTES) throw tooLarge
  try {
    return JSON.parse(text)
  } catch {
    throw new OAuthError('invalid_request', 'Invalid JSON payload')
  }
}

function createClient(state: State, given: unknown): Record<string, unknown> {
  const metadata = checkedMetadata(state, given)
  const { redirectUris, authMethod, isAuthMethodNamed, grantTypes, responseTypes, echoed } = metadata
  const { client_name: name, client_uri: uri } = echoed
  const { client, secret } = state.clients.register({
    authMethod,
    isAuthMethodNamed,
    redirectUris,
    grantTypes,
    responseTypes,
    ...(typeof name === 'string' && { name }),
    ...(typeof uri === 'string' && { uri }),
  })
  const issuedAt = Math.floor(client.registeredAt / SECOND)
  return {
    client_id: client.id,
    redirect_uris: redirectUris,
    ...echoed,
    grant_types: grantTypes,
    response_types: responseTypes,
    token_endpoint_auth_method: authMethod,
    // Seen at Notion in July 2026; upstream dropped it in 0.9.1 and never served anything there.
    ...(state.profile !== 'wop-0.10' && { registration_client_uri: `/register/${client.id}` }),
    client_id_issued_at: issuedAt,
    ...(secret !== undefined && {
      client_secret: secret,
      client_secret_expires_at: client.expiresAt === undefined ? 0 : Math.floor(client.expiresAt / SECOND),
      client_secret_issued_at: issuedAt,
    }),
  }
}

function checkedMetadata({ profile }: State, given: unknown): ClientMetadata {
  try {
    return readClientMetadata(given)
  } catch (error) {
    if (!(error instanceof UnusableMetadata)) throw error
    const isAboutRedirect = error instanceof UnusableRedirectUri && profile === 'wop-0.10'
    throw new OAuthError(isAboutRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', error.message)
  }
}
