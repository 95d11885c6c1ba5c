import { SECOND } from '../clock.ts'
import { isApplied, reshaped, useUp } from '../response-options.ts'
import { type State, timestamp } from '../state.ts'
import type { AuthMethod } from './clients.ts'
import { jsonResponse, NO_STORE, OAuthError, oauthErrorResponse } from './oauth-error.ts'

const MAX_BYTES = 1024 * 1024
const DANGEROUS_SCHEMES = ['javascript:', 'data:', 'vbscript:', 'file:', 'mailto:', 'blob:']
// Everything that is echoed, if it was sent. RFC 7591 §3.2.1 wants all of the registered metadata back.
const TEXT_MEMBERS = ['client_name', 'logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'jwks_uri'] as const
const LIST_MEMBERS = ['contacts', 'grant_types', 'response_types'] as const

/** RFC 7591 dynamic client registration. */
export async function register(state: State, request: Request): Promise<Response> {
  const at = timestamp(state)
  let metadata: unknown
  try {
    if (!state.knobs.metadata.registrationEndpoint) {
      throw new OAuthError('not_implemented', 'Client registration is not enabled', 501)
    }
    metadata = await readMetadata(request)
    const answer = registered(state, metadata)
    const clientId = String(answer['client_id'])
    const options = state.knobs.registrationResponse ?? undefined
    if (!isApplied(options)) state.clients.forget(clientId)
    useUp(state.knobs, 'registrationResponse')
    const response = await reshaped(jsonResponse(answer, 201, NO_STORE), options)
    state.seen.registrations.push({ at, status: response.status, clientId, metadata })
    return response
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    state.seen.registrations.push({ at, status: error.status, ...(metadata !== undefined && { metadata }) })
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

function registered(state: State, metadata: unknown): Record<string, unknown> {
  const refuse = (description: string) => new OAuthError('invalid_client_metadata', description)
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw refuse('Invalid client metadata')
  const given = metadata as Record<string, unknown> // Checked in the line above; each member is checked below.

  const text = (name: string): string | undefined => {
    const value = given[name]
    if (value === undefined || typeof value === 'string') return value
    throw refuse('Field must be a string')
  }
  const list = (name: string): string[] | undefined => {
    const value = given[name]
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw refuse('Field must be an array')
    if (!value.every((item): item is string => typeof item === 'string')) {
      throw refuse('All array elements must be strings')
    }
    return value
  }

  const redirectUris = list('redirect_uris')
  if (!redirectUris?.length) throw refuse('At least one redirect URI is required')
  for (const uri of redirectUris) {
    if (!isSafeRedirectUri(uri)) {
      throw state.profile === 'wop-0.10'
        ? new OAuthError('invalid_redirect_uri', 'Invalid redirect URI')
        : refuse('Invalid redirect URI')
    }
  }

  const authMethod = authMethodOf(text('token_endpoint_auth_method') || 'client_secret_basic', refuse)
  const texts = TEXT_MEMBERS.map((name) => [name, text(name)] as const)
  const lists = LIST_MEMBERS.map((name) => [name, list(name)] as const)
  const name = text('client_name')
  const uri = text('client_uri')
  const { client, secret } = state.clients.register({
    authMethod,
    redirectUris,
    ...(name !== undefined && { name }),
    ...(uri !== undefined && { uri }),
  })
  const issuedAt = Math.floor(client.registeredAt / SECOND)
  return {
    client_id: client.id,
    redirect_uris: redirectUris,
    ...Object.fromEntries(texts.filter(([, value]) => value !== undefined)),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...Object.fromEntries(lists.filter(([, value]) => value !== undefined)),
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

function authMethodOf(asked: string, refuse: (description: string) => OAuthError): AuthMethod {
  switch (asked) {
    case 'none':
    case 'client_secret_basic':
    case 'client_secret_post':
      return asked
    default:
      throw refuse('Unsupported token_endpoint_auth_method')
  }
}

function isSafeRedirectUri(uri: string): boolean {
  const trimmed = uri.trim()
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(trimmed)) return false
  const scheme = /^[^:]*:/.exec(trimmed)?.[0].toLowerCase()
  return scheme !== undefined && !DANGEROUS_SCHEMES.includes(scheme)
}
