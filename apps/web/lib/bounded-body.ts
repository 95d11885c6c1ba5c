import { Failure } from './failure.ts'

/** The same response, whose body fails with `response_too_large` after `most` bytes and is not read further. */
export function boundedBody(response: Response, most: number, onTooLarge = () => {}): Response {
  if (!response.body) return response
  let size = 0
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.length
        if (size <= most) return controller.enqueue(chunk)
        onTooLarge()
        throw new Failure<'response_too_large'>('response_too_large', `more than ${most} bytes`)
      },
    }),
  )
  const { status, statusText, headers } = response
  return new Response(bounded, { status, statusText, headers })
}
