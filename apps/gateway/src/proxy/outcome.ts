/** Tells failures apart by whether the request may have reached the upstream MCP server. */
import { isReadOnlyTool, type ProblemCode } from '@nmg/contract'
import { onlyReads } from './read-only.ts'
import { Failure } from '../platform/failure.ts'

/** What a forwarded request can have done at the server, as far as is known for certain. */
export type RequestEffect = 'may_change' | 'only_reads' | 'listens' | 'ends_session'

/** A request that was forwarded, or was about to be. */
export interface SentRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
}

/** The effect of a request; `may_change` unless every message of it is known to change nothing. */
export function effectOf({ method, headers, body }: SentRequest): RequestEffect {
  if (method === 'GET') return 'listens'
  if (method === 'DELETE') return 'ends_session'
  return body !== undefined && onlyReads(body, headers, isReadOnlyTool) ? 'only_reads' : 'may_change'
}

/**
 * A failure after the request may have left. {@link afterSending} adds what that means for the caller.
 *
 * @param what one sentence: what happened.
 */
export function interrupted(what: string, status: 502 | 503 | 504, cause?: unknown): Failure {
  return new Failure('outcome_unknown', what, { status, cause })
}

/**
 * What to report when a request failed that may have left: its outcome is unknown, whatever the failure was. Such a failure has no
 * `Retry-After`, and its message invites nobody to repeat the request.
 */
export function afterSending(failure: Failure, effect: RequestEffect): Failure {
  const { what, status } = interruption(failure)
  const cause = failure.code === 'outcome_unknown' ? failure.cause : failure
  return new Failure('outcome_unknown', `${what} ${CONSEQUENCE[effect]}`, { status, cause })
}

const CONSEQUENCE: Record<RequestEffect, string> = {
  may_change: 'Notion may have carried out the request: check in Notion before you repeat it.',
  only_reads: 'The request only reads, so it changed nothing in Notion.',
  listens: 'The request only listens, so it changed nothing in Notion.',
  ends_session: 'The MCP session may have ended.',
}

function interruption({ code, message, status }: Failure): { what: string; status: 502 | 503 | 504 } {
  if (code === 'outcome_unknown') return { what: message, status: status === 503 || status === 504 ? status : 502 }
  return INTERRUPTIONS[code] ?? { what: 'The gateway could not pass on the response from Notion.', status: 502 }
}

const INTERRUPTIONS: Partial<Record<ProblemCode, { what: string; status: 502 | 503 | 504 }>> = {
  upstream_unreachable: { what: 'The connection to Notion broke before a response arrived.', status: 502 },
  overloaded: { what: 'This gateway stopped before a response from Notion arrived.', status: 503 },
  not_connected: { what: 'Notion was disconnected from this space before a response arrived.', status: 503 },
  unauthenticated: { what: 'This access was revoked before a response from Notion arrived.', status: 503 },
  store_unavailable: { what: "The gateway's database failed before the response could be passed on.", status: 503 },
}
