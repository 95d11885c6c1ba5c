import { describe, expect, it } from 'vitest'
import { SECOND } from '../src/clock.ts'
import {
  connect,
  INITIALIZE,
  type Json,
  messagesOf,
  postMcp,
  simulator,
  toolCall,
  toolRefusal,
  toolResult,
  use,
} from './client.ts'

const TEAMS = toolCall('notion-get-teams')

describe('the edge', () => {
  it.each([429, 529])('responds with %s, Retry-After and HTML', async (status) => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    notion.options.mcpFaults.push({ kind: 'edge-rate-limit', status, retryAfterSeconds: 5 })
    const response = await postMcp(notion, tokens.access_token, TEAMS)
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(response.headers.get('content-type')).toContain('text/html')
    expect((await postMcp(notion, tokens.access_token, TEAMS)).status).toBe(200)
  })

  it('fails with HTML, or refuses a valid token', async () => {
    const notion = await simulator({ options: { mcpFaults: [{ kind: 'edge-error' }, { kind: 'unauthorized' }] } })
    const { tokens } = await connect(notion)
    expect((await postMcp(notion, tokens.access_token, TEAMS)).status).toBe(502)
    const refused = await postMcp(notion, tokens.access_token, TEAMS)
    expect(refused.status).toBe(401)
    expect(await refused.json()).toEqual({ error: 'invalid_token', error_description: 'Invalid access token' })
    expect((await postMcp(notion, tokens.access_token, TEAMS)).status).toBe(200)
  })

  it('loses a request before or after the tool has run', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const create = toolCall('notion-create-pages', { pages: [{ properties: { title: 'Made once' } }] })
    const made = () =>
      [...(notion.workspaces[0]?.pages.values() ?? [])].filter(({ title }) => title === 'Made once').length
    for (const [kind, expected] of [
      ['lost-request', 0],
      ['lost-response', 1],
    ] as const) {
      notion.options.mcpFaults.push({ kind })
      await expect(postMcp(notion, tokens.access_token, create)).rejects.toThrow('fetch failed')
      expect(made()).toBe(expected)
      expect(notion.recorded.mcpRequests.at(-1)).toMatchObject({ fault: kind, aborted: false })
    }
  })

  it('cuts off a response', async () => {
    const notion = await simulator({ options: { mcpFaults: [{ kind: 'cut-stream', afterBytes: 30 }] } })
    const { tokens } = await connect(notion)
    const response = await postMcp(notion, tokens.access_token, TEAMS)
    expect(response.status).toBe(200)
    const received: Uint8Array[] = []
    const read = async () => {
      for await (const chunk of response.body ?? []) received.push(chunk)
    }
    await expect(read()).rejects.toThrow()
    expect(Buffer.concat(received).length).toBeLessThanOrEqual(30)
    expect(notion.recorded.mcpRequests[0]).toMatchObject({ sentBytes: 30, aborted: false })
  })

  it('is slow for one tool only', async () => {
    const notion = await simulator({
      options: { mcpFaults: [{ kind: 'slow', tool: 'notion-get-users', delayMs: 80 }] },
    })
    const { tokens } = await connect(notion)
    await use(notion, tokens.access_token, 'get-teams')
    expect(notion.options.mcpFaults).toHaveLength(1)
    const before = performance.now()
    await use(notion, tokens.access_token, 'get-users')
    expect(performance.now() - before).toBeGreaterThanOrEqual(79)
  })
})

