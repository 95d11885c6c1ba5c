import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { Client } from 'pg'

export interface DatabaseCounter {
  /** The database's URL through this counter. */
  readonly url: string
  /** Number of round trips: the ReadyForQuery messages of the server. */
  roundTrips(): number
  close(): void
}

const READY_FOR_QUERY = 'Z'.charCodeAt(0)

/** Forwards the PostgreSQL protocol and counts its round trips. */
export async function databaseCounter(databaseUrl: string): Promise<DatabaseCounter> {
  const { host, port, user, password, database: name } = new Client(databaseUrl)
  let count = 0
  const server = createServer((client) => {
    // The embedded server listens on a Unix socket.
    const database = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect({ host, port })
    let unread = Buffer.alloc(0)
    database.on('data', (bytes) => {
      client.write(bytes)
      unread = Buffer.concat([unread, bytes])
      // Each message of the server: a type byte, and a length that includes itself.
      while (unread.length >= 5) {
        const size = 1 + unread.readInt32BE(1)
        if (unread.length < size) break
        if (unread[0] === READY_FOR_QUERY) count++
        unread = unread.subarray(size)
      }
    })
    client.on('data', (bytes) => database.write(bytes))
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo
  const account = [user, password]
    .filter((part) => typeof part === 'string')
    .map((part) => encodeURIComponent(part ?? ''))
  return {
    url: `postgresql://${account.join(':')}@127.0.0.1:${own}/${name}`,
    roundTrips: () => count,
    close: () => void server.close(),
  }
}
