import { once } from 'node:events'
import { createConnection } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import {
  connect,
  INITIALIZE,
  type Json,
  MCP_HEADERS,
  messagesOf,
  postMcp,
  simulator,
  toolCall,
  toolResult,
} from './client.ts'

/** The official client, with the older revision or with version negotiation. */
async function client(notion: Simulator, accessToken: string, era: 'legacy' | 'auto'): Promise<Client> {
  const official = new Client(
    { name: 'test', version: '1' },
    era === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {},
  )
  const headers = { authorization: `Bearer ${accessToken}` }
  await official.connect(new StreamableHTTPClientTransport(new URL(notion.mcpUrl), { requestInit: { headers } }))
  return official
}

/** Polls until the condition holds. */
async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('It never came to that')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('a response', () => {
  it('to initialize has the captured bytes', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const asked = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: '2024-11-05' } }
    const response = await postMcp(notion, tokens.access_token, asked)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.has('mcp-session-id')).toBe(false)
    const text = await response.text()
    expect(text.startsWith('event: message\ndata: {')).toBe(true)
    expect(text.endsWith('}\n\n')).toBe(true)
    expect(JSON.parse(text.slice('event: message\ndata: '.length))).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {
        protocolVersion: '2024-11-05',
        capabilities: { tools: { listChanged: true }, resources: { listChanged: true } },
        serverInfo: { name: 'Notion MCP', version: '1.0.1' },
      },
    })
  })

  it('to a notification is 202 without a body', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const response = await postMcp(notion, tokens.access_token, { jsonrpc: '2.0', method: 'notifications/initialized' })
    expect(response.status).toBe(202)
    expect(await response.text()).toBe('')
  })

  it('is JSON with the option answers', async () => {
    const notion = await simulator({ options: { answers: 'json' } })
    const { tokens } = await connect(notion)
    const response = await postMcp(notion, tokens.access_token, INITIALIZE)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toMatchObject({ id: 1, result: { serverInfo: { name: 'Notion MCP' } } })
  })

  it('has a session id without meaning with sessions: header', async () => {
    const notion = await simulator({ options: { sessions: 'header' } })
    const { tokens } = await connect(notion)
    const response = await postMcp(notion, tokens.access_token, INITIALIZE)
    expect(response.headers.get('mcp-session-id')).toMatch(/^[0-9a-f]{64}$/)
    const next = await postMcp(notion, tokens.access_token, toolCall('notion-get-teams'), {
      'mcp-session-id': 'invented',
    })
    expect(next.status).toBe(200)
  })
})

describe('the official client', () => {
  it.each(['legacy', 'auto'] as const)('(%s) lists and calls tools and reads resources', async (era) => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const official = await client(notion, tokens.access_token, era)
    const { tools } = await official.listTools()
    expect(tools.map(({ name }) => name)).toContain('notion-search')
    const result = await official.callTool({ name: 'notion-fetch', arguments: { id: 'self' } })
    expect(JSON.stringify(result.content)).toContain('ada@acme.test')
    const { resources } = await official.listResources()
    expect(resources.map(({ uri }) => uri)).toEqual([
      'notion://docs/enhanced-markdown-spec',
      'notion://docs/view-dsl-spec',
      'notion://docs/skills',
    ])
    const { contents } = await official.readResource({ uri: 'notion://docs/skills' })
    expect(contents[0]).toMatchObject({ mimeType: 'text/markdown', text: expect.stringContaining('# Skills') })
    await official.close()

    const methods = notion.recorded.mcpRequests.map(({ method }) => method)
    expect(methods.includes('server/discover')).toBe(era === 'auto')
    expect(methods.includes('initialize')).toBe(era === 'legacy')
  })

  it.each(['legacy', 'auto'] as const)('(%s) receives progress while the tool runs', async (era) => {
    const notion = await simulator({ options: { testTools: true } })
    const { tokens } = await connect(notion)
    const official = await client(notion, tokens.access_token, era)
    const heard: string[] = []
    await official.callTool(
      { name: 'simulator-stream', arguments: { events: 3, interval_ms: 10 } },
      { onprogress: ({ message }) => heard.push(message ?? '') },
    )
    expect(heard).toEqual(['event 1 of 3', 'event 2 of 3', 'event 3 of 3'])
    await official.close()
  })

  it('(auto) is notified of a changed list of tools', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const official = await client(notion, tokens.access_token, 'auto')
    let changes = 0
    const subscription = await official.listen({ toolsListChanged: true })
    official.setNotificationHandler('notifications/tools/list_changed', () => {
      changes++
    })
    await notion.admin.notifyToolsChanged()
    await eventually(() => changes === 1)
    await subscription.close()
    await official.close()
  })
})

