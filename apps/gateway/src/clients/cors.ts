import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure } from '../platform/failure.ts'
import type { OriginRule } from './origins.ts'

/**
 * Rejects requests with an unknown `Host`, as protection against DNS rebinding: an attacker's web page whose name resolves to this machine
 * sends the attacker's name. Active if the gateway listens on a loopback address. On other addresses a gateway may have any number of
 * names, so there the check is active only if the operator lists allowed hosts.
 *
 * @param bindHost the address that the gateway listens on.
 * @param allowedHosts host names from the settings, without a port.
 * @param ownUrls URLs of the gateway and the web app, whose hosts are always allowed.
 */
export function hostCheck(
  bindHost: string,
  allowedHosts: readonly string[],
  ownUrls: readonly URL[],
): (req: IncomingMessage) => void {
  const isLocal = isLoopback(bindHost)
  if (!isLocal && allowedHosts.length === 0) return () => {}
  const allowed = new Set([
    ...allowedHosts.map((name) => name.toLowerCase()),
    ...ownUrls.map(({ hostname: name }) => name),
  ])
  /** Cache of accepted headers, because parsing a URL is slow compared with the rest of the check. */
  const accepted = new Set<string>()
  return ({ headers: { host = '' } }) => {
    if (accepted.has(host)) return
    const name = hostname(host)
    if (allowed.has(name) || isLoopback(name)) {
      if (accepted.size < MAX_ACCEPTED) accepted.add(host)
      return
    }
    throw new Failure(
      'forbidden_origin',
      'The gateway does not accept requests for this host name. The operator can add it to MCP_ALLOWED_HOSTS.',
    )
  }
}

const MAX_ACCEPTED = 1000

/** The normalized name in a `Host` header; empty if the header is invalid. */
const hostname = (host: string) => URL.parse(`http://${host}`)?.hostname ?? ''

const isLoopback = (name: string) => /^(localhost|.+\.localhost|127(\.\d+){3}|\[?::1\]?)$/.test(name)

const EXPOSED_HEADERS = 'Mcp-Session-Id, WWW-Authenticate, Retry-After'
const ALLOWED_METHODS = 'GET, POST, DELETE'
/** Request headers of MCP clients. A wildcard would not include `Authorization`. */
const ALLOWED_HEADERS =
  'Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name, X-Space-ID'

/**
 * CORS for the MCP endpoints: lets web pages of allowed origins call them and read their responses.
 *
 * @returns true if the request was a preflight request, to which the response has been sent.
 */
export function corsHandler(isAllowedOrigin: OriginRule): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const { origin } = req.headers
    if (origin === undefined || !isAllowedOrigin(origin, req.socket.remoteAddress)) return false
    res.setHeader('access-control-allow-origin', origin)
    res.setHeader('access-control-expose-headers', EXPOSED_HEADERS)
    res.setHeader('vary', 'Origin')
    if (req.method !== 'OPTIONS') return false
    const requested = req.headers['access-control-request-headers'] ?? ''
    // The names of Mcp-Param-* headers depend on the tool, so the requested ones are allowed.
    const parameterHeaders = /^[\w\s,-]{1,1000}$/.test(requested) ? mcpParameters(requested) : ''
    res.writeHead(204, {
      'access-control-allow-methods': ALLOWED_METHODS,
      'access-control-allow-headers': ALLOWED_HEADERS + parameterHeaders,
      'access-control-max-age': '600',
    })
    res.end()
    return true
  }
}

function mcpParameters(requested: string): string {
  const names = requested.split(',').map((name) => name.trim())
  return names
    .filter((name) => /^mcp-param-/i.test(name))
    .map((name) => `, ${name}`)
    .join('')
}
