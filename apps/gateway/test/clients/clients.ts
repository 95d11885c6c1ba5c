/** A gateway with an issuer of tokens and connected spaces, and MCP clients that call it with plain HTTP. */
import type { CreatedAccessKey } from '@nmg/contract'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll } from 'vitest'
import { startGateway, type GatewayTestOptions, type InProcessGateway } from '../support/gateway.ts'
import { type Issuer, startIssuer, type Claims, type TokenOptions } from './issuer.ts'

/** How an answer of the gateway to an MCP client looks. */
export interface RpcAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The message, out of a JSON body or the last event of a stream. */
  readonly rpc: {
    id?: unknown
    result?: { tools?: { name: string }[]; content?: { text: string }[]; isError?: boolean; [name: string]: unknown }
    error?: { code: number; message: string; data: { reason?: string; connectUrl?: string; [name: string]: unknown } }
  }
}

export interface Call {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export interface Scene {
  readonly simulator: Simulator
  readonly gateway: InProcessGateway
  readonly issuer: Issuer
  /** Another gateway on the same database, known by the same public URL. */
  replica(options?: Partial<GatewayTestOptions>): Promise<InProcessGateway>
  /** The endpoint of a space, as the gateway is reached in the test. */
  endpoint(space?: string, at?: InProcessGateway): string
  /** What tokens for it are issued for. */
  resource(space?: string): string
  /** A token for the endpoint of the space, unless the claims say otherwise. */
  token(space?: string, claims?: Claims, options?: TokenOptions): Promise<string>
  newKey(more?: Record<string, unknown>, user?: string): Promise<CreatedAccessKey>
  /** POSTs a message (or whatever `body` is) with this credential; the answer whole. */
  call(credential: string | undefined, url: string, call?: Call): Promise<RpcAnswer>
}

export const LIST: { jsonrpc: string; id: string; method: string; params?: object } = {
  jsonrpc: '2.0',
  id: 'a-list',
  method: 'tools/list',
}
export const tool = (name: string, args: object = {}, id: unknown = 7) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})
/** What a client sends first, before 2026-07-28. */
export const initialize = (capabilities: object = {}, name = 'test-client') => ({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name, version: '1.2.3' } },
})
/** A message as clients of 2026-07-28 send it. */
export const modern = <T extends { params?: object }>(
  message: T,
  capabilities: object = {},
  name = 'modern-client',
) => ({
  ...message,
  params: {
    ...message.params,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': capabilities,
      'io.modelcontextprotocol/clientInfo': { name, version: '2.0.0' },
    },
  },
})

/** Sends a message as an MCP client does. */
export async function call(credential: string | undefined, url: string, init: Call = {}): Promise<RpcAnswer> {
  const { method = 'POST', headers = {}, body = LIST, signal } = init
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    ...(signal === undefined ? {} : { signal }),
    headers: {
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      accept: 'application/json, text/event-stream',
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, rpc: message(text) }
}

/** @param env for the gateway. */
export function scene(env: Record<string, string> = {}): Scene {
  const publicUrl = () => self.gateway.url.replace('127.0.0.1', 'localhost')
  const settings = () => ({ CLIENT_TOKEN_ISSUERS: JSON.stringify([{ issuer: self.issuer.url }]), ...env })
  const it: { simulator?: Simulator; gateway?: InProcessGateway; issuer?: Issuer } = {}

  beforeAll(async () => {
    it.simulator = await startSimulator({ options: { autoApprove: true, testTools: true, rateLimitPerMinute: null } })
    it.issuer = await startIssuer()
    it.gateway = await startGateway({ mcpUrl: it.simulator.mcpUrl, env: settings() })
    await it.gateway.connect('north')
  })
  afterAll(async () => {
    await it.gateway?.stop()
    await it.issuer?.close()
    await it.simulator?.close()
  })

  const there = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('only within a test')
    return part
  }
  const self: Scene = {
    get simulator() {
      return there(it.simulator)
    },
    get gateway() {
      return there(it.gateway)
    },
    get issuer() {
      return there(it.issuer)
    },
    replica: (options = {}) =>
      startGateway({
        mcpUrl: self.simulator.mcpUrl,
        databaseUrl: self.gateway.databaseUrl,
        env: { ...settings(), GATEWAY_PUBLIC_URL: publicUrl() },
        ...options,
      }),
    endpoint: (space = 'north', at = self.gateway) => `${at.url}/mcp/notion/spaces/${encodeURIComponent(space)}`,
    resource: (space = 'north') => `${publicUrl()}/mcp/notion/spaces/${encodeURIComponent(space)}`,
    token: (space = 'north', claims = {}, options = {}) =>
      self.issuer.token(self.resource(space), { space_id: space, ...claims }, options),
    async newKey(more = {}, user = 'ada') {
      const response = await self.gateway.fetch('/access/keys', {
        method: 'POST',
        user,
        body: JSON.stringify({ spaceId: 'north', scope: 'notion:write', name: 'a key', ...more }),
      })
      if (response.status !== 201) throw new Error(`no key: ${response.status} ${await response.text()}`)
      return (await response.json()) as CreatedAccessKey
    },
    call,
  }
  return self
}

function message(text: string): RpcAnswer['rpc'] {
  const events = text.match(/^data: ?(\{.*\})$/gm)
  try {
    return JSON.parse(events?.at(-1)?.replace(/^data: ?/, '') ?? text) as RpcAnswer['rpc']
  } catch {
    return {}
  }
}
