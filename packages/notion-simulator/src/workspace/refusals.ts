/** Something that Notion refuses to do, with the reason that the caller is told. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** Something that is not there, or not for this viewer. */
export class Missing extends Error {
  override readonly name = 'Missing'
  readonly kind: string
  readonly id: string

  constructor(kind: string, id: string) {
    super(`${kind} ${id}`)
    this.kind = kind
    this.id = id
  }
}
