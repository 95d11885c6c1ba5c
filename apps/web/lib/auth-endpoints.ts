import type { LimitedAction, LimitedBy } from './limits.ts'

export interface AuthEndpoint {
  readonly limit?: LimitedAction
  /** Whom the `email` in the body is, where it is limited by that. */
  readonly email?: Extract<LimitedBy, 'account' | 'recipient'>
  /** Limited per signed-in user. */
  readonly isOfUser?: boolean
  /** An OAuth endpoint that pages of other origins call: it refuses as RFC 6749 §5.2 has it. */
  readonly isOpen?: boolean
  /** Where the browser itself goes: when there is too much of that, it is sent to this page. */
  readonly tooManyPage?: string
}

/**
 * All there is below `/api/auth`: better-auth has many more endpoints, and a new release of it may bring others. Answers to everything else are
 * 404. `*` is one segment.
 */
const ENDPOINTS: Record<string, AuthEndpoint> = {
  'GET /get-session': {},
  'POST /sign-out': {},
  'POST /sign-up/email': { limit: 'signUp' },
  'POST /sign-in/email': { limit: 'signIn', email: 'account' },
  'POST /sign-in/social': { limit: 'signInElsewhere' },
  'GET /callback/*': { limit: 'signInElsewhere', tooManyPage: '/sign-in?error=too_many' },
  'POST /callback/*': { limit: 'signInElsewhere', tooManyPage: '/sign-in?error=too_many' },
  'POST /link-social': { limit: 'signInElsewhere' },
  'POST /unlink-account': {},
  'POST /update-user': {},
  'POST /change-password': { limit: 'password', isOfUser: true },
  'POST /request-password-reset': { limit: 'resetMail', email: 'recipient' },
  'POST /reset-password': { limit: 'resetPassword' },
  'GET /oauth2/authorize': { limit: 'authorizeClient', tooManyPage: '/oauth/error?error=too_many' },
  'POST /oauth2/register': { limit: 'registerClient', isOpen: true },
  'POST /oauth2/token': { limit: 'clientToken', isOpen: true },
  'POST /oauth2/revoke': { limit: 'revokeToken', isOpen: true },
  'GET /jwks': { isOpen: true },
  'GET /.well-known/oauth-authorization-server': { isOpen: true },
}

const PREFIX = '/api/auth'

/** `wrong_method` for an endpoint that there is under other methods, which are named. */
export type Found = { readonly endpoint: AuthEndpoint } | { readonly allow: readonly string[] } | undefined

/** The endpoint at this path; undefined when there is none. */
export function authEndpoint(method: string, pathname: string): Found {
  const path = pathname.slice(PREFIX.length).replace(/^\/callback\/[\w-]+$/, '/callback/*')
  // As GET, without the body.
  const asked = method === 'HEAD' ? 'GET' : method
  const endpoint = ENDPOINTS[`${asked} ${path}`]
  if (endpoint) return { endpoint }
  const methods = Object.keys(ENDPOINTS)
    .filter((key) => key.endsWith(` ${path}`))
    .flatMap((key) => key.split(' ', 1))
  const [first] = methods
  if (first === undefined) return undefined
  // A preflight of another origin's page.
  const open = ENDPOINTS[`${first} ${path}`]
  if (method === 'OPTIONS' && open?.isOpen) return { endpoint: { isOpen: true } }
  return { allow: methods }
}

/** True if browsers may navigate to this path of `/api`, which responds with a page or a redirect. */
export const isNavigable = (method: string, pathname: string): boolean => {
  if (!pathname.startsWith(`${PREFIX}/`)) return false
  const found = authEndpoint(method, pathname)
  return found !== undefined && 'endpoint' in found && found.endpoint.tooManyPage !== undefined
}
