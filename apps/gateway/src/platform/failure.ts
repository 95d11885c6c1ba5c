import type { ProblemCode } from '@nmg/contract'

/**
 * A failure that has a name. `message` is written for the person who reads it: what is the matter and what to do next;
 * it becomes the `detail` of the problem document. Nothing of a stranger's error text goes in there: that is `cause`.
 */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: ProblemCode
  /** When trying again makes sense, in whole seconds; sent as `Retry-After`. */
  readonly retryAfterSeconds: number | undefined
  /** The HTTP status, where it is not the usual one of the code. */
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
