import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { connect, INITIALIZE, type Json, messagesOf, postMcp, simulator, toolCall } from './client.ts'

const january = () => simulator({ profile: 'notion-2026-01' })

async function opened(notion: Simulator): Promise<{ accessToken: string; sessionId: string }> {
  const { tokens } = await connect(notion)
  const response = await postMcp(notion, tokens.access_token, INITIALIZE)
  await response.text()
  return { accessToken: tokens.access_token, sessionId: response.headers.get('mcp-session-id') ?? '' }
}

const error = async (response: Response) => ({ status: response.status, ...((await response.json()) as Json) })

describe('a session of January 2026', () => {
  it('begins with initialize and has an id of 64 hex digits', async () => {
    const notion = await january()
    const { accessToken, sessionId } = await opened(notion)
    expect(sessionId).toMatch(/^[0-9a-f]{64}$/)
    const headers = { 'mcp-session-id': sessionId }
    const accepted = await postMcp(
      notion,
      accessToken,
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      headers,
    )
    expect(accepted.status).toBe(202)
    const [message] = await messagesOf(await postMcp(notion, accessToken, toolCall('notion-get-teams'), headers))
    expect(message).toMatchObject({ id: 7, result: { content: [{ type: 'text' }] } })
  })

  it('works with the official client, including its stream and its end', async () => {
    const notion = await january()
    const { tokens } = await connect(notion)
    const transport = new StreamableHTTPClientTransport(new URL(notion.mcpUrl), {
      requestInit: { headers: { authorization: `Bearer ${tokens.access_token}` } },
    })
    const official = new Client({ name: 'test', version: '1' })
    const heard = new Promise<void>((resolve) => {
      official.setNotificationHandler('notifications/tools/list_changed', () => resolve())
    })
    await official.connect(transport)
    await official.callTool({ name: 'notion-fetch', arguments: { id: 'self' } })
    while (!notion.recorded.mcpRequests.some(({ httpMethod, status }) => httpMethod === 'GET' && status === 200)) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await notion.admin.notifyToolsChanged()
    await heard
    await transport.terminateSession()
    await official.close()
    expect(notion.recorded.mcpRequests.at(-1)).toMatchObject({ httpMethod: 'DELETE', status: 200 })
    expect(await notion.admin.forgetSessions()).toBe(0)
  })

  it.each<[string, unknown, Record<string, string>, object]>([
    [
      'that accepts only JSON',
      INITIALIZE,
      { accept: 'application/json' },
      {
        status: 406,
        error: {
          code: -32000,
          message: 'Not Acceptable: Client must accept both application/json and text/event-stream',
        },
      },
    ],
    [
      'with another content type',
      INITIALIZE,
      { 'content-type': 'text/plain' },
      {
        status: 415,
        error: { code: -32000, message: 'Unsupported Media Type: Content-Type must be application/json' },
      },
    ],
    ['that is not JSON', '{', {}, { status: 400, error: { code: -32700 } }],
    ['that is larger than 4 MiB', ' '.repeat(4 * 1024 * 1024 + 1), {}, { status: 413, error: { code: -32000 } }],
    [
      'that initializes inside a session',
      INITIALIZE,
      { 'mcp-session-id': 'any' },
      {
        status: 400,
        error: { code: -32600, message: 'Invalid Request: Initialization requests must not include a sessionId' },
      },
    ],
    [
      'outside a session',
      toolCall('notion-get-teams'),
      {},
      { status: 400, error: { code: -32000, message: 'Bad Request: Mcp-Session-Id header is required' } },
    ],
    [
      'in an unknown session',
      toolCall('notion-get-teams'),
      { 'mcp-session-id': 'unknown' },
      { status: 404, error: { code: -32001, message: 'Session not found' } },
    ],
  ])('refuses a request %s', async (_, message, headers, expected) => {
    const notion = await january()
    const { tokens } = await connect(notion)
    expect(await error(await postMcp(notion, tokens.access_token, message, headers))).toMatchObject(expected)
  })

  it('is unknown after DELETE, and after an administrator has closed it', async () => {
    const notion = await january()
    for (const end of ['delete', 'forget'] as const) {
      const { accessToken, sessionId } = await opened(notion)
      const headers = { 'mcp-session-id': sessionId }
      if (end === 'delete') {
        const authorization = `Bearer ${accessToken}`
        const response = await fetch(notion.mcpUrl, { method: 'DELETE', headers: { ...headers, authorization } })
        expect(response.status).toBe(200)
      } else expect(await notion.admin.forgetSessions()).toBe(1)
      const next = await postMcp(notion, accessToken, toolCall('notion-get-teams'), headers)
      expect(await error(next)).toMatchObject({ status: 404, error: { code: -32001 } })
    }
  })

  it('has no stream without getStream', async () => {
    const notion = await simulator({ profile: 'notion-2026-01', options: { getStream: false } })
    const { accessToken, sessionId } = await opened(notion)
    const headers = {
      authorization: `Bearer ${accessToken}`,
      'mcp-session-id': sessionId,
      accept: 'text/event-stream',
    }
    expect((await fetch(notion.mcpUrl, { headers })).status).toBe(405)
  })

  it('checks no origin', async () => {
    const notion = await january()
    const { tokens } = await connect(notion)
    expect((await postMcp(notion, tokens.access_token, INITIALIZE, { origin: 'https://any.test' })).status).toBe(200)
  })

  it('does not support the newer revision', async () => {
    const notion = await january()
    const { tokens } = await connect(notion)
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const discover = { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: meta } }
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' }
    expect(await error(await postMcp(notion, tokens.access_token, discover, headers))).toMatchObject({ status: 400 })
  })

  it('has pages with the older URLs', async () => {
    const notion = await january()
    const { accessToken, sessionId } = await opened(notion)
    const call = toolCall('notion-search', { query: 'launch plan' })
    const response = await postMcp(notion, accessToken, call, { 'mcp-session-id': sessionId })
    expect(await response.text()).toContain('https://www.notion.so/')
  })

  it('resumes an interrupted stream after the last event with resumable', async () => {
    const notion = await simulator({ profile: 'notion-2026-01', options: { resumable: true, testTools: true } })
    const { accessToken, sessionId } = await opened(notion)
    const headers = { 'mcp-session-id': sessionId, 'mcp-protocol-version': '2025-06-18' }
    const call = toolCall('simulator-stream', { events: 2, interval_ms: 5 })
    Object.assign(call['params'] as Json, { _meta: { progressToken: 'p' } })
    const text = await (await postMcp(notion, accessToken, call, headers)).text()
    const [first] = [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id ?? '')
    const resumed = await fetch(notion.mcpUrl, {
      headers: {
        ...headers,
        authorization: `Bearer ${accessToken}`,
        accept: 'text/event-stream',
        'last-event-id': first ?? '',
      },
    })
    expect(resumed.status).toBe(200)
    const reader = resumed.body?.getReader()
    let replayed = ''
    while (!replayed.includes('"result"')) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) break
      replayed += new TextDecoder().decode(value)
    }
    expect(replayed).toContain('event 2 of 2')
    expect(replayed).toContain('"result"')
    expect(replayed).not.toContain('event 1 of 2')
    await reader?.cancel()
  })
})
