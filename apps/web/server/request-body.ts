import { IncomingMessage, type ServerResponse } from 'node:http'

/** How long, and how much further, a body that is refused is read on: a client that still sends may not read the response otherwise. */
const LINGER_MS = 1_000
const LINGER_BYTES = 4 * 1024 * 1024

/** True if Content-Length exceeds `most`. */
export const declaresMoreThan = ({ headers }: IncomingMessage, most: number): boolean =>
  Number(headers['content-length'] ?? 0) > most

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Reads the body. Undefined when it has more bytes than `most`; never settles when the client goes away. */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) {
        chunks.length = 0
        resolve(undefined)
      } else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => undefined)
  })
}

/** The same request with a body that was read already, whose length is known therefore. */
export function withBody(request: IncomingMessage, body: Buffer): IncomingMessage {
  const copy = new IncomingMessage(request.socket)
  const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, rawHeaders, headers } = request
  Object.assign(copy, { method, url, httpVersion, httpVersionMajor, httpVersionMinor, rawHeaders, complete: true })
  copy.headers = { ...headers, 'content-length': String(body.length) }
  for (const name of ['transfer-encoding', 'trailer', 'expect']) delete copy.headers[name]
  copy.push(body)
  copy.push(null)
  return copy
}

/** Ends the response once the rest of the refused body is in, or it is time. */
export function endAfterBody(request: IncomingMessage, response: ServerResponse): void {
  let rest = 0
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  timer.unref()
  request.on('data', (chunk: Buffer) => {
    rest += chunk.length
    if (rest > LINGER_BYTES) end()
  })
  request.on('end', end)
  request.on('close', end)
}
