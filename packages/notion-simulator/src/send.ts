import type { ServerResponse } from 'node:http'

export type SendOptions = {
  onHead?(status: number): void
  /** Called with the size of each part of the body that is written. */
  onBytes?(count: number): void
  /** Destroys the socket after this many bytes of the body. */
  cutAfterBytes?: number
}

/** Large chunks are written in parts, to apply backpressure before they are buffered completely. */
const PIECE_BYTES = 64 * 1024

/** Writes a response: the headers at once, then the body as it is produced, with backpressure. */
export async function send(outgoing: ServerResponse, response: Response, options: SendOptions = {}): Promise<void> {
  if (outgoing.destroyed) {
    await response.body?.cancel()
    return
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of response.headers) {
    // The SDK sets a hop-by-hop header, which Node must set itself.
    if (name !== 'connection') headers[name] = value
  }
  outgoing.writeHead(response.status, headers)
  outgoing.flushHeaders()
  options.onHead?.(response.status)
  if (!response.body) {
    outgoing.end()
    return
  }

  const reader = response.body.getReader()
  // A stream without data must also end when its client disconnects.
  outgoing.once('close', () => void reader.cancel().catch(() => undefined))
  let left = options.cutAfterBytes ?? Number.POSITIVE_INFINITY
  while (!outgoing.destroyed) {
    const { done, value } = await reader.read().catch(() => ({ done: 'broken' as const, value: undefined }))
    if (done === 'broken') {
      outgoing.destroy()
      return
    }
    if (done) break
    for (let start = 0; start < value.length && !outgoing.destroyed; start += PIECE_BYTES) {
      const piece = value.subarray(start, Math.min(start + PIECE_BYTES, start + left))
      left -= piece.length
      const flushed = new Promise<void>((resolve) => outgoing.write(piece, () => resolve()))
      options.onBytes?.(piece.length)
      if (left <= 0) {
        await flushed
        outgoing.socket?.destroy()
        return
      }
      if (outgoing.writableNeedDrain) await waitForDrain(outgoing)
    }
  }
  if (options.cutAfterBytes !== undefined) outgoing.socket?.destroy()
  else outgoing.end()
}

/** Resolves when the buffer is drained or the client has disconnected. */
function waitForDrain(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
  })
}
