/** An MCP server with its own authorization server, whose responses can be replaced by malicious or unexpected ones. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { certificateFor } from '@nmg/process/testing'

export type Handler = (req: IncomingMessage, res: ServerResponse) => void

export interface ForeignServer {
  readonly port: number
  readonly origin: string
  readonly mcpUrl: string
  /** Default responses, by path. */
  readonly usual: Readonly<Record<string, Handler>>
  /** Current responses, by path. */
  readonly handlers: Record<string, Handler>
  /** Overrides members of the authorization server's metadata. */
  readonly metadata: Record<string, unknown>
  /** Overrides members of the protected resource's metadata. */
  readonly resource: Record<string, unknown>
  /** `resource_metadata` of the challenge. */
  resourceMetadata: string | undefined
  /** Requests received by the token endpoint. */
  readonly tokenRequests: URLSearchParams[]
  accessTtlSeconds: number
  /** Restores the defaults. */
  reset(): void
  close(): void
}

export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Handler =>
  (_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(JSON.stringify(value))
  }

export const redirect =
  (location: string, status: number): Handler =>
  (_req, res) => {
    res.writeHead(status, { location })
    res.end()
  }

/**
 * @param host its public name. The server listens on loopback, with TLS unless the name is loopback, too.
 * @param issuerHost the public name of its authorization server.
 */
export async function foreignServer(host: string, issuerHost = host): Promise<ForeignServer> {
  const isSecure = !/^(127\.|.*localhost$)/.test(host)
  const listener: Handler = (req, res) => {
    const { pathname } = new URL(req.url ?? '/', origin)
    const handle = self.handlers[pathname]
    if (handle) handle(req, res)
    else json({ error: 'not_found' }, 404)(req, res)
  }
  const server = isSecure ? secureServer(host, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const scheme = isSecure ? 'https' : 'http'
  const origin = `${scheme}://${host}:${port}`
  const issuer = `${scheme}://${issuerHost}:${port}`
  const mcpUrl = `${origin}/mcp`

  const usual: Record<string, Handler> = {
    '/mcp': (req, res) => {
      if (req.headers.authorization) {
        void text(req).then((body) => {
          const { id, method } = JSON.parse(body) as { id?: unknown; method?: string }
          const outcome =
            method === 'tools/list' ? { result: { tools: [] } } : { error: { code: -32601, message: 'no' } }
          json({ jsonrpc: '2.0', id, ...outcome })(req, res)
        })
        return
      }
      const named = self.resourceMetadata ?? `${origin}/.well-known/oauth-protected-resource/mcp`
      res.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${named}"` })
      res.end()
    },
    '/.well-known/oauth-protected-resource/mcp': (req, res) =>
      json({ resource: mcpUrl, authorization_servers: [issuer], ...self.resource })(req, res),
    '/.well-known/oauth-authorization-server': (req, res) =>
      json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        registration_endpoint: `${issuer}/register`,
        revocation_endpoint: `${issuer}/revoke`,
        code_challenge_methods_supported: ['S256'],
        response_types_supported: ['code'],
        ...self.metadata,
      })(req, res),
    '/register': json({ client_id: 'a-client', token_endpoint_auth_method: 'none' }, 201),
    '/authorize': (req, res) => {
      const query = new URL(req.url ?? '/', origin).searchParams
      const callback = new URL(query.get('redirect_uri') ?? '')
      callback.search = new URLSearchParams({ code: 'a-code', state: query.get('state') ?? '' }).toString()
      redirect(callback.href, 302)(req, res)
    },
    '/token': (req, res) => {
      void text(req).then((form) => {
        self.tokenRequests.push(new URLSearchParams(form))
        const n = self.tokenRequests.length
        const lives = { expires_in: self.accessTtlSeconds, token_type: 'Bearer' }
        json({ access_token: `access-${n}`, refresh_token: `refresh-${n}`, ...lives })(req, res)
      })
    },
    '/revoke': json({}),
  }
  const self: ForeignServer = {
    port,
    origin,
    mcpUrl,
    usual,
    handlers: {},
    metadata: {},
    resource: {},
    resourceMetadata: undefined,
    tokenRequests: [],
    accessTtlSeconds: 3600,
    reset() {
      for (const part of [self.handlers, self.metadata, self.resource]) {
        for (const name of Object.keys(part)) delete part[name]
      }
      Object.assign(self.handlers, usual)
      self.resourceMetadata = undefined
      self.tokenRequests.length = 0
      self.accessTtlSeconds = 3600
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  self.reset()
  return self
}

function secureServer(host: string, listener: Handler) {
  const { key, cert } = certificateFor(host)
  setDefaultCACertificates([...getCACertificates(), cert])
  return createSecureServer({ key, cert }, listener)
}

/** A resolver for the current names of the map; others are not found. */
export const namesIn =
  (map: Record<string, string>): LookupFunction =>
  (name, _options, done) => {
    const address = map[name]
    if (address === undefined) done(Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' }), [])
    else done(null, [{ address, family: address.includes(':') ? 6 : 4 }])
  }
