/** Token requests and their client authentication (RFC 6749 §2.3, §3.2). */
import type { State } from '../state.ts'
import { hasSecret, type AuthMethod, type Client } from './clients.ts'
import { findClient } from './metadata-document.ts'
import { OAuthError } from './oauth-error.ts'

/** The parameters of a token request; only `resource` may be repeated. */
export type TokenForm = { get(name: string): string | undefined; resources: string[] }

/** Empty values of these parameters count as absent. */
const CREDENTIALS = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type']

/**
 * Reads a token request.
 *
 * @throws {OAuthError} for requests that are not forms, and for repeated parameters.
 */
export async function readTokenForm(request: Request): Promise<TokenForm> {
  if (request.method !== 'POST') {
    throw new OAuthError('invalid_request', 'Method not allowed', 405, { allow: 'POST, OPTIONS' })
  }
  const [mediaType = ''] = (request.headers.get('content-type') ?? '').split(';')
  if (mediaType.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new OAuthError('invalid_request', 'Content-Type must be application/x-www-form-urlencoded')
  }
  const parameters = new URLSearchParams(await request.text())
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name).filter((value) => value !== '' || !CREDENTIALS.includes(name))
    if (name !== 'resource' && values.length > 1) {
      throw new OAuthError('invalid_request', `Parameter ${name} must not be repeated`)
    }
  }
  return {
    get: (name) => parameters.getAll(name).find((value) => value !== ''),
    resources: parameters.getAll('resource'),
  }
}

/** The client credentials of a token request. */
type Credentials = { method: AuthMethod | 'private_key_jwt'; id: string | undefined; secret: string | undefined }

/**
 * Authenticates the client, with HTTP Basic or in the form, by the method that it is registered for.
 *
 * @throws {OAuthError} 401 `invalid_client`; 400 `invalid_request` for more than one method.
 */
export async function authenticateClient(
  state: State,
  request: Request,
  form: TokenForm,
): Promise<{ client: Client; method: AuthMethod }> {
  const authorization = request.headers.get('authorization') ?? ''
  const isBasic = /^basic(?:[ \t]|$)/i.test(authorization)
  const refuse = (description: string) =>
    new OAuthError(
      'invalid_client',
      description,
      401,
      isBasic && state.profile === 'wop-0.10' ? { 'www-authenticate': 'Basic realm="OAuth"' } : {},
    )

  const presented = isBasic ? fromHeader(authorization, form) : fromForm(form)
  if (!presented) throw refuse('Client authentication failed: invalid Basic credentials')
  const { method, id, secret } = presented
  if (!id) throw refuse('Client ID is required')
  const client = await findClient(state, id)
  if (!client) throw refuse('Client not found')
  if (method === 'none' && client.authMethod !== 'none')
    throw refuse('Client authentication failed: missing client_secret')
  if (method === 'private_key_jwt' || !isAllowed(client, method)) throw refuse('Client authentication failed')
  if (method === 'none') return { client, method }
  if (!secret) throw refuse('Client authentication failed: missing client_secret')
  if (!hasSecret(client, secret)) throw refuse('Client authentication failed: invalid client_secret')
  return { client, method }
}

function isAllowed(client: Client, method: AuthMethod): boolean {
  if (method === client.authMethod) return true
  return !client.isAuthMethodNamed && method !== 'none' && client.authMethod !== 'none'
}

/** Undefined for malformed credentials. */
function fromHeader(authorization: string, form: TokenForm): Credentials | undefined {
  if (CREDENTIALS.some((name) => form.get(name) !== undefined)) throw multipleMethods()
  const encoded = authorization.slice('basic'.length).trim()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  const [, id = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? []
  const decoded = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
  try {
    return { method: 'client_secret_basic', id: decoded(id), secret: decoded(secret) }
  } catch {
    return undefined
  }
}

function fromForm(form: TokenForm): Credentials {
  const [id, secret, assertion, assertionType] = CREDENTIALS.map((name) => form.get(name))
  if (assertion === undefined && assertionType === undefined) {
    return { method: secret === undefined ? 'none' : 'client_secret_post', id, secret }
  }
  if (secret !== undefined) throw multipleMethods()
  if (assertion === undefined || assertionType === undefined) {
    throw new OAuthError('invalid_request', 'client_assertion and client_assertion_type must be sent together')
  }
  return { method: 'private_key_jwt', id, secret }
}

function multipleMethods(): OAuthError {
  return new OAuthError('invalid_request', 'Client must not use multiple authentication methods')
}
