/** The gateway's MCP endpoint, with or without the space in its address. */
const PROXY_PATH = '/mcp/notion/proxy'
const SPACES_PATH = '/mcp/notion/spaces/'

/** Which of the MCP endpoints a request is for. */
export interface McpTarget {
  /** In its one canonical spelling: what is said of the endpoint is said of this path. */
  readonly path: string
  /** The space that the address names. */
  readonly spaceId: string | undefined
}

/** The endpoint without a space. */
export const PROXY_TARGET: McpTarget = { path: PROXY_PATH, spaceId: undefined }

/** The MCP endpoint that a request's target names, with or without a trailing slash and a query. (The query goes nowhere.) */
export function mcpTarget(url: string): McpTarget | undefined {
  if (url === PROXY_PATH) return PROXY_TARGET
  const end = url.indexOf('?')
  const given = end === -1 ? url : url.slice(0, end)
  const path = given.endsWith('/') ? given.slice(0, -1) : given
  if (path === PROXY_PATH) return PROXY_TARGET
  if (!path.startsWith(SPACES_PATH)) return undefined
  const spaceId = decoded(path.slice(SPACES_PATH.length))
  return spaceId === undefined ? undefined : { path: SPACES_PATH + encodeURIComponent(spaceId), spaceId }
}

/** One segment of a path, if it names a space. */
function decoded(segment: string): string | undefined {
  if (segment.includes('/')) return undefined
  try {
    const spaceId = decodeURIComponent(segment)
    return isIdentifier(spaceId) ? spaceId : undefined
  } catch {
    return undefined
  }
}

/** Control characters and half characters have no place in an id, and databases would not keep them apart. */
export function isIdentifier(text: string): boolean {
  return text.length >= 1 && text.length <= 200 && !/[\p{Cc}\p{Cs}]/u.test(text)
}

const METADATA_PATH = '/.well-known/oauth-protected-resource'

/** What is said of an endpoint to clients ([RFC 9728 §3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)): where it is, and where that is written. */
export function resourceUrl(publicUrl: URL, target: McpTarget): string {
  return publicUrl.origin + target.path
}

export function metadataUrl(publicUrl: URL, target: McpTarget): string {
  return publicUrl.origin + METADATA_PATH + target.path
}

/** The endpoint whose metadata a path names. */
export function describedTarget(path: string): McpTarget | undefined {
  return path.startsWith(`${METADATA_PATH}/`) ? mcpTarget(path.slice(METADATA_PATH.length)) : undefined
}
