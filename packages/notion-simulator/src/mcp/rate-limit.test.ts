import { describe, expect, it } from 'vitest'
import { MINUTE } from '../clock.ts'
import { newState } from '../state.ts'
import { rateLimiter } from './rate-limit.ts'

describe('the rate limit of a plan', () => {
  it.each([
    ['business', 600],
    ['enterprise', 600],
    ['plus', 180],
    ['free', 180],
  ] as const)('(%s) is %i calls in any 60 seconds', (plan, limit) => {
    const state = newState('notion-2026-09', () => new Date(0))
    const limiter = rateLimiter(state)
    const call = () => limiter.admit('connection', plan, 'notion-fetch')
    for (let calls = 0; calls < limit; calls++) expect(call()).toBeUndefined()
    expect(call()).toEqual({ retryAfterSeconds: 60, reason: 'public_api_request_rate_limit' })
    expect(limiter.admit('another', plan, 'notion-fetch')).toBeUndefined()
    state.clock.advance(MINUTE)
    expect(call()).toBeUndefined()
  })
})
