import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CompleteResponse } from '../platform/problems.ts'

/** How long a caller that sends too much is listened to, so that it gets to read the answer instead of a reset. */
const LINGER_MS = 1000
/** How long the reader of an answer that broke off may let the rest of it lie. */
const CUT_READER_MS = 30_000

/** Ends the connection without ending the answer, so that the caller sees that it is cut, and all of it that there is. */
export function breakOff(req: IncomingMessage, res: ServerResponse): void {
  const { socket } = res
  if (!socket) res.destroy()
  // A body without framing ends where the connection does; only a reset tells that there should be more.
  else if (req.httpVersionMinor === 0) socket.resetAndDestroy()
  else {
    // What was written is read first; by whom does not read at all, not for ever.
    socket.setTimeout(CUT_READER_MS)
    socket.destroySoon()
  }
}

/** Answers a request whose body is not wanted, and hears it out for a moment: closing at once would reset the connection. */
export function linger(req: IncomingMessage, res: ServerResponse, { status, headers, body }: CompleteResponse): void {
  res.writeHead(status, [...headers, 'Connection', 'close'])
  res.write(body)
  const finish = (): void => {
    clearTimeout(timer)
    res.end()
  }
  const timer = setTimeout(finish, LINGER_MS)
  req.once('end', finish)
  req.once('close', finish)
  req.resume()
}
