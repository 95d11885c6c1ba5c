import type { IncomingMessage } from 'node:http'

/**
 * Brings the request target and `Host` into the form that the rest of the app knows: a path, and one host ([RFC 9112 §3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
 *
 * @returns why the request is refused with 400; undefined when it is fine.
 */
export function normalizeTarget(request: IncomingMessage, ownHost: string): string | undefined {
  const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host')
  if (hosts.length > 1) return 'Send exactly one Host header.'
  if (!request.url?.startsWith('/') && request.url !== '*') {
    // Absolute-form: its authority takes precedence over Host.
    if (!/^https?:\/\/[^/?#\\]/i.test(request.url ?? '') || !URL.canParse(request.url ?? ''))
      return 'The address is not valid.'
    const { host, pathname, search } = new URL(request.url ?? '')
    request.headers.host = host
    request.url = pathname + search
  }
  if (request.url === '*' && request.method !== 'OPTIONS') return 'Only OPTIONS can request *.'
  const { host } = request.headers
  // Neither a path nor a user: only what has no such part is a host and a port.
  if (host && (/[/?#@\\\s]/.test(host) || !URL.canParse(`http://${host}`))) return 'The Host header is not valid.'
  // HTTP/1.0 has none.
  request.headers.host = host || ownHost
  return undefined
}
