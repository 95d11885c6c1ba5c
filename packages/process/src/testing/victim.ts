import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Something on this machine that only what is near may reach. */
export interface Victim {
  readonly port: number
  /** Who came: `connected` for each connection, and the path of each request. */
  readonly visits: string[]
  close(): void
}

export async function victim(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end('{}'),
): Promise<Victim> {
  const visits: string[] = []
  const server = createServer((request, response) => {
    visits.push(request.url ?? '')
    answer(request, response)
  })
  server.on('connection', () => visits.push('connected'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, visits, close }
}
