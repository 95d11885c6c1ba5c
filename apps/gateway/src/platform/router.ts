import type { IncomingMessage } from 'node:http'
import type { Failure } from './failure.ts'

/** What the router's contexts hold. */
export interface App {
  Bindings: {
    requestId: string
    incoming: IncomingMessage
    /** Set for what was refused or failed, for the log. */
    failure: Failure | undefined
  }
}
