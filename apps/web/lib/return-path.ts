/** The path and query that the browser asked for. Set on every request by the server, because Next tells a layout neither. */
export const ASKED_PATH = 'x-asked-path'

/** Only there to have something that a path is below; no request goes there. */
const ANYWHERE = 'http://app.invalid'

/** `value` if it is a path of this app, to go on to after signing in, else `/`: the address bar can hold anything. */
export function returnPath(value: string | null | undefined): string {
  if (!value?.startsWith('/') || !URL.canParse(value, ANYWHERE)) return '/'
  const { origin, pathname, searchParams } = new URL(value, ANYWHERE)
  // As browsers read it: //host, /\\host and a tab between them name another host, and so does what is left of /.//host.
  if (origin !== ANYWHERE || pathname.startsWith('//')) return '/'
  // Next's own mark on what its pages fetch.
  searchParams.delete('_rsc')
  return searchParams.size > 0 ? `${pathname}?${searchParams}` : pathname
}
