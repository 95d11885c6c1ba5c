/** Connections through an HTTP proxy ([RFC 9110 §9.3.6](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6), CONNECT). */
import type { Socket } from 'node:net'
import { buildConnector, Client } from 'undici'
import type { OutboundProxy } from './proxies.ts'

/** Time limit for connecting through the proxy. Shorter than those of requests, so that the error names the proxy. */
export const PROXY_TIMEOUT_MS = 4_000

/** The proxy made no connection. The message is for people: it names the setting, never an address or a credential. */
export class ProxyFailed extends Error {
  override readonly name = 'ProxyFailed'
  /** For logs. */
  readonly code: string

  /** @param status of the proxy's response; undefined without one. */
  constructor({ setting }: OutboundProxy, status?: number, options?: ErrorOptions) {
    super(`The outbound proxy (${setting}) ${explanation(setting, status)}`, options)
    this.code = status === undefined ? 'PROXY_UNREACHABLE' : `PROXY_${status}`
  }
}

function explanation(setting: string, status: number | undefined): string {
  if (status === undefined) return `cannot be reached. Check ${setting}, or add hosts that need no proxy to NO_PROXY.`
  if (status === 407) return `demands other credentials (407). Check the user name and password in ${setting}.`
  if (status >= 500) return `could not connect to the server (${status}). Try again in a minute, or check the proxy.`
  return `refused to connect to the server (${status}). Allow it there, or add it to NO_PROXY.`
}

export interface TunnelOptions {
  /** Connects to the proxy. Default: undici's connector. */
  readonly toProxy?: buildConnector.connector
  /** Adds TLS to a tunnel, which is passed as `httpSocket`. Default: undici's connector. */
  readonly secure?: buildConnector.connector
}

/** A connector for undici's `Client` that fails with {@link ProxyFailed}. The proxy resolves names. */
export function throughProxy(
  proxy: OutboundProxy,
  {
    toProxy = buildConnector({ timeout: PROXY_TIMEOUT_MS }),
    secure = buildConnector({ timeout: PROXY_TIMEOUT_MS }),
  }: TunnelOptions = {},
): buildConnector.connector {
  return (target, done) => {
    const authority = authorityOf(target)
    const authorization = proxy.authorization()
    const client = new Client(proxy.url.origin, { connect: toProxy })
    const request = {
      path: authority,
      headers: { host: authority, ...(authorization !== undefined && { 'proxy-authorization': authorization }) },
      signal: AbortSignal.timeout(PROXY_TIMEOUT_MS),
    }
    client.connect(request, (cause, response) => {
      // The socket of an open tunnel is no longer the client's.
      void client.destroy()
      if (cause) return done(new ProxyFailed(proxy, undefined, { cause }), null)
      const socket = response.socket as Socket
      if (response.statusCode < 200 || response.statusCode > 299) {
        socket.on('error', () => undefined).destroy()
        done(new ProxyFailed(proxy, response.statusCode), null)
      } else if (target.protocol === 'https:') {
        secure({ ...target, httpSocket: socket }, done)
      } else {
        done(null, socket)
      }
    })
  }
}

function authorityOf({ protocol, hostname, port }: buildConnector.Options): string {
  const host = hostname.includes(':') ? `[${hostname}]` : hostname
  return `${host}:${port || (protocol === 'https:' ? 443 : 80)}`
}
