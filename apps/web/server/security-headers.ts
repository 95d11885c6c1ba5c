import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface HeaderOptions {
  readonly isHttps: boolean
  /** React's development build evaluates code, and Next's error overlay has styles of its own. */
  readonly isDevelopment: boolean
  /** Data: should a browser show it as a page after all, it is one of nobody's, without scripts and forms. */
  readonly isApi: boolean
}

/**
 * Sets the headers that every answer carries. The policy allows scripts and styles by a nonce that is new for each request; Next finds
 * it in the request's own header and puts it on what it renders.
 */
export function setSecurityHeaders(request: IncomingMessage, response: ServerResponse, options: HeaderOptions): void {
  const policy = contentSecurityPolicy(randomBytes(16).toString('base64'), options)
  request.headers['content-security-policy'] = policy
  response.setHeader('Content-Security-Policy', policy)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  // For browsers that do not know frame-ancestors.
  response.setHeader('X-Frame-Options', 'DENY')
  response.setHeader('Referrer-Policy', 'same-origin')
  response.setHeader('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=()')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  if (options.isHttps) response.setHeader('Strict-Transport-Security', 'max-age=31536000')
}

function contentSecurityPolicy(nonce: string, { isHttps, isDevelopment, isApi }: HeaderOptions): string {
  return [
    `default-src 'none'`,
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${isDevelopment ? ` 'unsafe-eval'` : ''}`,
    `style-src 'self' ${isDevelopment ? `'unsafe-inline'` : `'nonce-${nonce}'`}`,
    `img-src 'self' data:`,
    // Audio in the results of tools comes with the result.
    `media-src data:`,
    `font-src 'self'`,
    `connect-src 'self'`,
    `manifest-src 'self'`,
    `form-action 'self'`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
    ...(isHttps ? ['upgrade-insecure-requests'] : []),
    ...(isApi ? ['sandbox'] : []),
  ].join('; ')
}
