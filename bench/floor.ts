/**
 * The floor of the benchmark: a bare forwarder on node:http and undici with a fixed token, in a process of its own. It does what any proxy on these
 * two has to do, and nothing else: no authentication, limits, log, or handling of faults. Usage: `node floor.ts <port> <upstream port>`.
 */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

// The gateway's undici: the one at the root of node_modules is of another version.
const { Pool } = createRequire(new URL('../apps/gateway/package.json', import.meta.url))(
  'undici',
) as typeof import('undici')

const [port, upstreamPort] = process.argv.slice(2).map(Number)
const upstream = new Pool(`http://127.0.0.1:${upstreamPort}`, { pipelining: 1 })
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length'])

const server = createServer((req, res) => {
  const body: Buffer[] = []
  req.on('data', (chunk: Buffer) => body.push(chunk))
  req.on('end', () => {
    const headers: Record<string, string | string[]> = {}
    for (const name in req.headers) {
      if (!HOP_BY_HOP.has(name)) headers[name] = req.headers[name] ?? ''
    }
    headers['authorization'] = 'Bearer a-fixed-token'
    upstream.dispatch(
      { path: req.url ?? '/', method: req.method as 'POST', headers, body: Buffer.concat(body) },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, responseHeaders) {
          const { connection: _, 'keep-alive': __, ...forwarded } = responseHeaders
          res.writeHead(status, forwarded)
        },
        onResponseData(_controller, chunk) {
          res.write(chunk)
        },
        onResponseEnd() {
          res.end()
        },
        onResponseError() {
          res.destroy()
        },
      },
    )
  })
})
server.keepAliveTimeout = 120_000
server.listen(port, '127.0.0.1', 4096)
