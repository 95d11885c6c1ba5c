import cluster from 'node:cluster'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate as nextLoop, setTimeout as sleep } from 'node:timers/promises'

/** Limit for accepting the connections that are waiting in the kernel's queue. Those that remain are refused. */
const ACCEPT_MS = 1000
/** Time for a connection to get from the cluster's primary process, which accepts it, to this worker. */
const DISPATCH_MS = 20
/**
 * How long idle connections stay open: a request may already be on its way, and would be lost on a closed connection. Its response has
 * `Connection: close`, so that the client opens a new connection for its next request.
 */
const IDLE_MS = 1500
/** Time between the end of the grace period, when the caller aborts its responses, and the reset of all connections. */
const ABORT_MS = 1000

/**
 * Stops a server without losing a request: it serves the clients that have connected already, accepts no new connections, lets requests finish, and
 * sends `Connection: close` with every response.
 *
 * @param graceMs how long requests may take to finish. Connections are closed afterwards.
 * @param finished resolves when the work that the caller tracks itself has finished.
 */
export type Drain = (graceMs: number, finished?: Promise<void>) => Promise<void>

/** Prepares a server for draining. Call it before the server listens. */
export function prepareDrain(server: HttpServer): Drain {
  // Node does not count a connection without any request as idle. Browsers open such connections in advance.
  const open = new Set<Socket>()
  // One function for all connections: there may be thousands.
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
    const abort = setTimeout(() => server.closeAllConnections(), graceMs + ABORT_MS)
    const closed = acceptAll(server, open).then(() => close(server))
    await Promise.all([finished, Promise.race([closed, sleep(Math.min(IDLE_MS, graceMs))])])
    // Also stops the timer that checks for slow requests, which would keep the process alive.
    server.close()
    server.closeIdleConnections()
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
    await closed
    clearTimeout(abort)
  }
}

/** Stops listening. Resolves when the last connection is closed. */
function close(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    // Not the close of http.Server, which closes idle connections at once, even if a request is on its way.
    NetServer.prototype.close.call(server, () => resolve())
  })
}

/**
 * Accepts the connections in the kernel's queue: for their clients they are established, and closing the listening socket would reset them. An
 * iteration of the event loop accepts one connection, so reading is paused meanwhile, which keeps iterations short.
 */
async function acceptAll(server: HttpServer, open: ReadonlySet<Socket>): Promise<void> {
  const paused: Socket[] = []
  const pause = (socket: Socket) => {
    if (socket.isPaused()) return
    socket.pause()
    paused.push(socket)
  }
  // The rest of this iteration may be too short to accept a connection.
  await nextLoop()
  for (const socket of open) pause(socket)
  // On the next tick: Node starts reading a new connection at the end of this one.
  const pauseNew = (socket: Socket) => process.nextTick(pause, socket)
  server.on('connection', pauseNew)
  const end = performance.now() + ACCEPT_MS
  let before: number
  do {
    before = paused.length
    if (cluster.isWorker) await sleep(DISPATCH_MS)
    await nextLoop()
  } while (paused.length > before && performance.now() < end)
  server.off('connection', pauseNew)
  for (const socket of paused) socket.resume()
}
