declare const parsed: unique symbol

/** A path below the application's origin. Only {@link parseReturnPath} makes one, so an open redirect cannot be expressed. */
export type ReturnPath = string & { readonly [parsed]: true }

/** Where the browser lands when the application named no place of its own. */
export const DEFAULT_RETURN_PATH = '/integrations/notion/callback' as ReturnPath

const MAX_LENGTH = 2000

/**
 * The return path that `text` names, or undefined when it could lead anywhere but below `base`'s origin: absolute and
 * scheme-relative URLs, backslashes, control characters (browsers drop tabs and line breaks inside URLs), userinfo tricks.
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

/** The absolute URL to send the browser to. `answer` is added to the path's own query. */
export function returnUrl(base: URL, path: ReturnPath, answer: Record<string, string | undefined>): URL {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(answer)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}
