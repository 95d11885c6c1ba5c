import type { IncomingMessage } from 'node:http'
import { Failure } from './failure.ts'

/** A `Host`: a name or an address, and a port ([RFC 9110 §7.2](https://www.rfc-editor.org/rfc/rfc9110#section-7.2)). */
const HOST = /^([\w.~%!$&'()*+,;=-]*|\[[\da-f:.]+\])(:\d{0,5})?$/i
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is

/**
 * Checks what Node leaves to the program of a request's head, and brings its target into the form that everything else reads: path and query. A
 * target in absolute form has the host in it, and that one counts ([RFC 9112 §3.2.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2)).
 *
 * @throws {Failure} `invalid_request` (400, or 501 for a transfer coding that is not known).
 */
export function normalizeForm(req: IncomingMessage): void {
  const { headers } = req
  if (countOf(req, 'host') > 1) throw invalid('The request has more than one Host. Send one.')
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    throw new Failure('invalid_request', 'The gateway knows no transfer coding but chunked.', { status: 501 })
  }
  const [, authority, rest] = req.url?.startsWith('/') ? [] : (ABSOLUTE.exec(req.url ?? '') ?? [])
  if (authority !== undefined && rest !== undefined) {
    if (authority === '') throw invalid('The target of the request has no host.')
    headers.host = authority
    req.url = rest.startsWith('/') ? rest : `/${rest}`
  }
  if (!req.url?.startsWith('/') && !(req.url === '*' && req.method === 'OPTIONS')) {
    throw invalid('The target of the request is not valid.')
  }
  // HTTP/1.0 has no Host. No browser sends that, so the check against DNS rebinding has nothing to find.
  headers.host ??= 'localhost'
  if (!HOST.test(headers.host)) throw invalid('The Host of the request is not valid.')
}

function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === name) count++
  return count
}

const invalid = (detail: string) => new Failure('invalid_request', detail)
