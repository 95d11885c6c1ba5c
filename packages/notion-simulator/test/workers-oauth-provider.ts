/**
 * The OAuth library on which Notion's server runs, `@cloudflare/workers-oauth-provider`, as an HTTP server on this machine:
 * authorization server and MCP endpoint at one origin, storage in memory. Consent is given at once.
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { registerHooks } from 'node:module'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'

export type ProviderOptions = {
  /** At least 60. */
  accessTokenTTL?: number
  /** At least 60. */
  refreshTokenTTL?: number
}

export type WorkersOAuthProvider = {
  url: string
  mcpUrl: string
  /** Method and path of each request, oldest first, with the grant type of those to the token endpoint. */
  requests: string[]
  /** Processes the next request of this grant type, and closes the connection instead of responding. */
  loseNextResponse(grantType: string): void
  /** Deletes all access tokens; the library then responds with 401. */
  expireAccessTokens(): void
  /** Revokes all grants and their tokens, like a user who removes the connection. */
  revokeGrants(): Promise<void>
  /** Deletes all dynamic registrations. */
  forgetClients(): void
  /** The keys of the storage, e.g. `grant:<user>:<grant>`. */
  keys(): string[]
  close(): Promise<void>
}

const USER = 'ada'
const WORKSPACE = { id: '7d1f6f0e-5a0c-4a3e-9d53-0f6c1f0a9a11', name: 'Acme' }

// The library requires a class of Cloudflare's runtime, to recognize handlers that are classes.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'cloudflare:workers'
      ? { url: 'data:text/javascript,export class WorkerEntrypoint {}', shortCircuit: true }
      : next(specifier, context),
})
// It checks a setting of that runtime when it is loaded, and warns if it is missing.
Object.assign(globalThis, { Cloudflare: { compatibilityFlags: { global_fetch_strictly_public: true } } })

/** Starts a server with the library in this process, on a free port. */
export async function startWorkersOAuthProvider(options: ProviderOptions = {}): Promise<WorkersOAuthProvider> {
  const { AuthorizationError, getOAuthApi, OAuthProvider } = await import('@cloudflare/workers-oauth-provider')
  const requests: string[] = []
  const storage = memoryStorage()
  const env = { OAUTH_KV: storage.namespace }
  // Set when the port is known, before the first request.
  let respond: (request: Request) => Promise<Response>
  let lostGrantType: string | undefined
  const server = createAdaptorServer({
    fetch: async (request, { incoming }) => {
      const grantType = /(?:^|&)grant_type=(\w+)/.exec(await request.clone().text())?.[1]
      requests.push([request.method, new URL(request.url).pathname, grantType].filter(Boolean).join(' '))
      const response = await respond(request)
      if (grantType === undefined || grantType !== lostGrantType) return response
      lostGrantType = undefined
      incoming.socket.destroy()
      return RESPONSE_ALREADY_SENT
    },
    overrideGlobalObjects: false,
  }) as Server // It makes an HTTP/1 server unless told otherwise.
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const url = `http://localhost:${(server.address() as AddressInfo).port}`

  const settings = {
    ...options,
    apiRoute: '/mcp',
    apiHandler: { fetch: mcp },
    defaultHandler: {
      fetch: async (request: Request) =>
        new URL(request.url).pathname === '/authorize'
          ? authorize(request)
          : new Response('Not found', { status: 404 }),
    },
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/token',
    clientRegistrationEndpoint: '/register',
    scopesSupported: ['default'],
    resourceMetadata: { resource: `${url}/mcp`, authorization_servers: [url], resource_name: 'Notion MCP' },
    // Notion lists the grant type of Enterprise-managed authorization; no identity provider is trusted here.
    enterpriseManagedAuthorization: { trustedIssuers: () => null, mapClaims: () => null },
    onError: () => undefined,
  }
  const provider = new OAuthProvider(settings as never)
  const api = getOAuthApi(settings as never, env as never)
  const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
  respond = (request) => provider.fetch(request, env as never, context as never)

  async function authorize(request: Request): Promise<Response> {
    try {
      const asked = await api.parseAuthRequest(request)
      const scope = asked.scope.filter((name) => name === 'default')
      const { redirectTo } = await api.completeAuthorization({
        request: asked,
        userId: USER,
        metadata: {},
        scope,
        props: { userId: USER },
      })
      return Response.redirect(redirectTo, 302)
    } catch (error) {
      if (!(error instanceof AuthorizationError)) throw error
      if (error.redirectTo === undefined) return new Response(error.description, { status: 400 })
      return Response.redirect(error.redirectTo, 302)
    }
  }

  return {
    url,
    mcpUrl: `${url}/mcp`,
    requests,
    loseNextResponse(grantType) {
      lostGrantType = grantType
    },
    expireAccessTokens: () => storage.forget('token:'),
    async revokeGrants() {
      const { items } = await api.listUserGrants(USER)
      for (const { id } of items) await api.revokeGrant(id, USER)
    },
    forgetClients: () => storage.forget('client:'),
    keys: () => storage.keys(),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** A minimal MCP server: `initialize`, `tools/list`, and tools; `notion-fetch` returns the workspace. */
async function mcp(request: Request): Promise<Response> {
  if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } })
  const { id, method, params } = (await request.json()) as { id?: unknown; method: string; params?: McpParameters }
  if (id === undefined) return new Response(null, { status: 202 })
  return Response.json({ jsonrpc: '2.0', id, ...mcpOutcome(method, params ?? {}) })
}

