import type { ProblemCode } from '@nmg/contract'
import { describe, expect, it } from 'vitest'
import { Failure } from '../platform/failure.ts'
import { afterSending, effectOf, type RequestEffect, type SentRequest } from './outcome.ts'

const post = (message: unknown, headers: readonly string[] = []): SentRequest => ({
  method: 'POST',
  headers,
  body: Buffer.from(JSON.stringify(message)),
})
const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } })

describe('the effect of a request', () => {
  it.each<[string, SentRequest, RequestEffect]>([
    ['a stream', { method: 'GET', headers: [], body: undefined }, 'listens'],
    ['the end of a session', { method: 'DELETE', headers: [], body: undefined }, 'ends_session'],
    ['a reading tool', post(call('notion-search')), 'only_reads'],
    ['a writing tool', post(call('notion-update-page')), 'may_change'],
    ['a tool that is not known', post(call('notion-new-tool')), 'may_change'],
    ['a batch with a writing tool', post([call('notion-search'), call('notion-update-page')]), 'may_change'],
    ['a reading tool whose header names a writing one', post(call('notion-search'), ['Mcp-Name', 'x']), 'may_change'],
    ['a response to the server', post({ jsonrpc: '2.0', id: 1, result: {} }), 'may_change'],
    ['an empty batch', post([]), 'may_change'],
    ['no body', { method: 'POST', headers: [], body: undefined }, 'may_change'],
  ])('of %s is %s', (_, request, effect) => {
    expect(effectOf(request)).toBe(effect)
  })
})

describe('a failure after the request may have left', () => {
  const codes: ProblemCode[] = [
    'upstream_unreachable',
    'overloaded',
    'not_connected',
    'unauthenticated',
    'store_unavailable',
    'internal',
    'outcome_unknown',
  ]

  it.each(codes)('has an unknown outcome and invites nobody to repeat the request: %s', (code) => {
    const failure = new Failure(code, 'It broke. Try again.', { retryAfterSeconds: 1 })
    for (const effect of ['may_change', 'only_reads', 'listens', 'ends_session'] as const) {
      const reported = afterSending(failure, effect)
      expect(reported).toMatchObject({ code: 'outcome_unknown', retryAfterSeconds: undefined })
      expect([502, 503, 504]).toContain(reported.status)
      if (code !== 'outcome_unknown') expect(reported.message).not.toMatch(/try again/i)
    }
  })

  it('asks to check Notion where the request may have changed something', () => {
    const failure = new Failure('upstream_unreachable', 'x')
    expect(afterSending(failure, 'may_change').message).toContain('check in Notion before you repeat it')
    expect(afterSending(failure, 'only_reads').message).toContain('changed nothing')
  })
})
