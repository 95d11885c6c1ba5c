import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An internal server on this machine, the target of SSRF attacks. */
export interface Victim {
  readonly port: number
  /** `connected` for each connection, and the path of each request. */
  readonly visits: string[]
  close(): void
}

/** Starts the server. */
export async function victim(
  respond: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end('{}'),
): Promise<Victim> {
  const visits: string[] = []
  const server = createServer((request, response) => {
    visits.push(request.url ?? '')
    respond(request, response)
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
