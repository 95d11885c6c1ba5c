import type { IncomingMessage } from 'node:http'
import { Failure } from '../platform/failure.ts'

/**
 * Rejects requests from web pages of origins that are not allowed, as every revision of MCP requires. Upstream cannot protect itself
 * against DNS rebinding, because the gateway replaces `Host` and removes `Origin`. Clients other than browsers send no `Origin`.
 *
 * @throws {Failure} `forbidden_origin`.
 */
export function originCheck(isAllowedOrigin: OriginRule): (req: IncomingMessage) => void {
  return (req) => {
    const { origin } = req.headers
    if (origin === undefined || isAllowedOrigin(origin, req.socket.remoteAddress)) return
    throw new Failure(
      'forbidden_origin',
      'The gateway does not accept requests from web pages of this origin. The operator can add it to MCP_ALLOWED_ORIGINS.',
    )
  }
}

/** True if web pages of this origin may call the MCP endpoints from this client address. */
export type OriginRule = (origin: string, remoteAddress: string | undefined) => boolean

/** Allows the configured origins, and on loopback connections also loopback origins. */
export function originRule(allowedOrigins: readonly URL[]): OriginRule {
  const allowed = new Set(allowedOrigins.map(({ origin }) => origin))
  return (origin, remoteAddress) =>
    allowed.has(origin) || (isLoopbackAddress(remoteAddress) && isLoopbackOrigin(origin))
}

function isLoopbackAddress(address: string | undefined): boolean {
  return address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1'
}

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin)
  // Browsers send a serialized origin; anything else, for example a URL with a path, is rejected.
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== origin) return false
  const { hostname } = url
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}
