import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Failure } from '../platform/failure.ts'
import { InFlightSet } from '../platform/in-flight-set.ts'
import { Admission, type AdmissionLimits, DEFAULT_LIMITS } from './admission.ts'
import { Exchange, type ExchangeOptions } from './exchange.ts'
import { handle, type HandleDependencies, stopping } from './handle.ts'

export interface ProxyDependencies extends HandleDependencies, ExchangeOptions {
  /** {@link DEFAULT_LIMITS} when left out. */
  readonly limits?: AdmissionLimits
}

export interface McpProxy {
  /** Answers a request for an MCP endpoint. */
  handle(req: IncomingMessage, res: ServerResponse): void
  /**
   * Ends all streams, so that their clients open them again elsewhere, and lets calls finish. What is not finished after `graceMs` is aborted.
   * Requests that still arrive are answered, and their connections closed.
   */
  drain(graceMs: number): Promise<void>
  /** The spaces with requests in flight. */
  spaces(): Set<string>
  /** Aborts every request of this space. */
  end(spaceId: string, failure: Failure): void
}

/** The MCP endpoint: authenticates, finds the space, forwards the call and relays the response. */
export function mcpProxy(deps: ProxyDependencies): McpProxy {
  const inFlight = new InFlightSet<Exchange>()
  const state = { admission: new Admission(deps.limits ?? DEFAULT_LIMITS), isDraining: false, isClosed: false }
  let onEmpty: (() => void) | undefined
  const options: ExchangeOptions = {
    ...(deps.errorResponse && { errorResponse: deps.errorResponse }),
    ...(deps.requestId && { requestId: deps.requestId }),
    onDone(record) {
      deps.onDone?.(record)
      if (inFlight.size === 0) onEmpty?.()
    },
  }

  return {
    handle(req, res) {
      void handle(deps, state, new Exchange(req, res, options, inFlight, state.admission))
    },
    async drain(graceMs) {
      state.isDraining = true
      for (const exchange of inFlight) exchange.prepareToStop(stopping())
      if (inFlight.size === 0) return
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve
      })
      const timer = setTimeout(() => {
        state.isClosed = true
        for (const exchange of inFlight) exchange.abort(stopping())
      }, graceMs)
      await empty
      clearTimeout(timer)
    },
    spaces() {
      const spaces = new Set<string>()
      for (const { spaceId } of inFlight) if (spaceId !== undefined) spaces.add(spaceId)
      return spaces
    },
    end(spaceId, failure) {
      for (const exchange of inFlight) if (exchange.spaceId === spaceId) exchange.abort(failure)
    },
  }
}
