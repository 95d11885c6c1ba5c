/** A response is longer than the reader takes. */
export class TooMuchBody extends Error {
  override readonly name = 'TooMuchBody'
}
