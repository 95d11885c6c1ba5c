import cluster from 'node:cluster'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

/** How long connections may keep coming before the rest is turned away all the same. */
const TAKE_MS = 1000
/** How long a connection may be on its way from the process that takes them to the worker that serves it. */
const HANDED_OUT_MS = 20
/**
 * How long idle connections stay open: their callers may be sending already, and a request that meets a closed connection is lost.
 * A caller that does send is told to take another connection next time.
 */
const IDLE_MS = 1500
/** How long what is cut has to leave. */
const CUT_MS = 1000

/**
 * Ends a server without losing a request: it serves who has connected already, takes nobody else, lets what is under way finish, and
 * tells every caller that answers come from elsewhere from now on.
 *
 * @param graceMs how long what is under way may take; then it is cut.
 * @param finished resolves when nothing is under way that the caller of this function looks after itself.
 */
export type Drain = (graceMs: number, finished?: Promise<void>) => Promise<void>

/** The way to end `server`, which has not begun to listen yet. */
export function prepareDrain(server: HttpServer): Drain {
  // Node counts a connection on which nothing was ever sent, as browsers make them in advance, as one in use.
  const open = new Set<Socket>()
  // One function for all: there may be thousands of them.
  function forget(this: Socket): void {
    open.delete(this)
  }
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', forget)
  })

  return async (graceMs, finished) => {
    server.prependListener('request', (_: IncomingMessage, res: ServerResponse) => {
      res.shouldKeepAlive = false
    })
    const cut = setTimeout(() => server.closeAllConnections(), graceMs + CUT_MS)
    const closed = takeAll(server, open).then(() => close(server))
    await Promise.all([finished, Promise.race([closed, sleep(Math.min(IDLE_MS, graceMs))])])
    // Ends the watch over slow requests as well, which would keep the process alive.
    server.close()
    server.closeIdleConnections()
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
    await closed
    clearTimeout(cut)
  }
}

/** Takes no more connections. Resolves when the last one is gone. */
function close(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    // Not the close of HTTP, which would close idle connections at once, in the face of whoever is about to use one.
    NetServer.prototype.close.call(server, () => resolve())
  })
}

/**
 * Resolves at a moment at which nobody waits to be taken: to the caller such a connection is made, and closing would reset it, whatever
 * was sent on it. A turn of the event loop takes one of them, so meanwhile nothing is read, which keeps turns short and callers from
 * coming back.
 */
async function takeAll(server: HttpServer, open: ReadonlySet<Socket>): Promise<void> {
  const held: Socket[] = []
  const hold = (socket: Socket) => {
    if (socket.isPaused()) return
    socket.pause()
    held.push(socket)
  }
  // What is left of this turn may be too short to take anybody.
  await turn()
  for (const socket of open) hold(socket)
  // Not at once: what was just taken is set to be read at the end of this tick.
  const holdNew = (socket: Socket) => process.nextTick(hold, socket)
  server.on('connection', holdNew)
  const end = performance.now() + TAKE_MS
  let before: number
  do {
    before = held.length
    if (cluster.isWorker) await sleep(HANDED_OUT_MS)
    await turn()
  } while (held.length > before && performance.now() < end)
  server.off('connection', holdNew)
  for (const socket of held) socket.resume()
}
