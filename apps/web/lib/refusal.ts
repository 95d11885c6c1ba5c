import 'server-only'
import { problems, type Problem } from '@nmg/contract'
import { databaseFailure } from './database-failure.ts'
import { causeOf, log } from './log.ts'

/** How the web app itself refuses, besides the ways that it shares with the gateway. */
const ownProblems = {
  unknown_invitation: { status: 404, title: 'The invitation is not good' },
  wrong_person: { status: 403, title: 'The invitation is for somebody else' },
  unknown_member: { status: 404, title: 'Not a member' },
  last_owner: { status: 409, title: 'A space needs an owner' },
  too_many: { status: 409, title: 'Too many' },
  forbidden_role: { status: 403, title: 'Your role does not allow this' },
  forbidden_conversation: { status: 403, title: 'This conversation is somebody else’s' },
  too_many_attempts: { status: 429, title: 'Too many attempts' },
  unsupported_media_type: { status: 415, title: 'Not a media type that is taken here' },
  unexpected_response: { status: 502, title: 'Notion’s response cannot be shown' },
  answering: { status: 409, title: 'An answer is being written' },
  nothing_to_decide: { status: 409, title: 'There is nothing to decide' },
  no_model: { status: 409, title: 'No model is configured' },
  restarting: { status: 503, title: 'The app is restarting' },
  retired: { status: 410, title: 'Retired' },
  gateway_unreachable: { status: 502, title: 'The gateway cannot be reached' },
  gateway_misconfigured: { status: 502, title: 'The gateway does not accept this app' },
} as const satisfies Record<string, { status: number; title: string }>

const known = { ...problems, ...ownProblems }

export type RefusalCode = keyof typeof known

/** A request that is answered with a problem document (RFC 9457). The message becomes its `detail`. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** Seconds after which the same request may be made again. */
  readonly retryAfter: number | undefined

  constructor(code: RefusalCode, detail: string, options: ErrorOptions & { retryAfter?: number } = {}) {
    super(detail, options)
    this.code = code
    this.retryAfter = options.retryAfter
  }
}

/** A refusal of the gateway that goes on to the browser as it came. */
export class PassedOn extends Error {
  override readonly name = 'PassedOn'
  readonly problem: Problem
  readonly retryAfter: string | null

  constructor(problem: Problem, retryAfter: string | null) {
    super(problem.detail)
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

/** Runs a route handler; what it throws becomes a problem document. */
export async function answering(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    return problemAnswer(error)
  }
}

function problemAnswer(error: unknown): Response {
  if (error instanceof PassedOn) return document(error.problem, error.retryAfter)

  const requestId = `req_${crypto.randomUUID()}`
  const { code, detail, event } = failureOf(error)
  const { status, title } = known[code]
  if (status >= 500) {
    const cause = error instanceof Refusal ? (error.cause ?? error) : error
    log.error(event, { requestId, code, status, ...causeOf(cause) })
  }
  const retryAfter = error instanceof Refusal && error.retryAfter !== undefined ? `${error.retryAfter}` : null
  return document({ type: 'about:blank', title, status, detail, code, requestId }, retryAfter)
}

function failureOf(error: unknown): { code: RefusalCode; detail: string; event: string } {
  const event = 'request.failed'
  if (error instanceof Refusal) return { code: error.code, detail: error.message, event }
  if (isDataException(error)) {
    return { code: 'invalid_request', detail: 'A value of this request is not valid.', event }
  }
  const failure = databaseFailure(error)
  if (failure) return { code: 'store_unavailable', ...failure }
  return {
    code: 'internal',
    detail: 'Something went wrong here. Try again; the operator finds the cause in the log.',
    event,
  }
}

/** PostgreSQL could not read a value as what it should be (SQLSTATE class 22): a cursor, an id, a text with NUL. The request sent it. */
const isDataException = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^22...$/.test(error.code)

function document(problem: Problem, retryAfter: string | null): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfter === null ? {} : { 'retry-after': retryAfter }),
    },
  })
}