describe('an invalid request', () => {
  const error = async (response: Response) => ({ status: response.status, ...((await response.json()) as Json) })

  it.each<[string, Record<string, string>, string, object]>([
    [
      'that takes no SSE',
      { accept: 'application/json' },
      JSON.stringify(INITIALIZE),
      { status: 406, error: { code: -32000 } },
    ],
    ['that is not JSON by its type', { 'content-type': 'text/plain' }, '{}', { status: 415, error: { code: -32000 } }],
    ['that is not JSON', {}, '{', { status: 400, error: { code: -32700 } }],
    [
      'with a foreign origin',
      { origin: 'https://evil.test' },
      JSON.stringify(INITIALIZE),
      { status: 403, error: { code: -32000, message: 'Invalid Origin: evil.test' }, id: null },
    ],
    [
      'with the origin of a local page',
      { origin: 'http://localhost:3000' },
      JSON.stringify(INITIALIZE),
      { status: 403, error: { code: -32000, message: 'Invalid Origin: localhost' } },
    ],
    [
      'in a version that does not exist',
      { 'mcp-protocol-version': '1999-01-01' },
      JSON.stringify(toolCall('notion-get-teams')),
      { status: 400, error: { code: -32000 } },
    ],
  ])('%s is refused', async (_, headers, body, expected) => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    expect(await error(await postMcp(notion, tokens.access_token, body, headers))).toMatchObject(expected)
  })

  it('is refused for its credentials first, even with a foreign origin', async () => {
    const notion = await simulator()
    expect((await postMcp(notion, undefined, INITIALIZE, { origin: 'https://evil.test' })).status).toBe(401)
  })

  it('may have any origin without allowedOrigins', async () => {
    const notion = await simulator({ options: { allowedOrigins: null } })
    const { tokens } = await connect(notion)
    const response = await postMcp(notion, tokens.access_token, INITIALIZE, { origin: 'https://any.test' })
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://any.test')
  })

  it('by GET or DELETE is not allowed', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const headers = { authorization: `Bearer ${tokens.access_token}`, accept: 'text/event-stream' }
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(notion.mcpUrl, { method, headers })
      expect(await error(response)).toEqual({
        status: 405,
        jsonrpc: '2.0',
        error: { code: -32000, message: 'Method not allowed.' },
        id: null,
      })
    }
  })

  it('that is aborted before its end is ignored', async () => {
    const notion = await simulator()
    const { hostname, port } = new URL(notion.url)
    const socket = createConnection(Number(port), hostname)
    await once(socket, 'connect')
    const head = ['POST /mcp HTTP/1.1', `Host: ${hostname}`, 'Content-Length: 100', '', '{"jsonrpc"'].join('\r\n')
    await new Promise((resolve) => socket.write(head, resolve))
    socket.destroy()
    const { tokens } = await connect(notion)
    expect((await postMcp(notion, tokens.access_token, INITIALIZE)).status).toBe(200)
    expect(notion.recorded.mcpRequests).toHaveLength(1)
  })

  it('names an unknown tool, or omits required arguments', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const [unknown] = await messagesOf(await postMcp(notion, tokens.access_token, toolCall('notion-delete-page')))
    expect(unknown).toMatchObject({ error: { code: -32602, message: expect.stringContaining('not found') } })
    const invalid = await toolResult(notion, tokens.access_token, 'search', { query: '' })
    expect(invalid.isError).toBe(true)
    expect(invalid.content[0]?.text).toContain('query')
  })
})

