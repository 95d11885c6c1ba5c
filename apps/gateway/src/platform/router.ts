import type { IncomingMessage } from 'node:http'
import type { Failure } from './failure.ts'

/** The environment of the router's contexts. */
export interface App {
  Bindings: {
    requestId: string
    incoming: IncomingMessage
    /** The failure of the request, for the log. */
    failure: Failure | undefined
  }
}
