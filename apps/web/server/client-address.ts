import type { IncomingMessage } from 'node:http'
import { getIPFromHeader, normalizeIP } from '@better-auth/core/utils/ip'
import { log } from '../lib/log.ts'

/** Headers by which proxies say things that this app has as settings, or does not need. */
const FORWARDED = ['x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port', 'forwarded']

/**
 * Leaves one address in `X-Forwarded-For`: that of the nearest hop that is not one of our proxies. Whatever is further away, the client may have
 * made up. Limits and sessions read it there.
 */
export function setClientAddress(request: IncomingMessage, trustedProxies: readonly string[]): void {
  const peer = normalizeIP(request.socket.remoteAddress ?? 'unknown', { ipv6Subnet: 128 })
  const claimed = [request.headers['x-forwarded-for'] ?? []].flat()
  if (trustedProxies.length === 0 && (claimed.length > 0 || request.headers.forwarded)) warnOnce()
  const hops = [...claimed, peer].join(', ')
  request.headers['x-forwarded-for'] =
    (trustedProxies.length > 0 && getIPFromHeader(hops, { trustedProxies: [...trustedProxies], ipv6Subnet: 128 })) ||
    peer
  for (const name of FORWARDED) delete request.headers[name]
}

let hasWarned = false

/** Behind a proxy, everybody has the proxy's address, and with it the limits of one user. */
function warnOnce(): void {
  if (hasWarned) return
  hasWarned = true
  log.warn('proxy.not_trusted', {
    message:
      'Requests carry X-Forwarded-For, but TRUSTED_PROXIES is not set, so all users behind the proxy share the limits of one address. Set TRUSTED_PROXIES to the addresses of your reverse proxies.',
  })
}
