import { mcpUrl, type State } from '../state.ts'
import { OAuthError } from './oauth-error.ts'

/** RFC 8707 §2: an absolute http(s) URI without a fragment. */
export function isResource(uri: string): boolean {
  if (!URL.canParse(uri) || uri.includes('#')) return false
  return ['http:', 'https:'].includes(new URL(uri).protocol)
}

/**
 * The resources of a request: none, or the MCP endpoint in any spelling.
 *
 * @returns undefined for other resources, unless the option `foreignResources` accepts them.
 */
export function requestedResources(state: State, asked: readonly string[]): string[] | undefined {
  if (state.options.foreignResources === 'accepted') return asked.every(isResource) ? [...asked] : undefined
  const [resource, ...others] = new Set(asked)
  if (resource === undefined) return []
  return others.length === 0 && isResource(resource) && isEndpoint(new URL(resource), state)
    ? [mcpUrl(state)]
    : undefined
}

/** Compares origin and path, and ignores the query, as upstream. */
function isEndpoint({ origin, pathname, username, password }: URL, state: State): boolean {
  const endpoint = new URL(mcpUrl(state))
  return origin === endpoint.origin && pathname === endpoint.pathname && !username && !password
}

/**
 * The audience of a token: the resources of the token request, or else those of the authorization request.
 *
 * @throws {OAuthError} `invalid_target` for a resource that the grant does not cover.
 */
export function audienceOf(granted: readonly string[], asked: readonly string[], strict: boolean): string[] {
  const outside = (uri: string) => (granted.length > 0 || strict) && !granted.includes(uri)
  if (asked.some(outside)) {
    throw new OAuthError('invalid_target', 'Requested resource was not included in the authorization request')
  }
  return asked.length > 0 ? [...asked] : [...granted]
}

/** True if a token for `audience` is valid at `endpoint`: same origin, and the same or a parent path. */
export function coversEndpoint(audience: string, endpoint: string, originAlone: 'refused' | 'accepted'): boolean {
  if (!URL.canParse(audience)) return false
  const allowed = new URL(audience)
  const { origin, pathname } = new URL(endpoint)
  if (allowed.origin !== origin) return false
  if (allowed.pathname === '/') return originAlone === 'accepted'
  return pathname === allowed.pathname || pathname.startsWith(`${allowed.pathname}/`)
}
