/** Widely used MCP clients, with a space's endpoint as their server. */
import { inspect } from 'node:util'
import { createMCPClient } from '@ai-sdk/mcp'
import {
  Client,
  discoverOAuthProtectedResourceMetadata,
  InsufficientScopeError,
  StreamableHTTPClientTransport,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as FirstTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { UrlElicitationRequiredError as FirstUrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import { ActiveClients } from '@nmg/contract'
import { describe, expect, it } from 'vitest'
import { RETURN_BASE } from '../support/gateway.ts'
import { clientFixture } from './clients.ts'

const on = clientFixture()
const clientInfo = { name: 'real', version: '1.0.0' }
const URLS = { elicitation: { url: {} } }
const search = { name: 'notion-search', arguments: { query: 'launch plan' } }
const write = { name: 'notion-create-pages', arguments: { pages: [] } }
let spaces = 0
/** The error as text, including its causes and data. */
const inspectError = (error: unknown) => inspect(error, { depth: 6 })
const newSpace = () => `real-${++spaces}`

/** The operations that all clients share. */
interface Connected {
  tools(): Promise<string[]>
  call(tool: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<unknown>
}
type Connect = (
  url: string,
  credential: string,
  capabilities?: { elicitation?: { url: Record<string, string> } },
) => Promise<Connected>

const currentSdk =
  (mode: 'legacy' | 'auto', more: object = {}): Connect =>
  async (url, credential, capabilities = {}) => {
    const client = new Client(clientInfo, { capabilities, versionNegotiation: { mode } })
    const requestInit = { headers: { authorization: `Bearer ${credential}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit, ...more }))
    return {
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: (tool) => client.callTool(tool),
      close: () => client.close(),
    }
  }

const firstSdk: Connect = async (url, credential, capabilities = {}) => {
  const client = new FirstClient(clientInfo, { capabilities })
  const requestInit = { headers: { authorization: `Bearer ${credential}` } }
  await client.connect(new FirstTransport(new URL(url), { requestInit }) as never)
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (tool) => client.callTool(tool),
    close: () => client.close(),
  }
}

const aiSdk: Connect = async (url, credential, capabilities = {}) => {
  const client = await createMCPClient({
    transport: { type: 'http', url, headers: { authorization: `Bearer ${credential}` } },
    capabilities,
    clientName: 'real',
    maxRetries: 0,
    onUncaughtError: () => {},
  })
  return {
    tools: async () => Object.keys(await client.tools()),
    call: ({ name, arguments: args }) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  }
}

const clients: [string, Connect, '2025' | '2026'][] = [
  ['the SDK in legacy mode', currentSdk('legacy'), '2025'],
  ['the SDK in auto mode', currentSdk('auto'), '2026'],
  ['the first SDK', firstSdk, '2025'],
  ['the AI SDK', aiSdk, '2026'],
]

describe.each(clients)('%s', (_, connect, era) => {
  it('lists and calls tools with a key, and appears in the list of clients', async () => {
    const { id, key } = await on.newKey()
    const client = await connect(on.resource(), key)
    expect(await client.tools()).toContain('notion-create-pages')
    expect(JSON.stringify(await client.call(search))).toContain('Launch plan')
    await client.close()
    const listedEras = async () => {
      const { clients: all } = ActiveClients.parse(
        await (await on.gateway.fetch('/access/clients?space_id=north')).json(),
      )
      return all.filter(({ keyId, name }) => keyId === id && name !== '').map((one) => one.era)
    }
    await expect.poll(listedEras).toEqual([era])
  })

  it('lists only the tools that a read-only token may call, and gets an error for others', async () => {
    const client = await connect(on.resource(), await on.token('north', { scope: 'notion:read' }))
    const tools = await client.tools()
    expect(tools).toContain('notion-search')
    expect(tools).not.toContain('notion-create-pages')
    await client.call(search)
    const error = (await client.call(write).catch((reason: unknown) => reason)) as Error
    expect(error).toBeInstanceOf(Error)
    expect(inspectError(error)).toMatch(/notion:write|insufficient/i)
    await client.close()
  })

  it('gets an error with the link to connect Notion', async () => {
    const space = newSpace()
    const { key } = await on.newKey({ spaceId: space })
    const error = (await connect(on.resource(space), key).catch((reason: unknown) => reason)) as Error
    expect(error).toBeInstanceOf(Error)
    expect(inspectError(error)).toContain(`${RETURN_BASE}/?space=${space}`)
  })
})

describe('the AI SDK', () => {
  it('exposes reason and link as data of its error', async () => {
    const space = newSpace()
    await on.gateway.connect(space)
    const client = await aiSdk(on.resource(space), (await on.newKey({ spaceId: space })).key)
    await on.gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    const error = (await client.call(search).catch((reason: unknown) => reason)) as { code?: number; data?: object }
    expect(error).toMatchObject({
      code: 1011,
      data: { reason: 'not_connected', connectUrl: `${RETURN_BASE}/?space=${space}` },
    })
    await client.close()
  })
})

describe('a client that supports URL elicitation', () => {
  it.each([
    ['the SDK in legacy mode', currentSdk('legacy'), UrlElicitationRequiredError],
    ['the first SDK', firstSdk, FirstUrlElicitationRequiredError],
  ] as const)('gets the URL in an elicitation error: %s', async (_, connect, kind) => {
    const space = newSpace()
    await on.gateway.connect(space)
    const client = await connect(on.resource(space), (await on.newKey({ spaceId: space })).key, URLS)
    await client.call(search)
    await on.gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    const failed = client.call(search).catch((reason: unknown) => reason)
    const error = (await failed) as UrlElicitationRequiredError
    expect(error).toBeInstanceOf(kind)
    expect(error.elicitations).toMatchObject([{ mode: 'url', url: `${RETURN_BASE}/?space=${space}` }])
    await client.close()
  })

  it('of 2026-07-28 opens the URL, and its call succeeds once the user has connected Notion', async () => {
    const space = newSpace()
    await on.gateway.connect(space)
    const { key } = await on.newKey({ spaceId: space })
    const client = new Client(clientInfo, { capabilities: URLS, versionNegotiation: { mode: 'auto' } })
    const opened: unknown[] = []
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      opened.push(params)
      if (opened.length === 1) await on.gateway.connect(space)
      return { action: 'accept' }
    })
    const requestInit = { headers: { authorization: `Bearer ${key}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(on.resource(space)), { requestInit }))
    await on.gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })

    const result = await client.callTool(search)
    expect(JSON.stringify(result)).toContain('Launch plan')
    expect(opened).toMatchObject([{ mode: 'url', url: `${RETURN_BASE}/?space=${space}` }])

    // A user who accepts without connecting gets the error after one elicitation, not after ten.
    await on.gateway.fetch(`/integrations/notion/${space}`, { method: 'DELETE' })
    await expect(client.callTool(search)).rejects.toThrow(`${RETURN_BASE}/?space=${space}`)
    expect(opened).toHaveLength(2)
    await client.close()
  })
})

