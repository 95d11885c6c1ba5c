/** An OAuth error, sent as JSON (RFC 6749 §5.2). */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly error: string
  readonly status: number
  readonly headers: Record<string, string>

  constructor(error: string, description: string, status = 400, headers: Record<string, string> = {}) {
    super(description)
    this.error = error
    this.status = status
    this.headers = headers
  }
}

/** Responses of the token and registration endpoints must not be cached (RFC 6749 §5.1). */
export const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' }

export function jsonResponse(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
}

export function oauthErrorResponse(refusal: OAuthError): Response {
  return jsonResponse({ error: refusal.error, error_description: refusal.message }, refusal.status, {
    ...NO_STORE,
    ...refusal.headers,
  })
}
