/** A worker with a minimal token endpoint, so that the gateway and the database dominate the measurement. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort } from 'node:worker_threads'

let issued = 0
const server: Server = createServer((request, response) => {
  request.resume().on('end', () => {
    issued += 1
    const tokens = { access_token: `access-${issued}`, refresh_token: `refresh-${issued}` }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...tokens, token_type: 'bearer', expires_in: 28_800 }))
  })
}).listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))
