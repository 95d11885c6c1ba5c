import { z } from 'zod'

/**
 * The errors of the gateway itself, by `code` of an RFC 9457 problem document. Responses of the upstream MCP server are forwarded verbatim and
 * are never one of these.
 */
export const problems = {
  unauthenticated: { status: 401, title: 'Not authenticated' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  missing_space: { status: 400, title: 'No space given' },
  invalid_return_path: { status: 400, title: 'The return path leaves the application' },
  invalid_json: { status: 400, title: 'The body is not JSON' },
  too_large: { status: 413, title: 'The body is too large' },
  unsupported_encoding: { status: 415, title: 'The body is encoded' },
  forbidden_space: { status: 403, title: 'Not allowed in this space' },
  forbidden_origin: { status: 403, title: 'Not allowed from this origin' },
  insufficient_scope: { status: 403, title: 'Not allowed with this access' },
  not_connected: { status: 404, title: 'Not connected' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  unknown_session: { status: 404, title: 'Unknown MCP session' },
  reconnect_required: { status: 401, title: 'Notion must be reconnected' },
  consent_required: { status: 403, title: 'Notion must be reconnected with more permissions' },
  authorization_refused: { status: 502, title: 'The authorization server refused' },
  authorization_unavailable: { status: 503, title: 'The authorization server cannot be used now' },
  refresh_unavailable: { status: 503, title: 'The access token cannot be renewed now' },
  upstream_unreachable: { status: 502, title: 'Notion cannot be reached' },
  upstream_refuses_token: { status: 502, title: 'Notion refuses new access tokens' },
  /** Only older gateways report it; replaced by `outcome_unknown`. */
  upstream_timeout: { status: 504, title: 'Notion did not answer in time' },
  /** Also 503 and 504. The request may have been carried out. */
  outcome_unknown: { status: 502, title: 'The outcome of the request is unknown' },
  rate_limited: { status: 429, title: 'Too many calls of one client' },
  overloaded: { status: 503, title: 'Too many calls at once' },
  store_unavailable: { status: 503, title: 'The database cannot be reached' },
  credential_unreadable: { status: 503, title: 'The stored credential cannot be opened' },
  sealed_value_unreadable: { status: 500, title: 'A stored credential cannot be opened' },
  internal: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

const MAY_HAVE_BEEN_SENT = {
  unauthenticated: false,
  invalid_request: false,
  missing_space: false,
  invalid_return_path: false,
  invalid_json: false,
  too_large: false,
  unsupported_encoding: false,
  forbidden_space: false,
  forbidden_origin: false,
  insufficient_scope: false,
  not_connected: false,
  not_found: false,
  method_not_allowed: false,
  unknown_session: false,
  reconnect_required: false,
  consent_required: false,
  authorization_refused: false,
  authorization_unavailable: false,
  refresh_unavailable: false,
  upstream_unreachable: false,
  upstream_refuses_token: false,
  upstream_timeout: true,
  outcome_unknown: true,
  rate_limited: false,
  overloaded: false,
  store_unavailable: false,
  credential_unreadable: false,
  sealed_value_unreadable: false,
  // After an internal error, either is possible.
  internal: true,
} as const satisfies Record<ProblemCode, boolean>

/**
 * True if a call that failed with this code may have reached Notion, and may have been applied. Messages suggest a retry only when false. Unknown
 * codes, which newer gateways may report, count as sent.
 */
export function mayHaveBeenSent(code: string): boolean {
  return Object.hasOwn(MAY_HAVE_BEEN_SENT, code) ? MAY_HAVE_BEEN_SENT[code as ProblemCode] : true
}

/** The body of an error response, `application/problem+json` ([RFC 9457 §3](https://www.rfc-editor.org/rfc/rfc9457#section-3)). */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  /** One or two sentences for people: what happened and what to do next. */
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
})
export type Problem = z.infer<typeof Problem>
