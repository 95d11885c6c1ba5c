import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { McpProxy } from './proxy.ts'

/**
 * How long idle connections stay open: their callers may be sending already, and a request that meets a closed connection is lost.
 * A caller that does send is told to take another connection next time.
 */
const IDLE_MS = 1500
/** How long what is cut has to leave. */
const CUT_MS = 1000

/**
 * Ends a server without losing a call: it takes no new connections, ends streams, lets calls finish for up to `graceMs`, and tells every
 * caller that answers come from elsewhere from now on.
 */
export async function drain(server: HttpServer, proxy: McpProxy, graceMs: number): Promise<void> {
  server.prependListener('request', (_: IncomingMessage, res: ServerResponse) => {
    res.shouldKeepAlive = false
  })
  const closed = new Promise<void>((resolve) => {
    // Connections that wait to be accepted would be reset. At the end of this turn, all that waited have been taken.
    setImmediate(() => {
      // Not the close of HTTP, which would close idle connections at once, in the face of whoever is about to use one.
      NetServer.prototype.close.call(server, () => resolve())
    })
  })
  const cut = setTimeout(() => server.closeAllConnections(), graceMs + CUT_MS)
  await Promise.all([proxy.drain(graceMs), sleep(Math.min(IDLE_MS, graceMs))])
  // Ends the watch over slow requests as well, which would keep the process alive.
  server.close()
  server.closeIdleConnections()
  await closed
  clearTimeout(cut)
}
