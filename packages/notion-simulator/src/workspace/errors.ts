/** Notion rejects the request. The message is the reason for the client. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError'
}

/** The object does not exist, or is not visible for this viewer. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
  readonly kind: string
  readonly id: string

  constructor(kind: string, id: string) {
    super(`${kind} ${id}`)
    this.kind = kind
    this.id = id
  }
}
