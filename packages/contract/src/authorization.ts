import { z } from 'zod'

/** `GET /integrations/notion/oauth/mcp/start`. */
export const AuthorizationStart = z.object({ authorizeUrl: z.url(), state: z.string() })
export type AuthorizationStart = z.infer<typeof AuthorizationStart>

/** The cookie that binds an authorization request to the browser that started it. HttpOnly, SameSite=Lax. */
export const BINDING_COOKIE = 'notion_oauth_binding'

/**
 * `error` of the redirect after a failed authorization. Codes from the authorization server (RFC 6749 §4.1.2.1) are forwarded if they are in this
 * list, otherwise they become `authorization_refused`.
 */
export const authorizationErrors = [
  'access_denied',
  'invalid_scope',
  'temporarily_unavailable',
  'server_error',
  'authorization_refused',
  /** The state is missing, unknown, already used or expired. */
  'unknown_state',
  /** Another browser than the one that started the authorization. */
  'wrong_browser',
  /** `iss` is not the expected authorization server, or is missing although it was announced (RFC 9207). */
  'wrong_issuer',
  'missing_code',
  /** The authorization server refused the code, or issued no refresh token. */
  'exchange_refused',
  /** The authorization server rejects the fixed client of the gateway's settings. Only the operator can fix that. */
  'client_rejected',
  'authorization_unavailable',
  /** The gateway's database or Redis does not respond. */
  'store_unavailable',
  'internal',
] as const
export type AuthorizationError = (typeof authorizationErrors)[number]
export const AuthorizationError = z.enum(authorizationErrors)

/**
 * `previousConsent` of the redirect after a consent that replaced another one: the result of revoking the old grant at the authorization server.
 * `kept`: not revoked, because the server may treat both consents of a fixed client as one grant.
 */
export const PreviousConsent = z.enum(['revoked', 'failed', 'not_supported', 'kept'])
export type PreviousConsent = z.infer<typeof PreviousConsent>
