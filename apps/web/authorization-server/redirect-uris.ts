/** Rules for redirect URIs at registration and in requests. */

/**
 * Schemes without a dot that clients are known to have registered with their operating systems. All others are reverse domain names
 * ([RFC 8252 §7.1](https://www.rfc-editor.org/rfc/rfc8252#section-7.1)), which belong to an application; short names such as `smb` do not.
 */
const KNOWN_SCHEMES = new Set([
  'cursor',
  'vscode',
  'vscode-insiders',
  'vscodium',
  'windsurf',
  'windsurf-next',
  'trae',
  'kiro',
  'zed',
  'claude',
  'goose',
  'raycast',
  'warp',
  'lmstudio',
  'jan',
  'cherrystudio',
])

/** A reverse domain name has at least two labels, and its first has letters only, as top-level domains have. */
const REVERSE_DOMAIN = /^[a-z]{2,63}(\.[a-z0-9][a-z0-9-]*)+$/

const LOOPBACK_HTTP = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?([/?]|$)/

/**
 * Why the browser is not sent there; undefined when it may be. Sites by https, programs on the user's machine by http on this machine's
 * own names, applications by a scheme of theirs ([RFC 8252 §7](https://www.rfc-editor.org/rfc/rfc8252#section-7)).
 */
export function whyNotRedirect(uri: string): string | undefined {
  if (/[^\x21-\x7e]|[\\*<>"]/.test(uri) || !URL.canParse(uri)) return 'A redirect URI must be an absolute URI.'
  const { protocol, username, password } = new URL(uri)
  if (uri.includes('#') || username || password)
    return 'A redirect URI must not contain a fragment, user name or password.'
  if (protocol === 'https:') return uri.startsWith('https://') ? undefined : 'A redirect URI must be an absolute URI.'
  if (protocol === 'http:') {
    // As it is written: what a URL parser makes of 127.1 or 0x7f000001 is not what other programs make of it.
    return LOOPBACK_HTTP.test(uri) ? undefined : 'An http redirect URI must use localhost, 127.0.0.1 or [::1].'
  }
  const scheme = protocol.slice(0, -1)
  if (KNOWN_SCHEMES.has(scheme) || REVERSE_DOMAIN.test(scheme)) return undefined
  return 'A private-use URI scheme must be a reverse domain name, as in com.example.app (RFC 8252 §7.1).'
}

export const isLoopbackRedirect = (uri: string): boolean => uri.startsWith('http:')

/** Display form of a redirect target. */
export function redirectTarget(uri: string): { kind: 'site' | 'machine' | 'application'; name: string } {
  const { protocol, host } = new URL(uri)
  if (protocol === 'https:') return { kind: 'site', name: host }
  return isLoopbackRedirect(uri) ? { kind: 'machine', name: host } : { kind: 'application', name: protocol }
}

/** Whether a request's redirect is one that was registered: letter by letter, but for the port on this machine (RFC 8252 §7.3). */
export function isRegisteredRedirect(registered: readonly string[], uri: string): boolean {
  const plain = (text: string) =>
    isLoopbackRedirect(text) ? text.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d+/, '$1') : text
  return registered.some((one) => one === uri || (isLoopbackRedirect(one) && plain(one) === plain(uri)))
}
