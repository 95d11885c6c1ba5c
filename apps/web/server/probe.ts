import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { answerProbe } from '@nmg/process/probe'

/** Answers `npm run doctor`, which proves that it knows the service token; everybody else gets what there is at an unknown address. */
export function probeWith(serviceToken: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    // By now the one address that limits and sessions go by.
    const clientAddress = String(request.headers['x-forwarded-for'])
    const answer = answerProbe(request, { process: 'web', serviceTokens: [serviceToken], clientAddress })
    if (!answer?.body) return false
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    Readable.fromWeb(answer.body as ReadableStream).pipe(response)
    return true
  }
}
