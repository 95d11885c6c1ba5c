import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** Interval of the readiness checks of each replica. */
const PROBE_MS = 200

/** A minimal balancer: each request goes to the next ready replica, unbuffered. */
export interface Balancer {
  readonly url: string
  readonly port: number
  /** Sets the replicas by their ports; replicas that are not ready get no requests. */
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

/** Uses one connection per request: an idle connection may be closed just when it is reused. */
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
    // Nothing was sent, so the next replica may get the request.
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
