/** Well-known addresses of metadata documents, in the order in which the MCP authorization specification (2025-11-25) tries them. */

export interface MetadataLocation {
  readonly url: URL
  /** The URL for error messages, without a path chosen by a remote server. */
  readonly name: string
}

/**
 * Protected resource metadata of an MCP server ([RFC 9728 §3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)): the URL that the
 * challenge names, then the well-known URI with the server's path, then the one at the root. The root document comes last because its
 * `resource` lacks the path, and a token for it may be refused at the endpoint.
 *
 * @param named `resource_metadata` of the `WWW-Authenticate` header.
 */
export function resourceMetadataLocations(mcpServer: URL, named?: URL): readonly MetadataLocation[] {
  const wellKnown = '/.well-known/oauth-protected-resource'
  const paths = pathOf(mcpServer) === '' ? [wellKnown] : [wellKnown + mcpServer.pathname, wellKnown]
  const own = paths.map((path) => at(mcpServer, path)).map((url) => ({ url, name: url.href }))
  if (!named) return own
  const first = own.find(({ url }) => url.href === named.href) ?? {
    url: named,
    name: `the resource_metadata of the challenge, at ${named.origin}`,
  }
  return [first, ...own.filter((location) => location !== first)]
}

/**
 * Authorization server metadata ([RFC 8414 §3.1](https://www.rfc-editor.org/rfc/rfc8414#section-3.1), OpenID Connect Discovery §4). With
 * a path: OAuth by path insertion, OpenID by path insertion, OpenID by path appending. Without: OAuth, OpenID.
 */
export function issuerMetadataLocations(issuer: URL): readonly MetadataLocation[] {
  const [oauth, openid] = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']
  const path = pathOf(issuer)
  const paths: [path: string, name: string][] =
    path === ''
      ? [
          [oauth, oauth],
          [openid, openid],
        ]
      : [
          [oauth + path, `${oauth}/…`],
          [openid + path, `${openid}/…`],
          [path + openid, `/…${openid}`],
        ]
  return paths.map(([pathname, name]) => ({ url: at(issuer, pathname), name: issuer.origin + name }))
}

/** Empty for the root; without the terminating slash, as RFC 8414 §3.1 demands. */
const pathOf = ({ pathname }: URL): string => pathname.replace(/\/$/, '')

/** Not `new URL(path, base)`, in which a path with two leading slashes would be another host. */
function at({ origin }: URL, pathname: string): URL {
  const url = new URL(origin)
  url.pathname = pathname
  return url
}
