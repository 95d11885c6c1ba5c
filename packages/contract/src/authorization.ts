import { z } from 'zod'

/** `GET /integrations/notion/oauth/mcp/start`. */
export const AuthorizationStart = z.object({ authorizeUrl: z.url(), state: z.string() })
export type AuthorizationStart = z.infer<typeof AuthorizationStart>

/** The cookie that ties an authorization request to the browser that started it. HttpOnly, SameSite=Lax. */
export const BINDING_COOKIE = 'notion_oauth_binding'

/**
 * `error` of the redirect after an authorization that did not complete. Codes that the authorization server sent itself
 * (RFC 6749 §4.1.2.1) are passed on when they are in this list, else as `authorization_refused`.
 */
export const authorizationErrors = [
  'access_denied',
  'invalid_scope',
  'temporarily_unavailable',
  'server_error',
  'authorization_refused',
  /** No state, an unknown one, one that was used already, or one past its time. */
  'unknown_state',
  /** Another browser than the one that started. */
  'wrong_browser',
  /** The answer names another authorization server than the one that was asked, or none where it must (RFC 9207). */
  'wrong_issuer',
  'missing_code',
  /** The authorization server refused the code, or gave no refresh token. */
  'exchange_refused',
  /** The authorization server rejects the fixed client of the gateway's settings. Only the operator can correct that. */
  'client_rejected',
  'authorization_unavailable',
  /** The gateway's database or Redis does not respond. */
  'store_unavailable',
  'internal',
] as const
export type AuthorizationError = (typeof authorizationErrors)[number]
export const AuthorizationError = z.enum(authorizationErrors)

/**
 * `previousConsent` of the redirect after a consent that replaced one in use: what became of the old grant at the authorization server.
 * `kept`: not revoked, because the server may treat both consents of a fixed client as one grant.
 */
export const PreviousConsent = z.enum(['revoked', 'failed', 'not_supported', 'kept'])
export type PreviousConsent = z.infer<typeof PreviousConsent>
