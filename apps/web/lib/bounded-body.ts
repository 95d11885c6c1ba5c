/** A body that has more bytes than its reader takes. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
  readonly most: number

  constructor(most: number) {
    super(`more than ${most} bytes`)
    this.most = most
  }
}

/** The same response, whose body breaks off with {@link BodyTooLarge} after so many bytes. What was asked for then is not read further. */
export function boundedBody(response: Response, most: number, onTooLarge = () => {}): Response {
  if (!response.body) return response
  let size = 0
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.length
        if (size <= most) return controller.enqueue(chunk)
        onTooLarge()
        throw new BodyTooLarge(most)
      },
    }),
  )
  const { status, statusText, headers } = response
  return new Response(bounded, { status, statusText, headers })
}
