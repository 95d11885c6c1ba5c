import type { IncomingMessage } from 'node:http'
import { Failure } from '../platform/failure.ts'

/**
 * Refuses requests that a web page of a foreign origin sends, as every revision of MCP demands: the gateway gives upstream another
 * `Host` and no `Origin`, so upstream's own protection against DNS rebinding cannot work any more. Programs send no `Origin`.
 *
 * @throws {Failure} `forbidden_origin`.
 */
export function originCheck(mayCall: OriginRule): (req: IncomingMessage) => void {
  return (req) => {
    const { origin } = req.headers
    if (origin === undefined || mayCall(origin, req.socket.remoteAddress)) return
    throw new Failure('forbidden_origin', 'Web pages of this origin may not use the gateway.')
  }
}

/** Whether web pages of this origin may call the MCP endpoints from this address. */
export type OriginRule = (origin: string, remoteAddress: string | undefined) => boolean

/** The one rule for web pages: allowed are the origins given, and, on a connection that comes from this very machine, pages of this machine. */
export function originRule(allowed: readonly URL[]): OriginRule {
  const known = new Set(allowed.map(({ origin }) => origin))
  return (origin, remoteAddress) => known.has(origin) || (isLoopbackAddress(remoteAddress) && isLoopbackOrigin(origin))
}

function isLoopbackAddress(address: string | undefined): boolean {
  return address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1'
}

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin)
  // What browsers send as an origin has nothing behind the port.
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== origin) return false
  const { hostname } = url
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}
