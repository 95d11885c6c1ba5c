import { connect } from 'node:net'

/** A request as it is sent, which no HTTP client would form. */
export interface RawRequest {
  readonly bytes: string
  /** The response to HEAD has no body, whatever its length. */
  readonly method: string
}

export interface RawResponse {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const DEADLINE_MS = 20_000

/**
 * Sends the bytes on a connection of their own.
 *
 * @returns `count` responses, or fewer when the server closes the connection before. Interim responses are left out.
 * @throws {Error} when there are fewer within 20 seconds and the connection is still open.
 */
export async function sendRaw(port: number, { bytes, method }: RawRequest, count = 1): Promise<RawResponse[]> {
  const socket = connect(port, 'localhost')
  let received = ''
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no complete response within ${DEADLINE_MS / 1000} s: ${received.slice(0, 200)}`)),
        DEADLINE_MS,
      )
      const finishWith = (responses: RawResponse[]) => {
        clearTimeout(timer)
        resolve(responses)
      }
      socket.on('data', (piece) => {
        received += piece.toString('latin1')
        const responses = readResponses(received, method, false)
        if (responses.length >= count) finishWith(responses)
      })
      socket.on('error', () => undefined)
      socket.on('close', () => finishWith(readResponses(received, method, true)))
      socket.write(bytes)
    })
  } finally {
    socket.destroy()
  }
}

function readResponses(text: string, method: string, isClosed: boolean): RawResponse[] {
  const responses: RawResponse[] = []
  for (let rest = text; rest.includes('\r\n\r\n');) {
    const headEnd = rest.indexOf('\r\n\r\n') + 4
    const [statusLine = '', ...lines] = rest.slice(0, headEnd - 4).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
    if (Number.isNaN(status)) throw new Error(`not HTTP: ${rest.slice(0, 100)}`)
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const hasBody = method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304
    const body = hasBody ? readBody(rest.slice(headEnd), headers, isClosed) : { text: '', length: 0 }
    if (body === undefined) break
    if (status >= 200) responses.push({ status, headers, body: body.text })
    rest = rest.slice(headEnd + body.length)
  }
  return responses
}

/** Undefined while the body is incomplete. */
function readBody(
  text: string,
  headers: Record<string, string>,
  isClosed: boolean,
): { text: string; length: number } | undefined {
  const { 'transfer-encoding': coding, 'content-length': given } = headers
  if (coding === undefined) {
    // Without a length, the body ends with the connection.
    if (given === undefined && !isClosed) return undefined
    const length = given === undefined ? text.length : Number(given)
    return text.length < length ? undefined : { text: text.slice(0, length), length }
  }
  let body = ''
  for (let at = 0; ;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (text.length < end) return undefined
    if (size === 0) return { text: body, length: end }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = end
  }
}
