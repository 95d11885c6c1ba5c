import { describe, expect, it } from 'vitest'
import { MINUTE } from '../clock.ts'
import { newState } from '../state.ts'
import { rateLimiter } from './rate-limit.ts'

const caller = (connectionId: string, workspaceId = 'acme') => ({ connectionId, workspaceId })

describe('the rate limit of a plan', () => {
  it.each([
    ['business', 600],
    ['enterprise', 600],
    ['plus', 180],
    ['free', 180],
  ] as const)('(%s) is %i calls in any 60 seconds', (plan, limit) => {
    const state = newState('notion-2026-09', () => new Date(0))
    const limiter = rateLimiter(state)
    const call = () => limiter.admit(caller('connection'), plan, 'notion-fetch')
    for (let calls = 0; calls < limit; calls++) expect(call()).toBeUndefined()
    expect(call()).toEqual({ retryAfterSeconds: 60, reason: 'public_api_request_rate_limit' })
    expect(limiter.admit(caller('another'), plan, 'notion-fetch')).toBeUndefined()
    state.clock.advance(MINUTE)
    expect(call()).toBeUndefined()
  })
})

describe('the rate limit of a workspace', () => {
  it('counts the calls of all its connections, over more than a minute', () => {
    const state = newState('notion-2026-09', () => new Date(0))
    state.options.workspaceRateLimit = { calls: 2, windowSeconds: 300 }
    const limiter = rateLimiter(state)
    const call = (connectionId: string, workspaceId?: string) =>
      limiter.admit(caller(connectionId, workspaceId), 'business', 'notion-fetch')
    expect(call('one')).toBeUndefined()
    state.clock.advance(MINUTE)
    expect(call('another')).toBeUndefined()
    expect(call('a third')).toEqual({ retryAfterSeconds: 240, reason: 'public_api_space_request_rate_limit' })
    expect(call('one', 'northwind')).toBeUndefined()
    state.clock.advance(4 * MINUTE)
    expect(call('a third')).toBeUndefined()
  })
})