describe('a client with OAuth', () => {
  it('discovers its authorization server', async () => {
    const metadata = await discoverOAuthProtectedResourceMetadata(on.resource())
    expect(metadata).toMatchObject({ resource: on.resource(), authorization_servers: [on.issuer.url] })
  })

  it.each(['legacy', 'auto'] as const)('continues with a new token after its token expired (%s)', async (mode) => {
    let token = await on.token('north', { iat: 1, exp: 2 })
    let renewals = 0
    const authProvider = {
      token: async () => token,
      async onUnauthorized({ response }: { response: Response }) {
        expect(response.headers.get('www-authenticate')).toContain('resource_metadata=')
        renewals++
        token = await on.token()
      },
    }
    const client = new Client(clientInfo, { versionNegotiation: { mode } })
    await client.connect(new StreamableHTTPClientTransport(new URL(on.resource()), { authProvider }))
    await client.callTool(search)
    expect(renewals).toBe(1)
    await client.close()
  })

  it('reads the required scope from the challenge', async () => {
    const token = await on.token('north', { scope: 'notion:read' })
    const client = await currentSdk('legacy', { onInsufficientScope: 'throw' })(on.resource(), token)
    const failed = client.call(write).catch((reason: unknown) => reason)
    const error = (await failed) as InsufficientScopeError
    expect(error).toBeInstanceOf(InsufficientScopeError)
    expect(error.requiredScope).toBe('notion:read notion:write')
    await client.close()
  })
})
