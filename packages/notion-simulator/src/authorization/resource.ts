import { OAuthError } from './oauth-error.ts'

/** RFC 8707 §2: an absolute http(s) URI without a fragment. */
export function isResource(uri: string): boolean {
  if (!URL.canParse(uri) || uri.includes('#')) return false
  return ['http:', 'https:'].includes(new URL(uri).protocol)
}

/**
 * What a token will be good for: what the token request asks for, else what the authorization request asked for.
 *
 * @throws {OAuthError} `invalid_target` for a malformed resource, or one that the grant does not cover.
 */
export function audienceOf(granted: readonly string[], asked: readonly string[], strict: boolean): string[] {
  const outside = (uri: string) => (granted.length > 0 || strict) && !granted.includes(uri)
  if (asked.some(outside)) {
    throw new OAuthError('invalid_target', 'Requested resource was not included in the authorization request')
  }
  const audience = asked.length > 0 ? asked : granted
  if (!audience.every(isResource)) {
    throw new OAuthError('invalid_target', 'The resource parameter must be a valid absolute URI without a fragment')
  }
  return [...audience]
}

/** Whether a token for `audience` may be used at `endpoint`: same origin, and the path or one above it. */
export function coversEndpoint(audience: string, endpoint: string, originAlone: 'refused' | 'accepted'): boolean {
  if (!URL.canParse(audience)) return false
  const allowed = new URL(audience)
  const { origin, pathname } = new URL(endpoint)
  if (allowed.origin !== origin) return false
  if (allowed.pathname === '/') return originAlone === 'accepted'
  return pathname === allowed.pathname || pathname.startsWith(`${allowed.pathname}/`)
}
