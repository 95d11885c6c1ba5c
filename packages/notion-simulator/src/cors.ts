/** CORS headers as upstream: every origin is allowed. Only for requests with an `Origin`, and not on the consent page. */
export function withCors(response: Response, origin: string | undefined | null): Response {
  if (!origin) return response
  const headers = new Headers(response.headers)
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-allow-methods', '*')
  headers.set('access-control-allow-headers', 'Authorization, *')
  headers.set('access-control-max-age', '86400')
  return new Response(response.body, { status: response.status, headers })
}
