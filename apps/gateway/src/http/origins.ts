import type { IncomingMessage } from 'node:http'
import { Failure } from '../failure.ts'

/**
 * Refuses requests that a web page of a foreign origin sends, as every revision of MCP demands: the gateway gives upstream another
 * `Host` and no `Origin`, so upstream's own protection against DNS rebinding cannot work any more. Programs send no `Origin`.
 *
 * Allowed are the origins given, and, on a connection that comes from this very machine, pages of this machine.
 *
 * @throws {Failure} `forbidden_origin`.
 */
export function originCheck(allowed: readonly URL[]): (req: IncomingMessage) => void {
  const known = new Set(allowed.map(({ origin }) => origin))
  return (req) => {
    const { origin } = req.headers
    if (origin === undefined || known.has(origin)) return
    if (isLoopbackAddress(req.socket.remoteAddress) && isLoopbackOrigin(origin)) return
    throw new Failure('forbidden_origin', 'Web pages of this origin may not use the gateway.')
  }
}

function isLoopbackAddress(address: string | undefined): boolean {
  return address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1'
}

function isLoopbackOrigin(origin: string): boolean {
  const { hostname } = URL.parse(origin) ?? {}
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}
