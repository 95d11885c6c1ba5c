import { describe, expect, it } from 'vitest'
import type { Simulator, TokenFault } from '../src/index.ts'
import { connect, type Json, refresh, errorOf, register, simulator } from './client.ts'

/** A connection whose next refresh fails with this fault. */
async function faulty(fault: TokenFault): Promise<{ notion: Simulator; again: () => Promise<Response> }> {
  const notion = await simulator()
  const { clientId, tokens } = await connect(notion)
  notion.options.tokenFaults.push(fault)
  return { notion, again: () => refresh(notion, clientId, tokens.refresh_token) }
}

const generation = (notion: Simulator) => notion.admin.grants()[0]?.generation
const lastRecorded = (notion: Simulator) => notion.recorded.tokenRequests.at(-1)

describe('a token endpoint that is too busy', () => {
  it.each([
    ['before it rotated', 'rate-limited', 0],
    ['after it rotated', 'rate-limited-after', 1],
  ] as const)('%s responds with 429 and Retry-After, and the same token stays valid', async (_, kind, rotated) => {
    const { notion, again } = await faulty({ kind })
    const response = await again()
    expect(response.headers.get('retry-after')).toBe('30')
    expect(await errorOf(response)).toEqual({
      status: 429,
      error: 'temporarily_unavailable',
      description: 'Token issuance is temporarily unavailable; retry shortly',
    })
    expect(generation(notion)).toBe(rotated)
    expect((await again()).status).toBe(200)
  })

  it('can omit Retry-After', async () => {
    const { again } = await faulty({ kind: 'rate-limited', retryAfterSeconds: null, status: 503 })
    const response = await again()
    expect(response.status).toBe(503)
    expect(response.headers.has('retry-after')).toBe(false)
  })
})

describe('a connection that breaks', () => {
  it.each([
    ['before anything happened', 'lost-request', 0, 'current'],
    ['after the rotation', 'lost-response', 1, 'previous'],
  ] as const)('%s leaves the client without a response, and the token valid', async (_, kind, rotated, standing) => {
    const { notion, again } = await faulty({ kind })
    await expect(again()).rejects.toThrow('fetch failed')
    expect(generation(notion)).toBe(rotated)
    expect(lastRecorded(notion)).toMatchObject({ fault: kind })
    expect(lastRecorded(notion)).not.toHaveProperty('status')
    expect((await again()).status).toBe(200)
    expect(lastRecorded(notion)).toMatchObject({ presented: { generation: 0, standing } })
  })

  it('in the middle of the body sends half of it', async () => {
    const { notion, again } = await faulty({ kind: 'cut-body' })
    const response = await again()
    expect(response.status).toBe(200)
    await expect(response.json()).rejects.toThrow()
    expect(generation(notion)).toBe(1)
    expect((await again()).status).toBe(200)
  })
})

describe('a response that is not a token response', () => {
  it.each([
    ['server-error', 500, 0],
    ['server-error-after', 500, 1],
    ['html', 200, 0],
    ['html-after', 200, 1],
    ['not-json', 200, 1],
  ] as const)('(%s) cannot be read', async (kind, status, rotated) => {
    const { notion, again } = await faulty({ kind })
    const response = await again()
    expect(response.status).toBe(status)
    await expect(response.json()).rejects.toThrow()
    expect(generation(notion)).toBe(rotated)
  })

  it('is an HTML page with an HTML content type and the given status', async () => {
    const { again } = await faulty({ kind: 'html', status: 503 })
    const response = await again()
    expect(response.status).toBe(503)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(await response.text()).toContain('<h1>')
  })

  it('can be any OAuth error', async () => {
    const { again } = await faulty({
      kind: 'refused',
      error: 'invalid_client',
      description: 'Client not found',
      status: 401,
    })
    expect(await errorOf(await again())).toEqual({
      status: 401,
      error: 'invalid_client',
      description: 'Client not found',
    })
  })
})

describe('a slow token endpoint', () => {
  it.each([
    ['slow', 0],
    ['slow-after', 1],
  ] as const)('(%s) outlasts the time-out of its client', async (kind, rotated) => {
    const notion = await simulator()
    const { clientId, tokens } = await connect(notion)
    notion.options.tokenFaults.push({ kind, delayMs: 3_000 })
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: tokens.refresh_token,
    })
    const impatient = fetch(`${notion.url}/token`, { method: 'POST', body, signal: AbortSignal.timeout(200) })
    await expect(impatient).rejects.toThrow(/timeout/i)
    expect(generation(notion)).toBe(rotated)
  })

  it('responds eventually', async () => {
    const { again } = await faulty({ kind: 'slow', delayMs: 50 })
    const before = Date.now()
    expect((await again()).status).toBe(200)
    expect(Date.now() - before).toBeGreaterThanOrEqual(49)
  })
})

describe('faults', () => {
  it('are used in order, each for its number of times', async () => {
    const { notion, again } = await faulty({ kind: 'server-error', times: 2 })
    notion.options.tokenFaults.push({ kind: 'html' })
    const statuses = []
    for (const _ of [1, 2, 3, 4]) statuses.push((await again()).status)
    expect(statuses).toEqual([500, 500, 200, 200])
    expect(notion.options.tokenFaults).toEqual([])
    expect(notion.recorded.tokenRequests.map(({ fault }) => fault)).toEqual([
      undefined,
      'server-error',
      'server-error',
      'html',
      undefined,
    ])
  })

  it('with always stay until they are removed', async () => {
    const { notion, again } = await faulty({ kind: 'server-error', times: 'always' })
    for (const _ of [1, 2, 3]) expect((await again()).status).toBe(500)
    notion.options.tokenFaults = []
    expect((await again()).status).toBe(200)
  })

  it('apply only to their kind of request', async () => {
    const notion = await simulator({ options: { tokenFaults: [{ kind: 'server-error', on: 'authorization_code' }] } })
    const { client_id } = await register(notion)
    expect((await refresh(notion, client_id, 'a:b:c')).status).toBe(400)
    await expect(connect(notion)).rejects.toThrow('500')
    await connect(notion)
  })

  it('with unknown kinds are rejected', async () => {
    const notion = await simulator()
    const unknown = { tokenFaults: [{ kind: 'earthquake' }] } as unknown as Json
    expect(() => notion.setOptions(unknown)).toThrow('tokenFaults')
    expect(notion.options.tokenFaults).toEqual([])
  })
})
