/**
 * Outbound HTTP proxies from the environment, with the rules of curl and undici's EnvHttpProxyAgent. Loopback addresses never use a proxy: there
 * they would be the proxy's machine. undici does not export its parser of `NO_PROXY`.
 */
import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { z } from 'zod'
import { isLoopback } from './ssrf-guard.ts'

export interface OutboundProxy {
  /** The proxy's origin, without credentials. */
  readonly url: URL
  /** The value of `Proxy-Authorization`, if there are credentials. A function, so that it is not logged with the rest. */
  readonly authorization: () => string | undefined
  /** The name of the setting, for error messages. */
  readonly setting: string
}

/** Selects the proxy for a URL; undefined for a direct connection. */
export type Proxies = (url: URL) => OutboundProxy | undefined

export const noProxies: Proxies = () => undefined

const proxyUrl = z.string().transform((text, context) => {
  // Like curl, accept `proxy.example.com:3128` too.
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url && /^https?:$/.test(url.protocol) && isDecodable(url.username) && isDecodable(url.password)) return url
  context.addIssue({ code: 'custom', message: 'must be the URL of an HTTP proxy, as http://proxy.example.com:3128' })
  return z.NEVER
})

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The settings, for the schema of a process. As in curl, the lower-case spelling takes precedence. */
export const proxySettings = {
  HTTPS_PROXY: proxyUrl.optional().meta({
    description:
      'Outbound HTTP proxy for https URLs: `http://name:password@proxy.example.com:3128` (`https://` for TLS to the proxy). It opens tunnels (CONNECT). Loopback addresses are never requested through it.',
    secret: true,
  }),
  https_proxy: proxyUrl.optional(),
  HTTP_PROXY: proxyUrl.optional().meta({
    description: 'Outbound HTTP proxy for http URLs, and for https URLs without `HTTPS_PROXY`.',
    secret: true,
  }),
  http_proxy: proxyUrl.optional(),
  NO_PROXY: z
    .string()
    .optional()
    .describe(
      'Hosts to connect to directly, separated by commas: names with their subdomains, addresses, networks (`10.0.0.0/8`), each with an optional `:port`; or `*`.',
    ),
  no_proxy: z.string().optional(),
}

export type ProxySettings = z.infer<z.ZodObject<typeof proxySettings>>

export function proxiesFrom(settings: ProxySettings): Proxies {
  const named = (...names: ('HTTPS_PROXY' | 'https_proxy' | 'HTTP_PROXY' | 'http_proxy')[]) => {
    const setting = names.find((name) => settings[name])
    return setting && outboundProxy(settings[setting]!, setting)
  }
  const plain = named('http_proxy', 'HTTP_PROXY')
  const secure = named('https_proxy', 'HTTPS_PROXY') ?? plain
  if (!plain && !secure) return noProxies
  const isExempt = parseNoProxy(settings.no_proxy ?? settings.NO_PROXY ?? '')
  return (url) => (isLoopback(url) || isExempt(url) ? undefined : url.protocol === 'https:' ? secure : plain)
}

function outboundProxy({ origin, username, password }: URL, setting: string): OutboundProxy {
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const authorization = username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  return { url: new URL(origin), authorization: () => authorization, setting }
}

function parseNoProxy(list: string): (url: URL) => boolean {
  if (list.trim() === '*') return () => true
  const rules = list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseRule)
  return (url) => rules.some((matches) => matches(normalizeHost(url.hostname), url.port || DEFAULT_PORTS[url.protocol]))
}

type Rule = (host: string, port: string | undefined) => boolean

const DEFAULT_PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' }

/** Removes the brackets of an IPv6 address and the trailing dot of a fully qualified name. */
const normalizeHost = (text: string): string => text.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')

function parseRule(entry: string): Rule {
  const [, host = entry, port] = /^([^:]+|\[.+\]):(\d+)$/.exec(entry) ?? []
  const isPort: Rule = (_host, given) => port === undefined || port === given
  const network = networkOf(normalizeHost(host))
  if (network) return (address, given) => isInside(network, address) && isPort(address, given)
  const plain = normalizeHost(host.replace(/^\*?\./, ''))
  const name = domainToASCII(plain) || plain.toLowerCase()
  return (given, at) => (given === name || given.endsWith(`.${name}`)) && isPort(given, at)
}

function isInside(network: BlockList, address: string): boolean {
  const version = isIP(address)
  return version !== 0 && network.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

/** Parses an address or a CIDR; undefined for anything else. */
function networkOf(text: string): BlockList | undefined {
  const [address = '', bits] = text.split('/')
  const version = isIP(address)
  if (version === 0) return undefined
  const size = version === 6 ? 128 : 32
  if (bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= size)) return undefined
  const network = new BlockList()
  network.addSubnet(address, Number(bits ?? size), version === 6 ? 'ipv6' : 'ipv4')
  return network
}
