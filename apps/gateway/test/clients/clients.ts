/** Test fixture: a gateway with a token issuer and a connected space, called over plain HTTP as MCP clients do. */
import type { CreatedAccessKey } from '@nmg/contract'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll } from 'vitest'
import { startGateway, type GatewayTestOptions, type InProcessGateway } from '../support/gateway.ts'
import { type Issuer, startIssuer, type TokenClaims, type TokenOptions } from './issuer.ts'

/** The gateway's response to an MCP client. */
export interface RpcResponse {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The message from the JSON body or from the last event of the stream. */
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

export interface ClientFixture {
  readonly simulator: Simulator
  readonly gateway: InProcessGateway
  readonly issuer: Issuer
  /** Starts another gateway on the same database with the same public URL. */
  replica(options?: Partial<GatewayTestOptions>): Promise<InProcessGateway>
  /** The URL of a space's endpoint for requests in the test. */
  endpoint(space?: string, at?: InProcessGateway): string
  /** The public URL of a space's endpoint: the audience of its tokens. */
  resource(space?: string): string
  /** Issues a token for the endpoint of the space; `claims` override its claims. */
  token(space?: string, claims?: TokenClaims, options?: TokenOptions): Promise<string>
  /** Creates an access key; `more` overrides its properties. */
  newKey(more?: Record<string, unknown>, user?: string): Promise<CreatedAccessKey>
  /** Sends a message with this credential and reads the complete response. */
  call(credential: string | undefined, url: string, call?: Call): Promise<RpcResponse>
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
/** The first message of a client, before 2026-07-28. */
export const initialize = (capabilities: object = {}, name = 'test-client') => ({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name, version: '1.2.3' } },
})
/** Adds the `_meta` that clients of 2026-07-28 send with each message. */
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
export async function call(credential: string | undefined, url: string, init: Call = {}): Promise<RpcResponse> {
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
  return { status: response.status, headers: response.headers, text, rpc: parseMessage(text) }
}

/** Starts the fixture before the tests of the file. @param env settings of the gateway. */
export function clientFixture(env: Record<string, string> = {}): ClientFixture {
  const publicUrl = () => fixture.gateway.url.replace('127.0.0.1', 'localhost')
  const settings = () => ({ CLIENT_TOKEN_ISSUERS: JSON.stringify([{ issuer: fixture.issuer.url }]), ...env })
  const parts: { simulator?: Simulator; gateway?: InProcessGateway; issuer?: Issuer } = {}

  beforeAll(async () => {
    parts.simulator = await startSimulator({
      options: { autoApprove: true, testTools: true, rateLimitPerMinute: null },
    })
    parts.issuer = await startIssuer()
    parts.gateway = await startGateway({ mcpUrl: parts.simulator.mcpUrl, env: settings() })
    await parts.gateway.connect('north')
  })
  afterAll(async () => {
    await parts.gateway?.stop()
    await parts.issuer?.close()
    await parts.simulator?.close()
  })

  const started = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('The fixture is only available within tests.')
    return part
  }
  const fixture: ClientFixture = {
    get simulator() {
      return started(parts.simulator)
    },
    get gateway() {
      return started(parts.gateway)
    },
    get issuer() {
      return started(parts.issuer)
    },
    replica: (options = {}) =>
      startGateway({
        mcpUrl: fixture.simulator.mcpUrl,
        databaseUrl: fixture.gateway.databaseUrl,
        env: { ...settings(), GATEWAY_PUBLIC_URL: publicUrl() },
        ...options,
      }),
    endpoint: (space = 'north', at = fixture.gateway) => `${at.url}/mcp/notion/spaces/${encodeURIComponent(space)}`,
    resource: (space = 'north') => `${publicUrl()}/mcp/notion/spaces/${encodeURIComponent(space)}`,
    token: (space = 'north', claims = {}, options = {}) =>
      fixture.issuer.token(fixture.resource(space), { space_id: space, ...claims }, options),
    async newKey(more = {}, user = 'ada') {
      const response = await fixture.gateway.fetch('/access/keys', {
        method: 'POST',
        user,
        body: JSON.stringify({ spaceId: 'north', scope: 'notion:write', name: 'a key', ...more }),
      })
      if (response.status !== 201)
        throw new Error(`Could not create a key: ${response.status} ${await response.text()}`)
      return (await response.json()) as CreatedAccessKey
    },
    call,
  }
  return fixture
}

function parseMessage(text: string): RpcResponse['rpc'] {
  const events = text.match(/^data: ?(\{.*\})$/gm)
  try {
    return JSON.parse(events?.at(-1)?.replace(/^data: ?/, '') ?? text) as RpcResponse['rpc']
  } catch {
    return {}
  }
}
