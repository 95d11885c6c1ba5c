/**
 * Guards requests to untrusted URLs against server-side request forgery (SSRF): they must not reach this machine or its network, unless that is
 * configured. Names are checked when the connection is made, with the addresses that it uses, so that DNS rebinding does not get around the check.
 */
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** `reserved`: special-purpose addresses without a public server, and the metadata services of clouds, which give out secrets. */
export type AddressClass = 'public' | 'private' | 'loopback' | 'reserved'

/** The guard does not allow requests to this URL. */
export class ForbiddenUrl extends Error {
  override readonly name = 'ForbiddenUrl'
  /** `plain`: neither https nor loopback. Otherwise the class of its address. */
  readonly reason: 'plain' | Exclude<AddressClass, 'public'>

  constructor(host: string, reason: ForbiddenUrl['reason']) {
    super(`requests to ${host} are not allowed: ${reason}`)
    this.reason = reason
  }
}

export interface SsrfGuard {
  /** Checks the scheme and a literal address, without resolving names. @throws {ForbiddenUrl} */
  assertAllowed(url: URL): void
  /** Resolves a name to its allowed addresses; fails with {@link ForbiddenUrl} when it has none. For `net.connect`. */
  lookupFor(url: URL): LookupFunction
}

export interface SsrfGuardOptions {
  /** Classes that untrusted URLs may name besides `public`. */
  readonly alsoAllow?: readonly ('private' | 'loopback')[]
  /** Origins (`URL.origin`) from the operator's settings: every class but `reserved` is allowed, and plain http. */
  readonly trustedOrigins?: readonly string[]
  /** Resolves names. Default: the system's resolver. */
  readonly lookup?: LookupFunction
}

export function createSsrfGuard({
  alsoAllow = [],
  trustedOrigins = [],
  lookup = systemLookup as LookupFunction,
}: SsrfGuardOptions): SsrfGuard {
  const untrusted: readonly AddressClass[] = ['public', ...alsoAllow]
  const isTrusted = (url: URL) => trustedOrigins.includes(url.origin)
  return {
    assertAllowed(url) {
      if (isTrusted(url)) return
      const isLocal = isLoopback(url)
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) throw new ForbiddenUrl(url.host, 'plain')
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
      const addressClass = isLocal ? 'loopback' : isIP(host) === 0 ? 'public' : classifyAddress(host)
      if (addressClass !== 'public' && !untrusted.includes(addressClass)) throw new ForbiddenUrl(url.host, addressClass)
    },
    lookupFor(url) {
      // Plain http to a loopback name is allowed because the request stays on this machine, so the address must be loopback too.
      const allowed = isTrusted(url) ? trusted : isLoopback(url) ? loopbackOnly : untrusted
      return (host, options, done) =>
        lookup(host, { ...options, all: true }, (error, found) => {
          if (error) return done(error, [])
          const addresses = found as LookupAddress[]
          const [first, ...others] = addresses.filter(({ address }) => allowed.includes(classifyAddress(address)))
          if (!first) return done(new ForbiddenUrl(host, forbiddenClass(addresses)), [])
          if (options.all) done(null, [first, ...others])
          else done(null, first.address, first.family)
        })
    },
  }
}

const trusted: readonly AddressClass[] = ['public', 'private', 'loopback']
const loopbackOnly: readonly AddressClass[] = ['loopback']

/** The class that the error names. */
function forbiddenClass(addresses: readonly LookupAddress[]): Exclude<AddressClass, 'public'> {
  const found = addresses.map(({ address }) => classifyAddress(address))
  return (['loopback', 'private'] as const).find((addressClass) => found.includes(addressClass)) ?? 'reserved'
}

/** True for loopback names and addresses; plain http is safe there, as the request does not leave this machine. */
export const isLoopback = (url: URL): boolean => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)

/** @param subnets separated by blanks. */
const blockList = (subnets: string): BlockList => {
  const list = new BlockList()
  for (const subnet of subnets.split(' ')) {
    const [address = '', bits] = subnet.split('/')
    const isV6 = address.includes(':')
    list.addSubnet(address, Number(bits), isV6 ? 'ipv6' : 'ipv4')
    // NAT64: IPv6-only networks reach IPv4 addresses through this prefix (RFC 6052).
    if (!isV6) list.addSubnet(`64:ff9b::${address}`, 96 + Number(bits), 'ipv6')
  }
  return list
}

const loopback = blockList('127.0.0.0/8 ::1/128')
/** 198.18.0.0/15 is reserved for benchmarks, but local proxies resolve every name to it (fake IP mode). */
const privateNetworks = blockList('10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15 fc00::/7')
/** The other special-purpose networks ([RFC 6890](https://www.rfc-editor.org/rfc/rfc6890)), including link-local and multicast. */
const specialPurpose = blockList(
  '0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.51.100.0/24 203.0.113.0/24 ' +
    '224.0.0.0/4 240.0.0.0/4 2001::/23 2001:db8::/32 2002::/16 3fff::/20',
)
/** Metadata services of Azure, Alibaba, AWS and Google outside of the link-local networks. */
const cloudMetadata = blockList('168.63.129.16/32 100.100.100.200/32 fd00:ec2::254/128 fd20:ce::254/128')
/** IPv6: the global unicast range, NAT64, and IPv4-mapped addresses. */
const globalUnicast = blockList('2000::/3 64:ff9b::/96 ::ffff:0:0/96')

/** @param address an IPv4 or IPv6 address, as text. */
export function classifyAddress(address: string): AddressClass {
  const version = isIP(address)
  if (version === 0) return 'reserved'
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (cloudMetadata.check(address, family)) return 'reserved'
  if (loopback.check(address, family)) return 'loopback'
  if (privateNetworks.check(address, family)) return 'private'
  if (specialPurpose.check(address, family)) return 'reserved'
  return family === 'ipv4' || globalUnicast.check(address, family) ? 'public' : 'reserved'
}
