import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createMCPClient, ElicitationRequestSchema } from '@ai-sdk/mcp'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ConformanceServer, conformanceServer } from './conformance-server.ts'
import { type ProxyUnderTest, proxyUnderTest, sessionsInMemory } from './proxy-under-test.ts'

const headers = { authorization: 'Bearer service-token', 'x-space-id': 'north', 'x-user-id': 'ada' }
const person = { action: 'accept' as const, content: { name: 'Ada', username: 'ada', email: 'ada@north.test' } }
const clientInfo = { name: 'journey', version: '1.0.0' }
const capabilities = { elicitation: {} }

/** What a client experienced, in order. */
type Journey = (url: string, server: ConformanceServer) => Promise<unknown[]>

/** What all clients do alike, given how each of them calls a tool. */
async function calls(
  call: (name: string, args?: Record<string, unknown>) => Promise<unknown>,
  ...names: string[]
): Promise<unknown[]> {
  const experienced: unknown[] = []
  for (const name of [
    'test_simple_text',
    'test_image_content',
    'test_multiple_content_types',
    'test_error_handling',
    ...names,
  ]) {
    experienced.push(await call(name, name === 'test_elicitation' ? { message: 'Who are you?' } : {}))
  }
  return experienced
}

const current =
  (mode: 'legacy' | 'auto'): Journey =>
  async (url, server) => {
    const client = new Client(clientInfo, { capabilities, versionNegotiation: { mode } })
    client.setRequestHandler('elicitation/create', () => person)
    const changes: string[] = []
    client.setNotificationHandler('notifications/tools/list_changed', () => void changes.push('tools'))
    const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
    await client.connect(transport)

    const experienced: unknown[] = [
      client.getServerVersion(),
      client.getNegotiatedProtocolVersion(),
      await client.listTools(),
    ]
    const ask =
      mode === 'auto'
        ? ['test_input_required_result_elicitation', 'test_input_required_result_multi_round']
        : ['test_elicitation', 'test_reconnection']
    experienced.push(...(await calls((name, args) => client.callTool({ name, arguments: args ?? {} }), ...ask)))
    const progress: unknown[] = []
    await client.callTool(
      { name: 'test_tool_with_progress', arguments: {} },
      { onprogress: (step) => progress.push(step) },
    )
    experienced.push(progress, await client.readResource({ uri: 'test://static-text' }), await client.listPrompts())
    experienced.push(await client.readResource({ uri: 'test://nothing' }).catch((error: unknown) => String(error)))

    if (mode === 'auto') await client.listen({ toolsListChanged: true })
    // Until the stream is open, a change goes unseen.
    await vi.waitFor(async () => {
      await client.callTool({ name: 'test_trigger_tool_change', arguments: {} })
      expect(changes).not.toEqual([])
    })
    experienced.push(
      changes[0],
      await giveUp((signal) => client.callTool({ name: 'wait', arguments: {} }, { signal }), server),
    )
    if (mode === 'legacy') await transport.terminateSession()
    await client.close()
    return experienced
  }

const old: Journey = async (url, server) => {
  const client = new OldClient(clientInfo, { capabilities })
  client.setRequestHandler(ElicitRequestSchema, () => person)
  const changes: string[] = []
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void changes.push('tools'))
  const transport = new OldTransport(new URL(url), { requestInit: { headers } })
  await client.connect(transport as never)

  const experienced: unknown[] = [client.getServerVersion(), await client.listTools()]
  experienced.push(
    ...(await calls(
      (name, args) => client.callTool({ name, arguments: args ?? {} }),
      'test_elicitation',
      'test_reconnection',
    )),
  )
  const progress: unknown[] = []
  await client.callTool({ name: 'test_tool_with_progress', arguments: {} }, undefined, {
    onprogress: (step) => progress.push(step),
  })
  experienced.push(progress, await client.readResource({ uri: 'test://static-binary' }), await client.listPrompts())
  await vi.waitFor(async () => {
    await client.callTool({ name: 'test_trigger_tool_change', arguments: {} })
    expect(changes).not.toEqual([])
  })
  experienced.push(
    changes[0],
    await giveUp((signal) => client.callTool({ name: 'wait', arguments: {} }, undefined, { signal }), server),
  )
  await transport.terminateSession()
  await client.close()
  return experienced
}

