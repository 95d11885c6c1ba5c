import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** How often each replica is asked whether it is ready. */
const PROBE_MS = 200

/** A balancer as small as it can be: one request after another to the next replica that is ready, unbuffered. */
export interface Balancer {
  readonly url: string
  readonly port: number
  /** Which replicas are asked from now on, by their ports; those that are not ready get nothing. */
  setReplicas(ports: readonly number[]): Promise<void>
  close(): void
}

export async function startBalancer(): Promise<Balancer> {
  let replicas: readonly number[] = []
  const readiness = new Map<number, boolean>()
  let turn = 0
  const probe = () => Promise.all(replicas.map(async (port) => readiness.set(port, await isReady(port))))

  const server = createServer((request, response) => {
    const ready = replicas.filter((port) => readiness.get(port))
    const order = ready.map((_, at) => ready[(turn + at) % ready.length] ?? 0)
    turn += 1
    pass(request, response, order)
  }).listen(0)
  await once(server, 'listening')
  const timer = setInterval(() => void probe(), PROBE_MS)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://localhost:${port}`,
    port,
    async setReplicas(ports) {
      await Promise.all(ports.map(async (each) => readiness.set(each, await isReady(each))))
      replicas = ports
    },
    close() {
      clearInterval(timer)
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A connection for each request: one that is kept may be closed at the moment when it is used again. */
const agent = new Agent({ keepAlive: false })

function pass(request: IncomingMessage, response: ServerResponse, [port, ...others]: readonly number[]): void {
  if (port === undefined) {
    response.writeHead(502).end('no replica is ready')
    return
  }
  const { method, url, headers } = request
  const passed = send({ agent, port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.rawHeaders))
    response.flushHeaders()
    answer.pipe(response)
    answer.on('error', () => response.destroy())
  })
  passed.on('error', (error: NodeJS.ErrnoException) => {
    // Nothing was sent, so the next one may have it.
    if (error.code === 'ECONNREFUSED') pass(request, response, others)
    else if (response.headersSent) response.destroy()
    else response.writeHead(502).end(`a replica broke off: ${error.code}`)
  })
  response.on('close', () => passed.destroy())
  passed.on('socket', (socket) => socket.on('connect', () => request.pipe(passed)))
}

function withoutHopByHop(raw: readonly string[]): string[] {
  return raw.filter((_, at) => !/^(connection|keep-alive|transfer-encoding)$/i.test(raw[at - (at % 2)] ?? ''))
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://localhost:${port}/readyz`, { signal: AbortSignal.timeout(10_000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}
