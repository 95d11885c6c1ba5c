import 'server-only'
import type { SpaceMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { hasEnded, readChunks, type ActiveRun } from './run-store.ts'
import type { ChatChunk } from './chat-message.ts'
import { mayStillRead } from './conversation-store.ts'
import { activeStream } from './active-stream.ts'

/** How often it is checked that the reader may still read. */
const CHECK_MS = 1_000

/** Poll interval for a run in another process. */
const POLL_MS = 400

/**
 * A run from start to finish as the AI SDK's SSE stream: from memory if it is in this process, else from the database. Aborts when the reader
 * loses access.
 */
export function streamRun(
  app: App<'pool' | 'activeStreams'>,
  member: SpaceMember,
  conversationId: string,
  run: ActiveRun,
): Response {
  const leaving = new AbortController()
  const chunks = follow(app, conversationId, run, leaving.signal)
  let checkedAt = Date.now()
  const encoder = new TextEncoder()
  const isAllowed = async () => {
    if (Date.now() - checkedAt < CHECK_MS) return true
    checkedAt = Date.now()
    return mayStillRead(app, member, conversationId)
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done || leaving.signal.aborted) {
        if (!leaving.signal.aborted) controller.enqueue(encoder.encode('data: [DONE]\n\n'))
        return controller.close()
      }
      if (!(await isAllowed())) {
        leaving.abort()
        return controller.close()
      }
      // A comment, when there is nothing new: it keeps proxies from closing the connection, and tells us when the reader has left.
      const text = value.length === 0 ? ': still writing\n\n' : value.map(event).join('')
      controller.enqueue(encoder.encode(text))
    },
    cancel: () => leaving.abort(),
  })
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      // no-transform: compression on the way would hold events back.
      'cache-control': 'no-store, no-transform',
      'x-vercel-ai-ui-message-stream': 'v1',
      'x-accel-buffering': 'no',
    },
  })
}

const event = (chunk: ChatChunk) => `data: ${JSON.stringify(chunk)}\n\n`

/** Yields new chunks, and an empty batch about once a second while there are none. */
async function* follow(
  app: App<'pool' | 'activeStreams'>,
  conversationId: string,
  { id }: ActiveRun,
  signal: AbortSignal,
): AsyncGenerator<readonly ChatChunk[], undefined> {
  const live = activeStream(app, conversationId)
  if (live?.id === id) {
    let read = 0
    while (!signal.aborted) {
      const fresh = live.chunks.slice(read)
      read += fresh.length
      if (fresh.length > 0) yield fresh
      else if (live.isFinished) return undefined
      else {
        await live.changed(AbortSignal.any([signal, AbortSignal.timeout(CHECK_MS)]))
        if (live.chunks.length === read && !live.isFinished) yield []
      }
    }
    return undefined
  }
  let position = -1
  while (!signal.aborted) {
    // Read this first: all chunks are stored before the end is.
    const isOver = await hasEnded(app, id)
    const rows = await readChunks(app, id, position)
    position = rows.at(-1)?.position ?? position
    yield rows.flatMap((row) => row.chunks)
    if (isOver) return undefined
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return undefined
}