const aiSdk =
  (discovers: boolean): Journey =>
  async (url) => {
    const client = await createMCPClient({
      transport: { type: 'http', url, headers },
      protocolVersionDiscovery: discovers,
      capabilities,
      maxRetries: 0,
      // In the older era it complains of every priming event.
      onUncaughtError: () => {},
    })
    client.onElicitationRequest(ElicitationRequestSchema, () => person)
    const tools = await client.tools()
    const experienced: unknown[] = [client.serverInfo, Object.keys(tools)]
    const ask = discovers ? 'test_input_required_result_elicitation' : 'test_elicitation'
    experienced.push(...(await calls((name, args) => client.callTool({ name, arguments: args ?? {} }), ask)))
    experienced.push(await client.readResource({ uri: 'test://template/7/data' }), await client.listPrompts())
    await client.close()
    return experienced
  }

/** Gives a call up while it is under way; whether the server came to know. */
async function giveUp(call: (signal: AbortSignal) => Promise<unknown>, server: ConformanceServer): Promise<string> {
  const before = server.givenUp()
  const stop = new AbortController()
  const seen = server.seen.length
  const called = call(stop.signal).catch(() => 'given up')
  await vi.waitFor(() => expect(server.seen.length).toBeGreaterThan(seen))
  stop.abort('enough')
  await vi.waitFor(() => expect(server.givenUp()).toBe(before + 1))
  return String(await called)
}

describe.each<[string, Journey]>([
  ['@modelcontextprotocol/client of 2025', current('legacy')],
  ['@modelcontextprotocol/client of 2026', current('auto')],
  ['@modelcontextprotocol/sdk 1', old],
  ['@ai-sdk/mcp of 2025', aiSdk(false)],
  ['@ai-sdk/mcp of 2026', aiSdk(true)],
])('%s', (_, journey) => {
  let server: ConformanceServer
  let proxy: ProxyUnderTest

  beforeEach(async () => {
    server = await conformanceServer()
    proxy = await proxyUnderTest(server.url)
  })

  afterEach(async () => {
    await proxy.close()
    await server.close()
  })

  it('experiences the same behind the gateway as without it', async () => {
    const direct = await journey(server.url.href, server)
    const behind = await journey(proxy.url, server)
    expect(behind).toEqual(direct)
    expect(JSON.stringify(behind)).toContain('This is a simple text response for testing.')
    expect(proxy.records.length).toBeGreaterThan(5)
  })

  it('does the same behind the gateway as without it', async () => {
    const trace = async (url: string) => {
      server.seen.length = 0
      await journey(url, server)
      // How often a change is asked for depends on when the stream is open.
      return [...new Set(server.seen)].sort()
    }
    expect(await trace(proxy.url)).toEqual(await trace(server.url.href))
  })
})

describe('a client whose replica is stopped', () => {
  it.each<[string, 'legacy' | 'auto']>([
    ['2025', 'legacy'],
    ['2026', 'auto'],
  ])('goes on with another one, in the era of %s', async (_, mode) => {
    const server = await conformanceServer()
    const sessions = sessionsInMemory()
    const replicas = [await proxyUnderTest(server.url, { sessions }), await proxyUnderTest(server.url, { sessions })]
    const balancer = await balance(replicas.map(({ port }) => port))
    const client = new Client(clientInfo, { versionNegotiation: { mode } })
    const changes: string[] = []
    client.setNotificationHandler('notifications/tools/list_changed', () => void changes.push('tools'))
    await client.connect(new StreamableHTTPClientTransport(new URL(balancer.url), { requestInit: { headers } }))
    const hear = async () => {
      changes.length = 0
      await vi.waitFor(
        async () => {
          if (mode === 'auto' && changes.length === 0) await client.listen({ toolsListChanged: true })
          await client.callTool({ name: 'test_trigger_tool_change', arguments: {} })
          expect(changes).not.toEqual([])
        },
        { timeout: 15_000, interval: 200 },
      )
    }
    await hear()
    await replicas[0]?.drain(5000)
    await hear()
    expect(replicas[1]?.records.length).toBeGreaterThan(0)
    await client.close()
    balancer.close()
    for (const replica of replicas) await replica.close()
    await server.close()
  })
})

/** A load balancer at its simplest: each connection goes to the first replica that takes it. */
async function balance(ports: readonly number[]): Promise<{ url: string; close(): void }> {
  const server = createServer((caller) => {
    const attempt = (i: number): void => {
      const port = ports[i]
      if (port === undefined) return void caller.destroy()
      const replica = connect(port, '127.0.0.1')
      replica.once('connect', () => {
        caller.pipe(replica).pipe(caller)
        replica.on('close', () => caller.destroy())
        caller.on('close', () => replica.destroy())
      })
      replica.on('error', () =>
        replica.readyState === 'opening' || replica.bytesRead === 0 ? attempt(i + 1) : caller.destroy(),
      )
    }
    caller.on('error', () => {})
    attempt(0)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp/notion/proxy`,
    close: () => void server.close(),
  }
}
