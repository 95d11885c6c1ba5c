import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** An HTTP proxy that supports only CONNECT, and connects every name to this machine. */
export interface ConnectProxy {
  readonly port: number
  /** `host:port` of each CONNECT, including refused ones. */
  readonly visits: string[]
  /** Error codes of connections that clients aborted. */
  readonly resets: string[]
  /** The status for every CONNECT from now on; `silence` for no response. */
  refusal: number | 'silence' | undefined
  close(): void
}

export interface ConnectProxyOptions {
  /** The required `name:password`. */
  readonly credentials?: string
  /** Listen with TLS. */
  readonly tls?: { key: string; cert: string }
}

export async function connectProxy({ credentials, tls }: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const sockets = new Set<Duplex>()
  const track = <T extends Duplex>(socket: T): T => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
  const server = tls ? createSecureServer(tls) : createServer()
  server.on('connect', (req: IncomingMessage, client: Socket, head: Buffer) => {
    track(client).on('error', (error: NodeJS.ErrnoException) => self.resets.push(error.code ?? error.name))
    self.visits.push(req.url ?? '')
    const isAuthorized = expected === undefined || req.headers['proxy-authorization'] === expected
    const refusal = isAuthorized ? self.refusal : 407
    if (refusal === 'silence') return
    if (refusal !== undefined) {
      client.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 2\r\n\r\nno`)
      return
    }
    const target = track(connect(Number(req.url?.split(':').at(-1)), '127.0.0.1'))
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      client.pipe(target).pipe(client)
    })
    client.on('close', () => target.destroy())
    target.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const self: ConnectProxy = {
    port: (server.address() as AddressInfo).port,
    visits: [],
    resets: [],
    refusal: undefined,
    close() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
  return self
}
