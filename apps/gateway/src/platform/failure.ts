import type { ProblemCode } from '@nmg/contract'

/**
 * A failure with a problem code. `message` becomes the `detail` of the problem document and is written for people: what happened and what to
 * do next. Error texts of other parties never go into it; they belong to `cause`.
 */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: ProblemCode
  /** Whole seconds until a retry makes sense; sent as `Retry-After`. */
  readonly retryAfterSeconds: number | undefined
  /** The HTTP status, if it differs from the default of the code. */
  readonly status: number | undefined

  constructor(
    code: ProblemCode,
    message: string,
    options?: ErrorOptions & { retryAfterSeconds?: number; status?: number | undefined },
  ) {
    super(message, options)
    this.code = code
    this.retryAfterSeconds = options?.retryAfterSeconds
    this.status = options?.status
  }
}
