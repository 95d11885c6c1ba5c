import { problems, type Problem } from '@nmg/contract'

/** The web app's own problem types, in addition to those shared with the gateway. */
const ownProblems = {
  unknown_invitation: { status: 404, title: 'Invitation not valid' },
  wrong_person: { status: 403, title: 'Invitation for another account' },
  unknown_member: { status: 404, title: 'Not a member' },
  last_owner: { status: 409, title: 'A space needs an owner' },
  too_many: { status: 409, title: 'Limit reached' },
  forbidden_role: { status: 403, title: 'Your role does not allow this' },
  forbidden_conversation: { status: 403, title: 'Not your conversation' },
  too_many_attempts: { status: 429, title: 'Too many attempts' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  unexpected_response: { status: 502, title: 'Unexpected response from Notion' },
  answering: { status: 409, title: 'An answer is being written' },
  nothing_to_decide: { status: 409, title: 'Nothing to decide' },
  no_model: { status: 409, title: 'No model is configured' },
  restarting: { status: 503, title: 'The app is restarting' },
  retired: { status: 410, title: 'Retired' },
  gateway_unreachable: { status: 502, title: 'Gateway unreachable' },
  gateway_misconfigured: { status: 502, title: 'The gateway rejected this app' },
} as const satisfies Record<string, { status: number; title: string }>

/** By the code of a failure: the status and title of its problem document (RFC 9457). */
export const problemTypes = { ...problems, ...ownProblems }

export type FailureCode = keyof typeof problemTypes

interface FailureOptions extends ErrorOptions {
  /** Value of `Retry-After`: seconds or a date. */
  readonly retryAfter?: number | string | null | undefined
  /** The gateway's problem document, forwarded to the browser unchanged. */
  readonly problem?: Problem
}

/**
 * The error of this process: something was refused, or did not work. The message tells the user what to do next.
 *
 * @typeParam Code other than {@link FailureCode} where a module handles its failures itself; such a failure never becomes a response.
 */
export class Failure<Code extends string = FailureCode> extends Error {
  override readonly name = 'Failure'
  readonly code: Code
  readonly retryAfter: string | undefined
  readonly problem: Problem | undefined

  constructor(code: NoInfer<Code>, message: string, { retryAfter, problem, ...options }: FailureOptions = {}) {
    super(message, options)
    this.code = code
    this.retryAfter = retryAfter?.toString()
    this.problem = problem
  }
}

/** The failure with one of these codes, among the causes of an error too. */
export function failureWith<Code extends string>(error: unknown, codes: readonly Code[]): Failure<Code> | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Failure && (codes as readonly unknown[]).includes(cause.code)) return cause as Failure<Code>
  }
  return undefined
}
