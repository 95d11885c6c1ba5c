import type { IncomingMessage, ServerResponse } from 'node:http'
import { respondToProbe } from '@nmg/process/probe'

/** Answers `npm run doctor`, which proves that it knows the service token; everybody else gets what there is at an unknown address. */
export function probeWith(serviceToken: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) =>
    respondToProbe(request, response, {
      process: 'web',
      serviceTokens: [serviceToken],
      // By now the one address that limits and sessions go by.
      clientAddress: String(request.headers['x-forwarded-for']),
    })
}
