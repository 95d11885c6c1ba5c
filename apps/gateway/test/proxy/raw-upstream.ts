import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A request as it came over the wire. Nothing is decoded, folded or sorted. */
export interface RawRequest {
  readonly method: string
  readonly target: string
  /** Header lines in the order and spelling in which they came. */
  readonly lines: readonly string[]
  readonly body: Buffer
  readonly socket: Socket
  /** Which connection of the upstream it came on, counted from 0. */
  readonly connection: number
  /** Resolves when the gateway has closed the connection. */
  readonly closed: Promise<void>
  /** Values of the header fields of this name. */
  readonly header: (name: string) => string[]
}

export interface RawUpstream {
  readonly url: URL
  readonly requests: RawRequest[]
  /** How many connections were made. */
  readonly connections: () => number
  /** From now on, what is done with each request. Bytes are written to its socket by hand. */
  answers(handler: (request: RawRequest) => void): void
  /** Resolves with the nth request (from 0), as soon as it is there. */
  request(n: number): Promise<RawRequest>
  close(): Promise<void>
}

/** A server that sends any bytes it is told to, valid HTTP or not. */
export async function rawUpstream(): Promise<RawUpstream> {
  const requests: RawRequest[] = []
  const waiting: { n: number; resolve: (request: RawRequest) => void }[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  let handler = (request: RawRequest): void => void request.socket.write(json('{}'))

  const server: Server = createServer({ noDelay: true }, (socket) => {
    const connection = connections++
    sockets.add(socket)
    let unread = Buffer.alloc(0)
    const closed = new Promise<void>((resolve) => {
      socket.on('close', () => {
        sockets.delete(socket)
        resolve()
      })
    })
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes])
      for (;;) {
        const headEnd = unread.indexOf('\r\n\r\n')
        if (headEnd === -1) return
        const [start = '', ...lines] = unread.toString('latin1', 0, headEnd).split('\r\n')
        const header = (name: string): string[] =>
          lines
            .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
            .map((line) => line.slice(name.length + 1).trim())
        if (header('transfer-encoding').length > 0) throw new Error('the gateway sends bodies with their length')
        const bodyEnd = headEnd + 4 + Number(header('content-length')[0] ?? 0)
        if (unread.length < bodyEnd) return
        const [method = '', target = ''] = start.split(' ')
        const body = unread.subarray(headEnd + 4, bodyEnd)
        unread = unread.subarray(bodyEnd)
        const request = { method, target, lines, body, socket, connection, closed, header }
        requests.push(request)
        for (const { n, resolve } of waiting) if (n === requests.length - 1) resolve(request)
        handler(request)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: new URL(`http://127.0.0.1:${port}/mcp`),
    requests,
    connections: () => connections,
    answers(next) {
      handler = next
    },
    request(n) {
      const there = requests[n]
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.push({ n, resolve }))
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An answer whose body has a length. */
export function answer(status: string, headers: readonly string[], body: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([
    Buffer.from([`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${bytes.length}`, '', ''].join('\r\n'), 'latin1'),
    bytes,
  ])
}

export function json(body: string): Buffer {
  return answer('200 OK', ['Content-Type: application/json'], body)
}

/** The head of an answer whose body comes in chunks. */
export function streamHead(...headers: string[]): string {
  return ['HTTP/1.1 200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked', ...headers, '', ''].join(
    '\r\n',
  )
}

/** One chunk of such a body; without bytes, its end. */
export function chunk(bytes: string | Buffer = ''): Buffer {
  const content = Buffer.from(bytes)
  return Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n')])
}
