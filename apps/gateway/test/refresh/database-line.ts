import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP proxy between one gateway and the database that a test can cut or stall. */
export interface DatabaseLine {
  /** The database's URL through this proxy. */
  readonly url: string
  /** Breaks all connections and accepts no new ones until {@link heal}. */
  cut(): void
  /** Stalls all connections, as a network without a route, until {@link heal}. */
  hold(): void
  heal(): void
  close(): Promise<void>
}

export async function databaseLine(databaseUrl: string): Promise<DatabaseLine> {
  const target = new URL(databaseUrl)
  const socketFolder = target.searchParams.get('host')
  const reach = () =>
    socketFolder === null
      ? connect(Number(target.port || 5432), target.hostname)
      : connect(`${socketFolder}/.s.PGSQL.${target.port || 5432}`)

  let state: 'open' | 'cut' | 'held' = 'open'
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (state === 'cut') {
      near.destroy()
      return
    }
    const far = reach()
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      if (state === 'held') socket.pause()
      socket.on('data', (bytes) => other.write(bytes))
      if (state === 'held') socket.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  url.searchParams.delete('host')
  return {
    url: url.href,
    cut() {
      state = 'cut'
      for (const socket of sockets) socket.destroy()
    },
    hold() {
      state = 'held'
      for (const socket of sockets) socket.pause()
    },
    heal() {
      state = 'open'
      for (const socket of sockets) socket.resume()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
