import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure } from '../platform/failure.ts'
import type { OriginRule } from './origins.ts'

/**
 * Refuses requests that were addressed to another host, when the gateway listens on this machine only: a web page whose name an attacker
 * points to this machine sends the attacker's name (DNS rebinding). A gateway that listens elsewhere has many names, so there only the
 * hosts that the operator lists count, if any are listed.
 *
 * @param bindHost where the gateway listens.
 * @param listed host names that the operator listed, without a port.
 * @param own addresses under which the gateway is known anyway.
 */
export function hostCheck(
  bindHost: string,
  listed: readonly string[],
  own: readonly URL[],
): (req: IncomingMessage) => void {
  const isLocal = isLoopback(bindHost)
  if (!isLocal && listed.length === 0) return () => {}
  const known = new Set([...listed.map((name) => name.toLowerCase()), ...own.map(({ hostname: name }) => name)])
  /** Headers that were found good: reading one as a URL takes longer than everything else here. */
  const good = new Set<string>()
  return ({ headers: { host = '' } }) => {
    if (good.has(host)) return
    const name = hostname(host)
    if (known.has(name) || isLoopback(name)) {
      if (good.size < MOST_GOOD) good.add(host)
      return
    }
    throw new Failure(
      'forbidden_origin',
      'This host name is none of the gateway. Its operator can add it to MCP_ALLOWED_HOSTS.',
    )
  }
}

const MOST_GOOD = 1000

/** The name in a `Host` header, in the spelling of URLs; empty for what is none. */
const hostname = (host: string) => URL.parse(`http://${host}`)?.hostname ?? ''

const isLoopback = (name: string) => /^(localhost|.+\.localhost|127(\.\d+){3}|\[?::1\]?)$/.test(name)

const EXPOSED = 'Mcp-Session-Id, WWW-Authenticate, Retry-After'
const METHODS = 'GET, POST, DELETE'
/** What a page's client sends beyond the ordinary. A wildcard would not cover `Authorization`. */
const HEADERS =
  'Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name, X-Space-ID'

/**
 * Lets web pages of allowed origins read the MCP endpoint's answers (CORS).
 *
 * @returns whether the request was only the browser's question beforehand, and is answered.
 */
export function corsFor(mayCall: OriginRule): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const { origin } = req.headers
    if (origin === undefined || !mayCall(origin, req.socket.remoteAddress)) return false
    res.setHeader('access-control-allow-origin', origin)
    res.setHeader('access-control-expose-headers', EXPOSED)
    res.setHeader('vary', 'Origin')
    if (req.method !== 'OPTIONS') return false
    const asked = req.headers['access-control-request-headers']
    // Mcp-Param-* has names that only the tool knows.
    const parameters = /^[\w\s,-]{1,1000}$/.test(asked ?? '') ? mcpParameters(asked ?? '') : ''
    res.writeHead(204, {
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': HEADERS + parameters,
      'access-control-max-age': '600',
    })
    res.end()
    return true
  }
}

function mcpParameters(asked: string): string {
  const names = asked.split(',').map((name) => name.trim())
  return names
    .filter((name) => /^mcp-param-/i.test(name))
    .map((name) => `, ${name}`)
    .join('')
}
