/** Judges headers and events that arrive through reverse proxies. Pure. */
import { BlockList, isIP } from 'node:net'
import type { ObservedRequest } from './parts.ts'
import { INVENTED_ADDRESS, plainAddress, type Arrival } from './probe.ts'
import { findingsOf, type Finding } from './report.ts'

const proxy = findingsOf('proxy')
const streaming = findingsOf('streaming')

export interface Forwarded {
  readonly seen: ObservedRequest
  readonly own: { readonly port: number }
  readonly trustedProxies: readonly string[]
  /** The address to which the request was sent. */
  readonly origin: string
}

/** Checks which client address limits count, and whether a client can choose it. */
export function judgeClientAddress({ seen, own, trustedProxies }: Forwarded): Finding {
  const peer = plainAddress(seen.peer.address)
  const chain = (seen.forwarded['x-forwarded-for'] ?? '').split(',').map((entry) => plainAddress(entry.trim()))
  const added = chain.filter((entry) => entry !== '' && entry !== INVENTED_ADDRESS)
  const counted = plainAddress(seen.clientAddress ?? '')
  const arrives = `X-Forwarded-For arrives as “${shown(chain)}” from ${peer}.`
  if (added.length === 0 && isDirect(seen, own))
    return proxy.ok(`No reverse proxy is in front of the web app; it sees ${counted}.`)
  if (added.length === 0) {
    const isBelieved = counted === INVENTED_ADDRESS
    return proxy.error(
      isBelieved
        ? 'Clients can choose the address that limits count: the reverse proxy forwards their X-Forwarded-For unchanged.'
        : `All users have the reverse proxy’s address, ${peer}, and share the limits of one user: the proxy does not send the client’s address.`,
      { change: 'proxy_set_header X-Forwarded-For $remote_addr;   # nginx; Caddy does so by itself' },
    )
  }
  const [client = '', ...proxies] = added
  const hops = [...proxies, peer]
  const untrusted = hops.filter((hop) => !isTrusted(hop, trustedProxies))
  const right = proxy.ok(`Limits count the address that the outermost proxy saw: ${client}.`)
  if (counted === client && !hops.includes(client)) return right
  if (untrusted.length > 0) {
    return proxy.error(
      `All users have the address ${counted} of a reverse proxy, and share the limits of one user, at sign-in too.`,
      { detail: arrives, change: `TRUSTED_PROXIES=${[...new Set([...trustedProxies, ...untrusted])].join(',')}` },
    )
  }
  const expected = [...chain, peer].findLast((hop) => hop !== '' && !isTrusted(hop, trustedProxies))
  if (expected === undefined || expected === counted) return right
  return proxy.error(
    `The running web app counts the address ${counted}, although these settings trust every proxy in front of it.`,
    {
      detail: `${arrives} It was started with different settings: restart it.`,
      change: `TRUSTED_PROXIES=${trustedProxies.join(',')}`,
    },
  )
}

const shown = (chain: readonly string[]) =>
  chain.map((entry) => (entry === INVENTED_ADDRESS ? '<invented>' : entry)).join(', ')

/** True if there is no proxy: the process sees the doctor's own end of the connection. */
export const isDirect = (seen: ObservedRequest, own: { readonly port: number }): boolean => seen.peer.port === own.port

function isTrusted(address: string, trusted: readonly string[]): boolean {
  const version = isIP(address)
  if (version === 0) return false
  const list = new BlockList()
  for (const entry of trusted) {
    const [network = '', bits] = entry.split('/')
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(network, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return list.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

/** @param refuses true if this process rejects requests for other hosts. */
export function judgeHost({ seen, origin }: Pick<Forwarded, 'seen' | 'origin'>, refuses: boolean): Finding {
  const expected = new URL(origin).host
  const arrived = URL.parse(`${new URL(origin).protocol}//${seen.host}`)?.host ?? seen.host
  const protocol = seen.forwarded['x-forwarded-proto']
  const said = protocol === undefined ? '' : `, protocol ${protocol}`
  if (arrived === expected) return proxy.ok(`${origin}: the ${nameOf(seen)} sees host ${arrived}${said}.`)
  const change = 'proxy_set_header Host $http_host;   # nginx; Caddy does so by itself'
  const title = `The ${nameOf(seen)} sees the host ${arrived} instead of ${expected}.`
  return refuses
    ? proxy.error(`${title} It refuses MCP clients with 403 forbidden_origin.`, { change })
    : proxy.warning(title, { change })
}

const nameOf = ({ process }: ObservedRequest): string => (process === 'web' ? 'web app' : 'gateway')

/** A share of the time over which the events were sent. Unbuffered, they arrive over the same time. */
const BUFFERED_BELOW = 0.5

/** Checks that events arrive one at a time. */
export function judgeStreaming(name: string, origin: string, arrivals: readonly Arrival[]): Finding {
  const last = arrivals.at(-1)
  if (!last || last.sentAfterMs === 0)
    return streaming.notChecked(`Streaming of the ${name}`, 'Too few events arrived.')
  const [sent, arrived] = [Math.round(last.sentAfterMs), Math.round(last.arrivedAfterMs)]
  const facts = `${arrivals.length} events, sent over ${sent} ms, arrived over ${arrived} ms`
  if (arrived >= sent * BUFFERED_BELOW)
    return streaming.ok(`${origin}: events of the ${name} arrive one at a time (${facts}).`)
  return streaming.error(`The reverse proxy of ${origin} buffers events of the ${name} (${facts}).`, {
    detail: 'Responses of the chat and of MCP calls arrive late, or only at the end.',
    change: 'proxy_buffering off;   # nginx, for all of this host; Caddy: flush_interval -1',
  })
}
