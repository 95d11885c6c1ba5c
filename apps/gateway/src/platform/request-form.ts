import type { IncomingMessage } from 'node:http'
import { Failure } from './failure.ts'

/** A `Host`: a name or an address, and a port ([RFC 9110 §7.2](https://www.rfc-editor.org/rfc/rfc9110#section-7.2)). */
const HOST = /^([\w.~%!$&'()*+,;=-]*|\[[\da-f:.]+\])(:\d{0,5})?$/i
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is

/**
 * Validates the parts of a request head that Node does not validate, and rewrites the target to origin form (path and query). The host of a
 * target in absolute form replaces `Host` ([RFC 9112 §3.2.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2)).
 *
 * @throws {Failure} `invalid_request` (400, or 501 for an unknown transfer coding).
 */
export function normalizeRequest(req: IncomingMessage): void {
  const { headers } = req
  if (countOf(req, 'host') > 1) throw invalid('The request has more than one Host. Send one.')
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    throw new Failure('invalid_request', 'The gateway supports no transfer coding but chunked.', { status: 501 })
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
  // HTTP/1.0 has no Host. Browsers do not send HTTP/1.0, so the check against DNS rebinding does not apply.
  headers.host ??= 'localhost'
  if (!HOST.test(headers.host)) throw invalid('The Host of the request is not valid.')
}

function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === name) count++
  return count
}

const invalid = (detail: string) => new Failure('invalid_request', detail)
