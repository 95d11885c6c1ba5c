declare const parsed: unique symbol

/** A path on the application's origin. Only {@link parseReturnPath} creates one, which rules out open redirects. */
export type ReturnPath = string & { readonly [parsed]: true }

/** Used when the application passes no return path. */
export const DEFAULT_RETURN_PATH = '/integrations/notion/callback' as ReturnPath

const MAX_LENGTH = 2000

/**
 * Parses a return path; undefined if it could lead outside of `base`'s origin: absolute and scheme-relative URLs,
 * backslashes, control characters (browsers drop tabs and line breaks inside URLs), userinfo tricks.
 */
export function parseReturnPath(text: string, base: URL): ReturnPath | undefined {
  if (!text.startsWith('/') || text.length > MAX_LENGTH) return undefined
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(text)) return undefined
  const url = URL.parse(text, base.href)
  if (!url || url.origin !== base.origin || url.username || url.password) return undefined
  const path = url.pathname + url.search + url.hash
  // `/.//host` is normalised to `//host`, which a browser would read as another origin.
  return path.startsWith('//') ? undefined : (path as ReturnPath)
}

/** The absolute URL of a redirect to the application. `parameters` are added to the path's own query. */
export function returnUrl(base: URL, path: ReturnPath, parameters: Record<string, string | undefined>): URL {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}
