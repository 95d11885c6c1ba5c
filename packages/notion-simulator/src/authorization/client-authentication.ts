/** Token requests, and which client they come from (RFC 6749 §2.3, §3.2). */
import type { State } from '../state.ts'
import { hasSecret, type AuthMethod, type Client } from './clients.ts'
import { findClient } from './metadata-document.ts'
import { OAuthError } from './oauth-error.ts'

/** The parameters of a token request; only `resource` may be repeated. */
export type TokenForm = { get(name: string): string | undefined; resources: string[] }

/** Of these, empty ones count as absent. */
const CREDENTIALS = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type']

/**
 * Reads a token request.
 *
 * @throws {OAuthError} when it is not a form, or a parameter is repeated.
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

/** What a token request presents as the client's. */
type Presented = { method: AuthMethod | 'private_key_jwt'; id: string | undefined; secret: string | undefined }

/**
 * The client that asks, by HTTP Basic or in the form: in the one way for which it is registered.
 *
 * @throws {OAuthError} 401 `invalid_client`; 400 `invalid_request` for more than one way at once.
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

  const presented = isBasic ? inHeader(authorization, form) : inForm(form)
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

/** `undefined`: credentials that cannot be read. */
function inHeader(authorization: string, form: TokenForm): Presented | undefined {
  if (CREDENTIALS.some((name) => form.get(name) !== undefined)) throw severalMethods()
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

function inForm(form: TokenForm): Presented {
  const [id, secret, assertion, assertionType] = CREDENTIALS.map((name) => form.get(name))
  if (assertion === undefined && assertionType === undefined) {
    return { method: secret === undefined ? 'none' : 'client_secret_post', id, secret }
  }
  if (secret !== undefined) throw severalMethods()
  if (assertion === undefined || assertionType === undefined) {
    throw new OAuthError('invalid_request', 'client_assertion and client_assertion_type must be sent together')
  }
  return { method: 'private_key_jwt', id, secret }
}

function severalMethods(): OAuthError {
  return new OAuthError('invalid_request', 'Client must not use multiple authentication methods')
}
