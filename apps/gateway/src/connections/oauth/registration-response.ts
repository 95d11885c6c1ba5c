/**
 * Reads responses of a client registration endpoint ([RFC 7591 §3.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2)). Pure.
 */
import type { ClientRegistration } from '../credential.ts'
import { Secret } from '../../platform/secret.ts'
import { errorCodeOf, headerText, jsonMembers, type OAuthResponse } from './response-members.ts'

export type RegistrationResponse =
  | { readonly kind: 'granted'; readonly client: ClientRegistration }
  /** The server registered the gateway with an authentication method that it cannot use, such as `private_key_jwt`. */
  | { readonly kind: 'unusable_method' }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'unreadable' }

export type AuthMethod = ClientRegistration['authMethod']

const METHODS: readonly AuthMethod[] = ['none', 'client_secret_basic', 'client_secret_post']

const isMethod = (value: unknown): value is AuthMethod => METHODS.includes(value as AuthMethod)

/**
 * The method to register with: `preferred`, or the first of ours that the server supports
 * ([RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)). `preferred` if it supports none of them.
 */
export function methodToRequest(preferred: AuthMethod, supported: readonly string[] | null): AuthMethod {
  if (supported === null || supported.includes(preferred)) return preferred
  return METHODS.find((method) => supported.includes(method)) ?? preferred
}

/**
 * @param requested the method of the registration request.
 * @param supported the methods that the server lists; null when it lists none.
 */
export function readRegistrationResponse(
  { status, body }: OAuthResponse,
  requested: AuthMethod,
  supported: readonly string[] | null,
): RegistrationResponse {
  const members = jsonMembers(body)
  if (status >= 200 && status < 300) {
    const clientId = headerText(members?.['client_id'])
    if (!members || clientId === undefined) return { kind: 'unreadable' }
    const secret = headerText(members['client_secret'])
    const method = methodOf(members['token_endpoint_auth_method'], secret !== undefined, requested, supported)
    if (!method) return { kind: 'unusable_method' }
    return {
      kind: 'granted',
      client: {
        clientId,
        clientSecret: secret === undefined ? null : new Secret(secret),
        authMethod: secret === undefined ? 'none' : method,
      },
    }
  }
  if (status >= 400 && status < 500 && members) return { kind: 'refused', error: errorCodeOf(members, status) }
  return { kind: 'unreadable' }
}

/** If the server omits the method: the requested one, or with a secret RFC 7591's default, `client_secret_basic`. */
function methodOf(
  registered: unknown,
  hasSecret: boolean,
  requested: AuthMethod,
  supported: readonly string[] | null,
): AuthMethod | undefined {
  if (isMethod(registered)) return registered
  if (typeof registered === 'string' && registered !== '') return undefined
  if (!hasSecret) return 'none'
  if (requested !== 'none') return requested
  const takesPostOnly = supported?.includes('client_secret_post') && !supported.includes('client_secret_basic')
  return takesPostOnly ? 'client_secret_post' : 'client_secret_basic'
}
