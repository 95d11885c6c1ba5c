import { cleanDisplayName } from '@nmg/contract'
import { z } from 'zod'
import { whyNotRedirect } from './redirect-uris.ts'
import { KNOWN_SCOPES } from './scopes.ts'

/** What every client may do here. */
export const GRANT_TYPES = ['authorization_code', 'refresh_token'] as const

/** How clients authenticate at the token endpoint. The default is that of RFC 7591 §2. */
export const AUTH_METHODS = ['none', 'client_secret_post', 'client_secret_basic'] as const

const MOST_REDIRECTS = 100
const LONGEST_REDIRECT = 1000

/** A member that is not as expected counts as absent: RFC 7591 §2 has servers ignore what they do not understand. */
const optional = <T>(type: z.ZodType<T>) => type.optional().catch(undefined)

/** Text without characters that a database does not take, and nobody means. */
export const PLAIN = /^\P{C}*$/u
const plainText = (longest: number) => optional(z.string().min(1).max(longest).regex(PLAIN))

/** What a client says of itself when it registers ([RFC 7591](https://www.rfc-editor.org/rfc/rfc7591)). All of it is untrusted, its name above all. */
const Metadata = z.object({
  client_name: optional(z.string()),
  redirect_uris: z.array(z.unknown()),
  token_endpoint_auth_method: z.enum(AUTH_METHODS).catch('client_secret_basic'),
  software_id: plainText(200),
  software_version: plainText(100),
})

export interface ClientRegistration {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly authMethod: (typeof AUTH_METHODS)[number]
  readonly softwareId: string | undefined
  readonly softwareVersion: string | undefined
}

export interface RegistrationRefusal {
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata'
  readonly description: string
}

/** What is registered of what a client asked for: all that is usable. Refused only when no redirect URI is left, or the body is no object. */
export function clientRegistration(body: unknown): ClientRegistration | RegistrationRefusal {
  const { success, data, error } = Metadata.safeParse(body)
  if (!success) {
    const isAboutRedirects = error.issues.some(({ path }) => path[0] === 'redirect_uris')
    return isAboutRedirects
      ? { error: 'invalid_redirect_uri', description: 'redirect_uris must be an array of absolute URIs.' }
      : { error: 'invalid_client_metadata', description: 'The body must be a JSON object with redirect_uris.' }
  }
  const asked = data.redirect_uris.filter((uri) => typeof uri === 'string')
  const usable = usableTogether([...new Set(asked)].filter((uri) => whyNotRegistered(uri) === undefined))
  if (usable.length === 0) {
    const reason = whyNotRegistered(asked[0] ?? '') ?? 'redirect_uris must contain at least one URI.'
    return { error: 'invalid_redirect_uri', description: reason }
  }
  return {
    name: clientName(data.client_name),
    redirectUris: usable,
    authMethod: data.token_endpoint_auth_method,
    softwareId: data.software_id,
    softwareVersion: data.software_version,
  }
}

/** An application that has a scheme of its own has no site on the user's machine; the library refuses clients with both. */
function usableTogether(uris: readonly string[]): string[] {
  const hasScheme = uris.some((uri) => !/^https?:/.test(uri))
  const isLocalSite = (uri: string) => /^https:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/?]/.test(`${uri}/`)
  return uris.filter((uri) => !(hasScheme && isLocalSite(uri))).slice(0, MOST_REDIRECTS)
}

const whyNotRegistered = (uri: string): string | undefined =>
  uri.length > LONGEST_REDIRECT
    ? `A redirect URI can have at most ${LONGEST_REDIRECT} characters.`
    : whyNotRedirect(uri)

export interface RegisteredClient {
  readonly clientId: string
  /** Undefined for a public client. */
  readonly secret: string | undefined
  readonly issuedAt: Date
}

/** The response to a registration: what was registered, whatever was asked for (RFC 7591 §3.2.1). */
export function registrationResponse(registered: ClientRegistration, { clientId, secret, issuedAt }: RegisteredClient) {
  const { name, redirectUris, authMethod, softwareId, softwareVersion } = registered
  return {
    client_id: clientId,
    client_id_issued_at: Math.floor(issuedAt.getTime() / 1000),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    client_name: name,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: authMethod,
    grant_types: GRANT_TYPES,
    response_types: ['code'],
    application_type: applicationType(redirectUris),
    scope: KNOWN_SCOPES.join(' '),
    ...(softwareId !== undefined && { software_id: softwareId }),
    ...(softwareVersion !== undefined && { software_version: softwareVersion }),
  }
}

const LONGEST_NAME = 80

/** A name as it may be shown: without what turns text around, hides in it or breaks the line. */
export function clientName(name: string | undefined): string {
  return cleanDisplayName(name, LONGEST_NAME) ?? 'An MCP client'
}

const applicationType = (redirectUris: readonly string[]): 'web' | 'native' =>
  redirectUris.every((uri) => uri.startsWith('https:')) ? 'web' : 'native'
