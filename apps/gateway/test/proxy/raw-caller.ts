import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An answer as it came over the wire, its body without the framing. */
export interface RawAnswer {
  readonly status: number
  readonly lines: readonly string[]
  readonly body: Buffer
  /** Sizes of the chunks in which the body came; undefined when it came with a length. */
  readonly chunks: number[] | undefined
  /** Whether the framing says that this is all of it. */
  readonly isComplete: boolean
  readonly header: (name: string) => string[]
}

export interface RawCaller {
  readonly socket: Socket
  send(bytes: string | Buffer): void
  /** Everything that came so far. */
  received(): Buffer
  /** Everything that came, as soon as `text` has come. */
  until(text: string): Promise<string>
  /** Resolves when a whole head has come. */
  head(): Promise<RawAnswer>
  /** Resolves when a whole answer has come, or the connection has ended; then takes it out of what was received. */
  answer(): Promise<RawAnswer>
  readonly closed: Promise<void>
}

/** A caller that sends and sees plain bytes. */
export async function rawCaller(port: number): Promise<RawCaller> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let bytes = Buffer.alloc(0)
  let isClosed = false
  let wake = (): void => {}
  socket.on('data', (more) => {
    bytes = Buffer.concat([bytes, more])
    wake()
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true
      wake()
      resolve()
    })
  })
  await once(socket, 'connect')

  async function when(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (isClosed)
        throw new Error(`the connection was closed after: ${JSON.stringify(bytes.toString('latin1').slice(-500))}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  return {
    socket,
    closed,
    send: (content) => void socket.write(content),
    received: () => bytes,
    async until(text) {
      await when(() => bytes.includes(text))
      return bytes.toString()
    },
    async head() {
      await when(() => bytes.includes('\r\n\r\n'))
      return readAnswer(bytes).answer
    },
    async answer() {
      await when(
        () => (bytes.includes('\r\n\r\n') && readAnswer(bytes).answer.isComplete) || (isClosed && bytes.length > 0),
      )
      const { answer, end } = readAnswer(bytes)
      bytes = bytes.subarray(end)
      return answer
    },
  }
}

function readAnswer(bytes: Buffer): { answer: RawAnswer; end: number } {
  const headEnd = bytes.indexOf('\r\n\r\n')
  const [start = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const header = (name: string): string[] =>
    lines
      .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      .map((line) => line.slice(name.length + 1).trim())
  const status = Number(start.split(' ')[1])
  const from = headEnd + 4

  if (header('transfer-encoding').includes('chunked')) {
    const { content, sizes, end } = readChunks(bytes, from)
    const answer = { status, lines, body: content, chunks: sizes, isComplete: end !== -1, header }
    return { answer, end: end === -1 ? bytes.length : end }
  }
  const length = status === 204 || status === 304 ? 0 : Number(header('content-length')[0] ?? Infinity)
  const body = bytes.subarray(from, from + length)
  return {
    answer: { status, lines, body, chunks: undefined, isComplete: body.length === length, header },
    end: from + body.length,
  }
}

function readChunks(bytes: Buffer, from: number): { content: Buffer; sizes: number[]; end: number } {
  const pieces: Buffer[] = []
  const sizes: number[] = []
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return { content: Buffer.concat(pieces), sizes, end: -1 }
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const start = lineEnd + 2
    if (bytes.length < start + size + 2) {
      return { content: Buffer.concat([...pieces, bytes.subarray(start, start + size)]), sizes, end: -1 }
    }
    if (size === 0) return { content: Buffer.concat(pieces), sizes, end: start + 2 }
    pieces.push(bytes.subarray(start, start + size))
    sizes.push(size)
    at = start + size + 2
  }
}

/** A POST of a message in space North, sent by Ada, with further header lines. */
export function post(body: string | Buffer, ...lines: string[]): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(head('POST', `Content-Length: ${bytes.length}`, ...lines)), bytes])
}

/** The head of a request in space North, by Ada. A line given replaces the one of the same name. */
export function head(method: string, ...lines: string[]): string {
  const usual = ['Host: gateway.test', 'Authorization: Bearer service-token', 'X-Space-ID: north', 'X-User-ID: ada']
  const given = lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
  const kept = usual.filter((line) => !given.includes(line.slice(0, line.indexOf(':')).toLowerCase()))
  return [`${method} /mcp/notion/proxy HTTP/1.1`, ...kept, ...lines, '', ''].join('\r\n')
}
