import { Problem, problems, type ProblemCode } from '@nmg/contract'
import { describe, expect, it } from 'vitest'
import { Failure } from './failure.ts'
import { problemResponse } from './problems.ts'

const codes = Object.keys(problems) as ProblemCode[]

const headersOf = (failure: Failure) => {
  const { headers } = problemResponse(failure, 'r')
  return Object.fromEntries(headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]]] : [])))
}

describe('the problem document of a failure', () => {
  it.each(codes)('has the status and title of the code %s, and the text of the failure alone', (code) => {
    const failure = new Failure(code, 'What happened.', { cause: new Error('sent by a peer') })
    const { status, body } = problemResponse(failure, 'r-1')
    expect(Problem.parse(JSON.parse(body))).toEqual({
      type: `urn:notion-mcp-gateway:problem:${code}`,
      title: problems[code].title,
      status: problems[code].status,
      detail: 'What happened.',
      code,
      requestId: 'r-1',
    })
    expect(status).toBe(problems[code].status)
    expect(status).toBeGreaterThanOrEqual(400)
  })

  it('has the status of the failure if that has one', () => {
    const { status, body } = problemResponse(new Failure('outcome_unknown', 'No response.', { status: 504 }), 'r')
    expect([status, Problem.parse(JSON.parse(body)).status]).toEqual([504, 504])
  })

  it('comes with the headers that HTTP requires', () => {
    expect(headersOf(new Failure('rate_limited', 'Slow down.', { retryAfterSeconds: 7 }))).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '7',
    })
    expect(headersOf(new Failure('internal', 'A bug.'))).not.toHaveProperty('retry-after')
    expect(headersOf(new Failure('unauthenticated', 'Who?'))).toHaveProperty('www-authenticate', 'Bearer')
    expect(headersOf(new Failure('unsupported_encoding', 'No gzip.'))).toHaveProperty('accept-encoding', 'identity')
  })
})
