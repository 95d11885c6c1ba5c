/** Validates client metadata (RFC 7591 §2) by the rules of upstream. */
import { isLoopback, type AuthMethod } from './clients.ts'
import { JWT_BEARER } from './metadata.ts'

const AUTH_METHODS: readonly AuthMethod[] = ['client_secret_basic', 'client_secret_post', 'none']
const GRANT_TYPES = ['authorization_code', 'refresh_token', JWT_BEARER]
const DANGEROUS_SCHEMES = ['javascript:', 'data:', 'vbscript:', 'file:', 'mailto:', 'blob:']
// Members that are echoed if they were sent. RFC 7591 §3.2.1 requires all registered metadata in the response.
const URI_MEMBERS = ['logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'jwks_uri']
const TEXT_MEMBERS = ['client_name', ...URI_MEMBERS]

/** Metadata that cannot be registered. */
export class UnusableMetadata extends Error {}
/** A redirect URI that cannot be registered. */
export class UnusableRedirectUri extends UnusableMetadata {}

export type ClientMetadata = {
  redirectUris: string[]
  authMethod: AuthMethod
  /** Whether the client named its method. Otherwise it may send its secret with both methods. */
  isAuthMethodNamed: boolean
  grantTypes: string[]
  responseTypes: string[]
  /** The other members, which are echoed unchanged in the response. */
  echoed: Record<string, unknown>
}

/**
 * Reads a registration request.
 *
 * @throws {UnusableMetadata} with the reason.
 */
export function readClientMetadata(given: unknown): ClientMetadata {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UnusableMetadata('Client metadata must be a JSON object')
  }
  const members = given as Record<string, unknown> // Checked in the line above; each member is checked below.
  for (const name of Object.keys(members)) checkText(members, name)
  const echoed = [...TEXT_MEMBERS, 'contacts'].filter((name) => members[name] !== undefined)
  listOf(members, 'contacts')
  textOf(members, 'client_id')
  choiceOf(members, 'token_endpoint_auth_signing_alg', 'token_endpoint_auth_signing_alg_values_supported')
  return {
    ...grantsOf(members),
    ...authMethodOf(members),
    redirectUris: redirectUrisOf(members),
    echoed: Object.fromEntries(echoed.map((name) => [name, members[name]])),
  }
}

/** True if codes may be sent to this URI: https, or http on a loopback host. */
export function isRedirectable(uri: string): boolean {
  if (!isListable(uri)) return false
  const url = new URL(uri.trim())
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

/** True if the redirect URI may be registered, even if no codes are sent to it. */
function isListable(uri: string): boolean {
  const trimmed = uri.trim()
  // eslint-disable-next-line no-control-regex -- it searches for control characters
  if (/[\u0000-\u001f\u007f-\u009f#]/.test(trimmed) || !URL.canParse(trimmed)) return false
  const { protocol, username, password } = new URL(trimmed)
  return !DANGEROUS_SCHEMES.includes(protocol) && !username && !password
}

function redirectUrisOf(members: Record<string, unknown>): string[] {
  const redirectUris = listOf(members, 'redirect_uris')
  if (!redirectUris?.length) throw new UnusableMetadata('At least one redirect URI is required')
  if (!redirectUris.every(isListable)) throw new UnusableRedirectUri('Invalid redirect URI')
  if (redirectUris.some(isRedirectable)) return redirectUris
  throw new UnusableRedirectUri('Redirect URI must use https, or http on a loopback host')
}

function grantsOf(members: Record<string, unknown>): Pick<ClientMetadata, 'grantTypes' | 'responseTypes'> {
  const grantTypes = listOf(members, 'grant_types') ?? ['authorization_code', 'refresh_token']
  const responseTypes = listOf(members, 'response_types') ?? ['code']
  const unknownGrant = grantTypes.find((type) => !GRANT_TYPES.includes(type))
  if (unknownGrant !== undefined) throw new UnusableMetadata(`Unsupported grant_type: ${unknownGrant}`)
  const unknownResponse = responseTypes.find((type) => type !== 'code')
  if (unknownResponse !== undefined) throw new UnusableMetadata(`Unsupported response_type: ${unknownResponse}`)
  if (grantTypes.includes('authorization_code') !== responseTypes.includes('code')) {
    const description = 'grant_types authorization_code and response_types code must be registered together'
    throw new UnusableMetadata(description)
  }
  return { grantTypes, responseTypes }
}

/** The method that the client prefers, or the first supported one of its list. */
function authMethodOf(members: Record<string, unknown>): Pick<ClientMetadata, 'authMethod' | 'isAuthMethodNamed'> {
  const { preferred, listed } = choiceOf(members, 'token_endpoint_auth_method', 'token_endpoint_auth_methods_supported')
  const offered = listed ?? [preferred ?? 'client_secret_basic']
  const authMethod =
    AUTH_METHODS.find((method) => method === preferred) ?? AUTH_METHODS.find((method) => offered.includes(method))
  if (!authMethod) throw new UnusableMetadata('Unsupported token_endpoint_auth_method')
  return { authMethod, isAuthMethodNamed: preferred !== undefined || listed !== undefined }
}

/** A preferred value and a list of supported values. Both are optional, and must be consistent. */
function choiceOf(members: Record<string, unknown>, name: string, listName: string) {
  const preferred = textOf(members, name)
  const listed = listOf(members, listName)
  if (preferred !== undefined && listed && !listed.includes(preferred)) {
    throw new UnusableMetadata(`${name} must be included in ${listName}`)
  }
  return { preferred, listed }
}

/** Checks a text or URL member, also with a language tag as in `client_name#de` (RFC 7591 §2.2). */
function checkText(members: Record<string, unknown>, name: string): void {
  const [base = '', language] = name.split('#')
  if (!TEXT_MEMBERS.includes(base) || language === '') return
  const value = textOf(members, name)
  if (value === undefined || !URI_MEMBERS.includes(base)) return
  const isAddress = URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol)
  if (!isAddress) throw new UnusableMetadata(`Invalid ${name}: must be an absolute http: or https: URL`)
}

function textOf(members: Record<string, unknown>, name: string): string | undefined {
  const value = members[name]
  if (value === undefined || typeof value === 'string') return value
  throw new UnusableMetadata('Field must be a string')
}

function listOf(members: Record<string, unknown>, name: string): string[] | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw new UnusableMetadata('Field must be an array')
  if (value.every((item): item is string => typeof item === 'string')) return value
  throw new UnusableMetadata('All array elements must be strings')
}
