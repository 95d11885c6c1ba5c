import type { IncomingMessage, ServerResponse } from 'node:http'
import { respondToProbe } from '@nmg/process/probe'

/** Responds to `npm run doctor`, which proves knowledge of the service token; 404 for everyone else. */
export function probeWith(serviceToken: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) =>
    respondToProbe(request, response, {
      process: 'web',
      serviceTokens: [serviceToken],
      // By now the one address that limits and sessions go by.
      clientAddress: String(request.headers['x-forwarded-for']),
    })
}
