/**
 * Reads responses of a token endpoint ([RFC 6749 §5](https://www.rfc-editor.org/rfc/rfc6749#section-5)). Pure.
 *
 * When a response arrives, a single-use secret has been spent. So every usable token in a 2xx response counts, whatever else is wrong with
 * it: a member that is missing, null, or of an unexpected type or value must not lose the grant.
 */
import { joinScopes } from './scope.ts'
import type { Tokens } from '../authorization-server.ts'
import { Secret } from '../../platform/secret.ts'
import {
  errorCodeOf,
  formMembers,
  headerText,
  jsonMembers,
  type Members,
  type OAuthResponse,
} from './response-members.ts'

export type TokenResponse =
  | { readonly kind: 'granted'; readonly tokens: Tokens }
  /** A 4xx with a JSON object. */
  | {
      readonly kind: 'refused'
      /** The server's error code, or `http_<status>`. */
      readonly error: string
      /** The server's description mentions an expired token. */
      readonly isTokenExpired: boolean
    }
  /** Another status, a web page, broken JSON or no usable token. The token may have been redeemed. */
  | { readonly kind: 'unreadable' }

/** Classifies a token response. Redirects are not followed, so 3xx is `unreadable`. */
export function readTokenResponse({ status, body }: OAuthResponse): TokenResponse {
  if (status >= 200 && status < 300) {
    const tokens = tokensIn(jsonMembers(body) ?? formMembers(body))
    return tokens ? { kind: 'granted', tokens } : { kind: 'unreadable' }
  }
  const members = status >= 400 && status < 500 ? jsonMembers(body) : null
  if (!members) return { kind: 'unreadable' }
  return { kind: 'refused', error: errorCodeOf(members, status), isTokenExpired: isTokenExpired(members) }
}

function tokensIn(members: Members): Tokens | undefined {
  const access = hasOtherScheme(members['token_type']) ? undefined : headerText(members['access_token'])
  const refresh = headerText(members['refresh_token'])
  if (access === undefined && refresh === undefined) return undefined
  const text = (name: string) => {
    const value = members[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  return {
    accessToken: access === undefined ? null : new Secret(access),
    refreshToken: refresh === undefined ? null : new Secret(refresh),
    expiresInSeconds: lifetimeOf(members['expires_in']),
    scope: scopeIn(members['scope']),
    workspace: { id: text('workspace_id'), name: text('workspace_name'), botId: text('bot_id') },
  }
}

/**
 * Token types and authentication schemes that are known to differ from `Bearer`
 * ([IANA](https://www.iana.org/assignments/oauth-parameters/oauth-parameters.xhtml#token-types)). Some servers send non-standard types for
 * bearer tokens, so unknown types are accepted.
 */
const OTHER_SCHEMES = new Set(['n_a', 'pop', 'dpop', 'mac', 'basic', 'digest', 'hawk', 'hoba', 'mutual', 'negotiate'])

const hasOtherScheme = (tokenType: unknown): boolean =>
  typeof tokenType === 'string' && OTHER_SCHEMES.has(tokenType.trim().toLowerCase())

/** Ten years. Servers with unlimited tokens send numbers beyond the range of dates. */
const MAX_LIFETIME_SECONDS = 315_360_000

/** Seconds; null if the lifetime is missing or invalid, so that a 401 shows that the token has expired. */
function lifetimeOf(value: unknown): number | null {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
  const seconds = isNumeric ? Number(value) : Number.NaN
  return seconds > 0 ? Math.min(seconds, MAX_LIFETIME_SECONDS) : null
}

function scopeIn(value: unknown): string | null {
  if (Array.isArray(value)) return joinScopes(value.filter((name) => typeof name === 'string'))
  return typeof value === 'string' ? joinScopes(value.split(/[\s,]+/)) : null
}

function isTokenExpired(members: Members): boolean {
  const description = members['error_description'] ?? members['message']
  return typeof description === 'string' && /\bexpired?\b/i.test(description)
}
