import { cleanDisplayName } from '@nmg/contract'
import { z } from 'zod'
import { KNOWN_SCOPES } from './scopes.ts'

/** What every client may do here. */
export const GRANT_TYPES = ['authorization_code', 'refresh_token'] as const

/** Without what a database does not take, and nobody means. */
const PLAIN = /^\P{C}*$/u

/** What a client says of itself when it registers ([RFC 7591](https://www.rfc-editor.org/rfc/rfc7591)). All of it is untrusted, its name above all. */
const Metadata = z.object({
  client_name: z.string().optional(),
  redirect_uris: z.array(z.string().max(1000)).min(1).max(20),
  token_endpoint_auth_method: z
    .enum(['none', 'client_secret_post', 'client_secret_basic'])
    .default('client_secret_basic'),
  software_id: z.string().max(200).regex(PLAIN).optional(),
  software_version: z.string().max(100).regex(PLAIN).optional(),
})

export interface ClientRegistration {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly authMethod: z.infer<typeof Metadata>['token_endpoint_auth_method']
  readonly softwareId: string | undefined
  readonly softwareVersion: string | undefined
}

export interface RegistrationRefusal {
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata'
  readonly description: string
}

/** What is registered, or why nothing is. What is not understood is left out, as RFC 7591 §2 has it. */
export function clientRegistration(body: unknown): ClientRegistration | RegistrationRefusal {
  const { success, data, error } = Metadata.safeParse(body)
  if (!success) {
    const places = [...new Set(error.issues.map(({ path }) => String(path[0] ?? 'the body')))]
    return {
      error: places.includes('redirect_uris') ? 'invalid_redirect_uri' : 'invalid_client_metadata',
      description: `Not as expected: ${places.join(', ')}.`,
    }
  }
  for (const uri of data.redirect_uris) {
    const reason = whyNotRedirect(uri)
    if (reason) return { error: 'invalid_redirect_uri', description: reason }
  }
  return {
    name: clientName(data.client_name),
    redirectUris: [...new Set(data.redirect_uris)],
    authMethod: data.token_endpoint_auth_method,
    softwareId: data.software_id,
    softwareVersion: data.software_version,
  }
}

/** A client's columns, as its registration or its document says them; in the same words for both. */
export function clientFields({ name, redirectUris, authMethod, softwareId, softwareVersion }: ClientRegistration) {
  return {
    name,
    redirectUris,
    tokenEndpointAuthMethod: authMethod,
    applicationType: applicationType(redirectUris),
    softwareId,
    softwareVersion,
    grantTypes: GRANT_TYPES,
    responseTypes: ['code'],
    scopes: [...KNOWN_SCOPES],
    requirePKCE: true,
  }
}

const LONGEST_NAME = 80

/** A name as it may be shown: without what turns text around, hides in it or breaks the line. */
export function clientName(name: string | undefined): string {
  return cleanDisplayName(name, LONGEST_NAME) ?? 'An MCP client'
}

/** Schemes that run or read something in the browser or the system itself, or belong to no application. */
const FORBIDDEN_SCHEMES =
  /^(about|blob|chrome|chrome-extension|content|data|devtools|edge|feed|file|filesystem|ftp|intent|jar|livescript|mailto|moz-extension|ms-[^:]*|pcast|resource|search|search-ms|shell|sms|tel|vbscript|view-source|wss?|.*javascript):$/

/**
 * Why the browser is not sent there; undefined when it may be. Sites by https, programs on the person's machine by http on this machine's
 * own names, applications by a scheme of theirs ([RFC 8252 §7](https://www.rfc-editor.org/rfc/rfc8252#section-7)).
 */
export function whyNotRedirect(uri: string): string | undefined {
  if (/[^\x21-\x7e]|[\\*<>"]/.test(uri) || !URL.canParse(uri)) return 'A redirect URI is an absolute URI.'
  const { protocol, hostname, username, password } = new URL(uri)
  if (uri.includes('#') || username || password) return 'A redirect URI has no fragment, user or password.'
  const isLoopback = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
  // As it is written: what a URL parser makes of 127.1 or 0x7f000001 is not what other programs make of it.
  const isLoopbackAsWritten = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?([/?]|$)/.test(uri)
  if (protocol === 'https:' && !uri.startsWith('https://')) return 'A redirect URI is an absolute URI.'
  if (protocol === 'https:') return isLoopback ? 'On this machine a redirect URI begins with http.' : undefined
  if (protocol === 'http:') {
    return isLoopbackAsWritten ? undefined : 'By http a redirect URI leads to localhost, 127.0.0.1 or [::1].'
  }
  return FORBIDDEN_SCHEMES.test(protocol) ? 'This scheme belongs to no application.' : undefined
}

export const isLoopbackRedirect = (uri: string): boolean => uri.startsWith('http:')
export const applicationType = (redirectUris: readonly string[]): 'web' | 'native' =>
  redirectUris.every((uri) => uri.startsWith('https:')) ? 'web' : 'native'

/** Where a redirect leads, for people to read. */
export function redirectTarget(uri: string): { kind: 'site' | 'machine' | 'application'; name: string } {
  const { protocol, host } = new URL(uri)
  if (protocol === 'https:') return { kind: 'site', name: host }
  return isLoopbackRedirect(uri) ? { kind: 'machine', name: host } : { kind: 'application', name: protocol }
}

/** Whether a request's redirect is one that was registered: letter by letter, but for the port on this machine (RFC 8252 §7.3). */
export function isRegisteredRedirect(registered: readonly string[], uri: string): boolean {
  const plain = (text: string) =>
    isLoopbackRedirect(text) ? text.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d+/, '$1') : text
  return registered.some((one) => one === uri || (isLoopbackRedirect(one) && plain(one) === plain(uri)))
}
