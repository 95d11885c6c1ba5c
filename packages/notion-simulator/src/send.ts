import type { ServerResponse } from 'node:http'

export type SendOptions = {
  onHead?(status: number): void
  /** Called with the size of each piece of the body that was written. */
  onBytes?(count: number): void
  /** Destroys the socket after this many bytes of the body. */
  cutAfterBytes?: number
}

/** Large pieces are written in parts, so that a slow reader is noticed before everything lies in memory. */
const PIECE_BYTES = 64 * 1024

/** Writes a response: the head at once, each piece as it comes, no faster than the client reads. */
export async function send(outgoing: ServerResponse, response: Response, options: SendOptions = {}): Promise<void> {
  if (outgoing.destroyed) {
    await response.body?.cancel()
    return
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of response.headers) {
    // The SDK names a hop-by-hop header, which is Node's own business.
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
  // Also when nothing is being written right now: a silent stream has to notice that its reader left.
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
      if (outgoing.writableNeedDrain) await drained(outgoing)
    }
  }
  if (options.cutAfterBytes !== undefined) outgoing.socket?.destroy()
  else outgoing.end()
}

/** Resolves when the client has read enough, or is gone. */
function drained(outgoing: ServerResponse): Promise<void> {
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
