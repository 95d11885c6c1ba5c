import 'server-only'
import type { Problem } from '@nmg/contract'
import { databaseFailure } from './database-failure.ts'
import { Failure, problemTypes, type FailureCode } from './failure.ts'
import { causeOf, log } from './log.ts'

/** Runs a route handler and turns errors into problem documents. */
export async function respond(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    return problemResponse(error)
  }
}

function problemResponse(error: unknown): Response {
  const retryAfter = error instanceof Failure ? error.retryAfter : undefined
  if (error instanceof Failure && error.problem) return document(error.problem, retryAfter)

  const requestId = `req_${crypto.randomUUID()}`
  const { code, detail, event } = failureOf(error)
  const { status, title } = problemTypes[code]
  if (status >= 500) {
    const cause = error instanceof Failure ? (error.cause ?? error) : error
    log.error(event, { requestId, code, status, ...causeOf(cause) })
  }
  return document({ type: 'about:blank', title, status, detail, code, requestId }, retryAfter)
}

function failureOf(error: unknown): { code: FailureCode; detail: string; event: string } {
  const event = 'request.failed'
  if (isPublic(error)) return { code: error.code, detail: error.message, event }
  if (isDataException(error)) {
    return { code: 'invalid_request', detail: 'The request contains an invalid value.', event }
  }
  const failure = databaseFailure(error)
  if (failure) return { code: 'store_unavailable', ...failure }
  return {
    code: 'internal',
    detail: 'Something went wrong on our end. Try again. If it keeps happening, contact your administrator.',
    event,
  }
}

/** Failures of other codes should have been handled where they are known. */
const isPublic = (error: unknown): error is Failure =>
  error instanceof Failure && Object.hasOwn(problemTypes, error.code)

/** PostgreSQL rejected a value of the request (SQLSTATE class 22), such as a cursor, an id or a text with NUL. */
const isDataException = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^22...$/.test(error.code)

function document(problem: Problem, retryAfter: string | undefined): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    },
  })
}