describe('a tool', () => {
  it('exceeds the deadline of 55 seconds, with or without its effect', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    const pages = [{ properties: { title: 'Perhaps' } }]
    const made = () =>
      [...(notion.workspaces[0]?.pages.values() ?? [])].filter(({ title }) => title === 'Perhaps').length
    for (const [applied, expected] of [
      [false, 0],
      [true, 1],
    ] as const) {
      notion.options.mcpFaults.push({ kind: 'deadline', applied })
      const refused = await toolRefusal(notion, tokens.access_token, 'create-pages', { pages })
      expect(refused).toMatchObject({ code: 'service_unavailable', status: 503 })
      expect(refused.message).toContain('55000 ms')
      expect(made()).toBe(expected)
    }
  })

  it('returns any REST error as a result', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    notion.options.mcpFaults.push({
      kind: 'tool-error',
      code: 'conflict_error',
      status: 409,
      message: 'Saved by somebody else.',
    })
    const response = await postMcp(notion, tokens.access_token, TEAMS)
    expect(response.status).toBe(200)
    const [message] = await messagesOf(response)
    const result = message?.['result'] as { isError: boolean; content: { text: string }[] }
    expect(result.isError).toBe(true)
    const error = JSON.parse(result.content[0]?.text ?? '') as Json
    expect(Object.keys(error)).toEqual(['name', 'code', 'status', 'headers', 'body'])
    expect(error).toMatchObject({ name: 'APIResponseError', code: 'conflict_error', status: 409, headers: {} })
    expect(JSON.parse(String(error['body']))).toMatchObject({
      object: 'error',
      status: 409,
      code: 'conflict_error',
      message: 'Saved by somebody else.',
    })
  })
})

describe('the rate limit', () => {
  it('is a result with HTTP 200, not a 429', async () => {
    const notion = await simulator({ options: { mcpFaults: [{ kind: 'tool-rate-limit', retryAfterSeconds: 12 }] } })
    const { tokens } = await connect(notion)
    const result = await toolResult(notion, tokens.access_token, 'get-teams')
    const error = { code: 'rate_limited', retry_after_seconds: 12, rate_limit_reason: 'public_api_request_rate_limit' }
    expect(result.isError).toBe(true)
    expect(result.structuredContent).toEqual({ error })
    expect(JSON.parse(result.content[0]?.text ?? '')).toEqual({ error })
  })

  it('counts tool calls of all connections of a workspace, with a window above a minute', async () => {
    const notion = await simulator({ options: { workspaceRateLimit: { calls: 1, windowSeconds: 300 } } })
    const [ada, ben] = [await connect(notion), await connect(notion, { user: 'ben' })]
    expect((await toolResult(notion, ada.tokens.access_token, 'get-teams')).isError).toBeUndefined()
    expect((await toolResult(notion, ben.tokens.access_token, 'get-teams')).structuredContent).toEqual({
      error: {
        code: 'rate_limited',
        retry_after_seconds: 300,
        rate_limit_reason: 'public_api_space_request_rate_limit',
      },
    })
  })

  it('counts tool calls of one connection over a minute', async () => {
    const notion = await simulator({ options: { rateLimitPerMinute: 3 } })
    const ada = await connect(notion)
    const ben = await connect(notion, { user: 'ben' })
    const isLimited = async (accessToken: string) =>
      (await toolResult(notion, accessToken, 'get-teams')).isError === true
    await postMcp(notion, ada.tokens.access_token, INITIALIZE)
    expect(await isLimited(ada.tokens.access_token)).toBe(false)
    notion.advance(20 * SECOND)
    expect(await isLimited(ada.tokens.access_token)).toBe(false)
    expect(await isLimited(ada.tokens.access_token)).toBe(false)
    const result = await toolResult(notion, ada.tokens.access_token, 'get-teams')
    expect(result.structuredContent).toMatchObject({ error: { retry_after_seconds: 40 } })
    expect(await isLimited(ben.tokens.access_token)).toBe(false)
    notion.advance(40 * SECOND)
    expect(await isLimited(ada.tokens.access_token)).toBe(false)
  })

  it('was separate and lower for the search tool in January 2026', async () => {
    const notion = await simulator({ options: { searchLimitPerMinute: 1 } })
    const { tokens } = await connect(notion)
    await use(notion, tokens.access_token, 'search', { query: 'launch' })
    const result = await toolResult(notion, tokens.access_token, 'search', { query: 'launch' })
    expect(result.structuredContent).toMatchObject({ error: { rate_limit_reason: 'public_api_endpoint_rate_limit' } })
    await use(notion, tokens.access_token, 'get-teams')
  })
})
