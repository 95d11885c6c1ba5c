/**
 * Reads responses of a token endpoint ([RFC 6749 §5](https://www.rfc-editor.org/rfc/rfc6749#section-5)). Pure.
 *
 * By the time a response arrives, a single-use secret has been spent. So every usable token in a 2xx response counts, whatever else is wrong with the
 * response: a member that is missing, null, or of an unexpected type or value never costs the grant.
 */
import { scopeOf } from './scope.ts'
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
  /** A 4xx with a JSON object: the server says no. */
  | {
      readonly kind: 'refused'
      /** The server's code, or `http_<status>`. */
      readonly error: string
      /** The server says that the token has expired, not that it was revoked. */
      readonly saysExpired: boolean
    }
  /** Neither: another status, a web page, broken JSON, no usable token. Whether a token was redeemed is unknown. */
  | { readonly kind: 'unreadable' }

/** The response as one of the three kinds. Redirects are not followed, so 3xx is `unreadable`. */
export function readTokenResponse({ status, body }: OAuthResponse): TokenResponse {
  if (status >= 200 && status < 300) {
    const tokens = tokensIn(jsonMembers(body) ?? formMembers(body))
    return tokens ? { kind: 'granted', tokens } : { kind: 'unreadable' }
  }
  const members = status >= 400 && status < 500 ? jsonMembers(body) : null
  if (!members) return { kind: 'unreadable' }
  return { kind: 'refused', error: errorCodeOf(members, status), saysExpired: saysExpired(members) }
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
 * Token types and authentication schemes that are certainly not `Bearer`
 * ([IANA](https://www.iana.org/assignments/oauth-parameters/oauth-parameters.xhtml#token-types)). Servers also send words of their own and mean
 * `Bearer`, so an unknown word does not count.
 */
const OTHER_SCHEMES = new Set(['n_a', 'pop', 'dpop', 'mac', 'basic', 'digest', 'hawk', 'hoba', 'mutual', 'negotiate'])

const hasOtherScheme = (tokenType: unknown): boolean =>
  typeof tokenType === 'string' && OTHER_SCHEMES.has(tokenType.trim().toLowerCase())

/** Ten years. Servers that mean "never" send numbers for which there is no date. */
const LONGEST_LIFE_SECONDS = 315_360_000

/** Seconds; null, as when it is missing, for a lifetime that makes no sense: a 401 then tells that the token has ended. */
function lifetimeOf(value: unknown): number | null {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
  const seconds = isNumeric ? Number(value) : Number.NaN
  return seconds > 0 ? Math.min(seconds, LONGEST_LIFE_SECONDS) : null
}

function scopeIn(value: unknown): string | null {
  if (Array.isArray(value)) return scopeOf(value.filter((name) => typeof name === 'string'))
  return typeof value === 'string' ? scopeOf(value.split(/[\s,]+/)) : null
}

function saysExpired(members: Members): boolean {
  const description = members['error_description'] ?? members['message']
  return typeof description === 'string' && /\bexpired?\b/i.test(description)
}
