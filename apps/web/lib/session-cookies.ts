/**
 * The first part of the names of all cookies of a session. On https it begins with `__Host-`: browsers then take such a cookie only from this very
 * host, and not from a neighbour below the same domain (RFC 6265bis §4.1.3.2).
 */
export const cookiePrefix = (webUrl: string): string =>
  webUrl.startsWith('https:') ? '__Host-better-auth' : 'better-auth'

const OLD = '__Secure-better-auth.'
const NEW = '__Host-better-auth.'

/**
 * A `Cookie` header in which cookies of 0.1 count under their present names, so that nobody is signed out by the upgrade. A cookie that is there under
 * its present name stays as it is. To be removed one release later.
 */
export function withPresentNames(header: string): string {
  const cookies = header.split(';').map((cookie) => cookie.trim())
  const present = new Set(cookies.map(nameOf))
  return cookies
    .map((cookie) => {
      const renamed = cookie.startsWith(OLD) ? NEW + cookie.slice(OLD.length) : cookie
      return present.has(nameOf(renamed)) ? cookie : renamed
    })
    .join('; ')
}

const nameOf = (cookie: string): string => cookie.slice(0, cookie.indexOf('='))