type McpParameters = { protocolVersion?: string; name?: string; arguments?: unknown }

function mcpOutcome(method: string, { protocolVersion, name, arguments: input }: McpParameters): object {
  const text = (value: unknown) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })
  switch (method) {
    case 'initialize': {
      const serverInfo = { name: 'Notion MCP', version: '1.0.1' }
      return { result: { protocolVersion, capabilities: { tools: {} }, serverInfo } }
    }
    case 'tools/list': {
      const inputSchema = { type: 'object' }
      return { result: { tools: ['notion-fetch', 'notion-search'].map((tool) => ({ name: tool, inputSchema })) } }
    }
    case 'tools/call':
      if (name !== 'notion-fetch') return { result: text({ tool: name, arguments: input }) }
      return { result: text({ self: { workspace: WORKSPACE, user: { id: USER, name: 'Ada Sandberg' } } }) }
    default:
      return { error: { code: -32601, message: 'Method not found' } }
  }
}

/** The part of Cloudflare's KV that the library uses. */
function memoryStorage() {
  type Entry = { value: string; metadata?: unknown; expiresAt: number }
  type PutOptions = { expirationTtl?: number; expiration?: number; metadata?: unknown }
  const entries = new Map<string, Entry>()
  const find = (key: string): Entry | undefined => {
    const entry = entries.get(key)
    if (entry && entry.expiresAt > Date.now()) return entry
    entries.delete(key)
    return undefined
  }
  const keys = () => [...entries.keys()].filter(find)
  return {
    keys,
    forget(prefix: string) {
      for (const key of keys()) if (key.startsWith(prefix)) entries.delete(key)
    },
    namespace: {
      async get(key: string, { type }: { type?: 'json' } = {}): Promise<unknown> {
        const value = find(key)?.value ?? null
        return type === 'json' && value !== null ? JSON.parse(value) : value
      },
      async put(key: string, value: string, { expirationTtl, expiration, metadata }: PutOptions = {}): Promise<void> {
        const expiresAt =
          expirationTtl !== undefined ? Date.now() + expirationTtl * 1000 : (expiration ?? Infinity) * 1000
        entries.set(key, { value, metadata, expiresAt })
      },
      async delete(key: string): Promise<void> {
        entries.delete(key)
      },
      async list({ prefix = '' }: { prefix?: string } = {}) {
        const found = keys().filter((key) => key.startsWith(prefix))
        return { keys: found.map((name) => ({ name, metadata: find(name)?.metadata })), list_complete: true }
      },
    },
  }
}