describe('a stream', () => {
  it('arrives event by event', async () => {
    const notion = await simulator({ options: { testTools: true } })
    const { tokens } = await connect(notion)
    const call = toolCall('simulator-stream', { events: 3, interval_ms: 60 })
    Object.assign(call['params'] as Json, { _meta: { progressToken: 'p' } })
    const response = await postMcp(notion, tokens.access_token, call)
    const arrivals: number[] = []
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response.body ?? []) {
      arrivals.push(performance.now())
      text += decoder.decode(chunk, { stream: true })
    }
    expect(text.match(/notifications\/progress/g)).toHaveLength(3)
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(90)
  })

  it('sends keep-alives while a tool is silent', async () => {
    const notion = await simulator({ options: { testTools: true, keepAliveMs: 10 } })
    const { tokens } = await connect(notion)
    const text = await (
      await postMcp(notion, tokens.access_token, toolCall('simulator-wait', { at_most_ms: 60 }))
    ).text()
    expect(text).toMatch(/^: keepalive\n\n/)
  })

  it('aborts the tool when its reader disconnects, and records it', async () => {
    const notion = await simulator({ options: { testTools: true } })
    const { tokens } = await connect(notion)
    const leaving = new AbortController()
    const call = postMcp(notion, tokens.access_token, toolCall('simulator-wait'), {}, leaving.signal)
    const body = await call
    await eventually(() => notion.recorded.mcpRequests.length === 1)
    expect(notion.recorded.mcpRequests[0]).toMatchObject({ tool: 'simulator-wait', aborted: false, status: 200 })
    leaving.abort()
    await expect(body.text()).rejects.toThrow()
    await eventually(() => notion.recorded.mcpRequests[0]?.toolOutcome !== undefined)
    expect(notion.recorded.mcpRequests[0]).toMatchObject({
      aborted: true,
      abortedAt: expect.any(String),
      toolOutcome: 'abandoned',
    })
  })

  it('is not recorded as aborted when it is read to its end', async () => {
    const notion = await simulator({ options: { testTools: true } })
    const { tokens } = await connect(notion)
    const text = await (
      await postMcp(notion, tokens.access_token, toolCall('simulator-payload', { characters: 3_000_000 }))
    ).text()
    expect(text.length).toBeGreaterThan(3_000_000)
    await eventually(() => notion.recorded.mcpRequests[0]?.finishedAt !== undefined)
    expect(notion.recorded.mcpRequests[0]).toMatchObject({ aborted: false, sentBytes: Buffer.byteLength(text) })
  })

  it('applies backpressure', async () => {
    const notion = await simulator({ options: { testTools: true } })
    const { tokens } = await connect(notion)
    const response = await postMcp(
      notion,
      tokens.access_token,
      toolCall('simulator-payload', { characters: 60_000_000 }),
    )
    const reader = response.body?.getReader()
    await reader?.read()
    const [seen] = notion.recorded.mcpRequests
    // The socket buffers fill up; afterwards nothing more is sent.
    let sent = -1
    while (sent !== (seen?.sentBytes ?? 0)) {
      sent = seen?.sentBytes ?? 0
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(sent).toBeGreaterThan(0)
    expect(sent).toBeLessThan(30_000_000)
    expect(seen?.finishedAt).toBeUndefined()
    await reader?.cancel()
  })

  it('can be opened by GET with getStream, and stays silent', async () => {
    const notion = await simulator({ options: { getStream: true, keepAliveMs: 10 } })
    const { tokens } = await connect(notion)
    const headers = { authorization: `Bearer ${tokens.access_token}`, accept: 'text/event-stream' }
    const response = await fetch(notion.mcpUrl, { headers })
    expect(response.status).toBe(200)
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(new TextDecoder().decode(first?.value)).toBe(': keepalive\n\n')
    await reader?.cancel()
  })
})

describe('a recorded MCP request', () => {
  it('is the request as received', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const body =
      '{"jsonrpc":"2.0",  "id":"a-1","method":"tools/call","params":{"name":"notion-search","arguments":{"query":"é"}}}'
    await postMcp(notion, tokens.access_token, body, { 'X-Odd': 'Yes', cookie: 'a=b' })
    expect(notion.recorded.mcpRequests[0]).toMatchObject({
      at: '2026-10-01T12:00:00.000Z',
      httpMethod: 'POST',
      headers: { 'x-odd': 'Yes', cookie: 'a=b', ...MCP_HEADERS },
      body,
      bodyBytes: Buffer.byteLength(body),
      method: 'tools/call',
      id: 'a-1',
      tool: 'notion-search',
      toolOutcome: 'success',
      status: 200,
    })
    notion.clearRecorded()
    expect(notion.recorded.mcpRequests).toEqual([])
  })
})
