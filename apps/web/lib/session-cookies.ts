const PREFIX = 'better-auth.'

/** Under https, cookies that no other host of the same domain can set or read: `__Host-` ([RFC 6265bis §4.1.3.2](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis)). */
const HOST_PREFIX = '__Host-'

/** How cookies were called before release 0.2. */
const FORMER_PREFIX = '__Secure-'

/** Cookie settings for better-auth. Its own option for secure cookies would add a different prefix. */
export const cookieSettings = (webUrl: string) =>
  webUrl.startsWith('https:')
    ? {
        useSecureCookies: false,
        cookiePrefix: HOST_PREFIX + PREFIX.slice(0, -1),
        defaultCookieAttributes: { secure: true, path: '/' },
      }
    : {}

/**
 * A request's `Cookie` header in which cookies of the former name have the present one, so that nobody is signed out by the update. Where both
 * are sent, the present one counts. Can go with the release after 0.2: sessions last a week.
 */
export function withPresentNames(cookies: string): string {
  const pairs = cookies.split(/;\s*/)
  const names = new Set(pairs.map((pair) => pair.split('=', 1)[0]))
  return pairs
    .flatMap((pair) => {
      if (!pair.startsWith(FORMER_PREFIX + PREFIX)) return [pair]
      const present = HOST_PREFIX + pair.slice(FORMER_PREFIX.length)
      return names.has(present.split('=', 1)[0]) ? [] : [present]
    })
    .join('; ')
}
