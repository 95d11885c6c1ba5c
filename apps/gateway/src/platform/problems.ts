import { type Problem, problems } from '@nmg/contract'
import type { Failure } from './failure.ts'

/** A complete HTTP response. Headers are names and values in turn. */
export interface ErrorResponse {
  readonly status: number
  readonly headers: string[]
  readonly body: string
}

/** The media type of {@link problemDocument}. */
export const PROBLEM_JSON = 'application/problem+json'

/** The problem document of a failure ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). */
export function problemDocument(failure: Failure, requestId: string): Problem {
  const { status, title } = problems[failure.code]
  return {
    type: `urn:notion-mcp-gateway:problem:${failure.code}`,
    title,
    status: failure.status ?? status,
    detail: failure.message,
    code: failure.code,
    requestId,
  }
}

/** The header fields of a response with {@link problemDocument}, names and values in turn. */
export function problemHeaders(failure: Failure): string[] {
  const headers = ['content-type', PROBLEM_JSON, 'cache-control', 'no-store']
  if (failure.retryAfterSeconds !== undefined) headers.push('retry-after', String(failure.retryAfterSeconds))
  // RFC 9110 §15.5.16: lists the accepted codings.
  if (failure.code === 'unsupported_encoding') headers.push('accept-encoding', 'identity')
  // RFC 9110 §15.5.2 requires a challenge with each 401. It has no parameters, as there is no authorization server for service tokens.
  if (failure.code === 'unauthenticated') headers.push('www-authenticate', 'Bearer')
  return headers
}

/** The complete response to a failed request. */
export function problemResponse(failure: Failure, requestId: string): ErrorResponse {
  const problem = problemDocument(failure, requestId)
  const body = JSON.stringify(problem)
  return {
    status: problem.status,
    headers: [...problemHeaders(failure), 'content-length', String(Buffer.byteLength(body))],
    body,
  }
}
