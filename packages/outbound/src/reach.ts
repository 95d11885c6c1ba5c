/**
 * Where requests may go whose addresses a stranger has named: not into the network that the process stands in, unless it is meant to. A name is
 * looked at when it is connected to, so that it cannot lead elsewhere then than it did when it was checked.
 */
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** How near an address is. `nowhere`: what leads to no server that anybody could mean, and where clouds tell their machines what nobody else may know. */
export type Nearness = 'public' | 'private' | 'machine' | 'nowhere'

/** Somewhere that requests do not go. */
export class ForbiddenUrl extends Error {
  override readonly name = 'ForbiddenUrl'
  /** `plain`: neither https, nor on this machine. Otherwise how near it is. */
  readonly reason: 'plain' | Exclude<Nearness, 'public'>

  constructor(host: string, reason: ForbiddenUrl['reason']) {
    super(`${host} is not asked: ${reason}`)
    this.reason = reason
  }
}

export interface Reach {
  /** Looks at what can be seen without asking for the name's addresses. @throws {ForbiddenUrl} */
  assertAllowed(url: URL): void
  /** Gives those addresses of the URL's name that requests may go to; a {@link ForbiddenUrl} when there is none. For `net.connect`. */
  lookupFor(url: URL): LookupFunction
}

export interface ReachOptions {
  /** What strangers may name beside the Internet. */
  readonly also?: readonly ('private' | 'machine')[]
  /** What the operator has named, as `URL.origin`: it may be anywhere that is somewhere, and without TLS. */
  readonly trustedOrigins?: readonly string[]
  /** How names become addresses; as the system does it when left out. */
  readonly lookup?: LookupFunction
}

export function reachOf({
  also = [],
  trustedOrigins = [],
  lookup = systemLookup as LookupFunction,
}: ReachOptions): Reach {
  const toStrangers: readonly Nearness[] = ['public', ...also]
  const isTrusted = (url: URL) => trustedOrigins.includes(url.origin)
  return {
    assertAllowed(url) {
      if (isTrusted(url)) return
      const isHere = isLoopback(url)
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)) throw new ForbiddenUrl(url.host, 'plain')
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
      const nearness = isHere ? 'machine' : isIP(host) === 0 ? 'public' : nearnessOf(host)
      if (nearness !== 'public' && !toStrangers.includes(nearness)) throw new ForbiddenUrl(url.host, nearness)
    },
    lookupFor(url) {
      // A name of this machine may be without TLS because nothing leaves it; then nothing does.
      const usable = isTrusted(url) ? anywhere : isLoopback(url) ? here : toStrangers
      return (host, options, done) =>
        lookup(host, { ...options, all: true }, (error, found) => {
          if (error) return done(error, [])
          const addresses = found as LookupAddress[]
          const [first, ...others] = addresses.filter(({ address }) => usable.includes(nearnessOf(address)))
          if (!first) return done(new ForbiddenUrl(host, nearestOf(addresses)), [])
          if (options.all) done(null, [first, ...others])
          else done(null, first.address, first.family)
        })
    },
  }
}

const anywhere: readonly Nearness[] = ['public', 'private', 'machine']
const here: readonly Nearness[] = ['machine']

function nearestOf(addresses: readonly LookupAddress[]): Exclude<Nearness, 'public'> {
  const found = addresses.map(({ address }) => nearnessOf(address))
  return (['machine', 'private'] as const).find((nearness) => found.includes(nearness)) ?? 'nowhere'
}

/** Whether the URL names this machine, in which case plain http is harmless: the request does not leave it. */
export const isLoopback = (url: URL): boolean => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)

/** @param subnets with blanks between them. */
const inside = (subnets: string): BlockList => {
  const list = new BlockList()
  for (const subnet of subnets.split(' ')) {
    const [address = '', bits] = subnet.split('/')
    const isV6 = address.includes(':')
    list.addSubnet(address, Number(bits), isV6 ? 'ipv6' : 'ipv4')
    // A network without IPv4 has such addresses for all of it (RFC 6052).
    if (!isV6) list.addSubnet(`64:ff9b::${address}`, 96 + Number(bits), 'ipv6')
  }
  return list
}

const machine = inside('127.0.0.0/8 ::1/128')
/** 198.18.0.0/15, meant for measuring, is what some proxies of one's own answer for every name. */
const privateNetworks = inside('10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15 fc00::/7')
/** What remains without a meaning on the Internet ([RFC 6890](https://www.rfc-editor.org/rfc/rfc6890)), link-local and multicast among it. */
const nowhere = inside(
  '0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.51.100.0/24 203.0.113.0/24 ' +
    '224.0.0.0/4 240.0.0.0/4 2001::/23 2001:db8::/32 2002::/16 3fff::/20',
)
/** What clouds tell their machines, secrets among it, and is not link-local: Azure, Alibaba, AWS and Google. */
const clouds = inside('168.63.129.16/32 100.100.100.200/32 fd00:ec2::254/128 fd20:ce::254/128')
/** Of IPv6, what is given out for the Internet; `::ffff:` is IPv4 in another spelling. */
const internet = inside('2000::/3 64:ff9b::/96 ::ffff:0:0/96')

/** @param address an IPv4 or IPv6 address, as text. */
export function nearnessOf(address: string): Nearness {
  const version = isIP(address)
  if (version === 0) return 'nowhere'
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (clouds.check(address, family)) return 'nowhere'
  if (machine.check(address, family)) return 'machine'
  if (privateNetworks.check(address, family)) return 'private'
  if (nowhere.check(address, family)) return 'nowhere'
  return family === 'ipv4' || internet.check(address, family) ? 'public' : 'nowhere'
}
