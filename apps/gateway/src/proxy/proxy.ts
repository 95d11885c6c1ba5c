import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Failure } from '../platform/failure.ts'
import { InFlightSet } from '../platform/in-flight-set.ts'
import { Exchange, type ExchangeDependencies, type Traffic } from './exchange.ts'
import { Admission, type AdmissionLimits, DEFAULT_LIMITS } from './admission.ts'

export interface ProxyDependencies extends ExchangeDependencies {
  /** {@link DEFAULT_LIMITS} when left out. */
  readonly limits?: AdmissionLimits
}

export interface McpProxy {
  /** Answers a request for an MCP endpoint. */
  handle(req: IncomingMessage, res: ServerResponse): void
  /**
   * Ends all streams, so that their clients open them again elsewhere, and lets calls finish. What is not finished after `graceMs` is
   * broken off. Requests that still come are answered, and their connections closed.
   */
  drain(graceMs: number): Promise<void>
  /** The spaces that something is under way for. */
  spaces(): Set<string>
  /** Breaks off everything that is under way for this space. */
  end(spaceId: string, failure: Failure): void
}

/** The MCP endpoint: authenticates, finds the space, and passes the call on and its answer back. */
export function mcpProxy(deps: ProxyDependencies): McpProxy {
  const traffic = new OpenTraffic(deps)
  return {
    handle(req, res) {
      new Exchange(traffic, req, res).begin()
    },
    drain: (graceMs) => traffic.drain(graceMs),
    spaces: () => traffic.spaces(),
    end(spaceId, failure) {
      for (const exchange of traffic.open) if (exchange.spaceId === spaceId) exchange.end(failure)
    },
  }
}

class OpenTraffic implements Traffic {
  readonly deps: ProxyDependencies
  readonly admission: Admission
  readonly open = new InFlightSet<Exchange>()
  isDraining = false
  isClosed = false
  #whenEmpty: (() => void) | undefined

  constructor(deps: ProxyDependencies) {
    this.deps = deps
    this.admission = new Admission(deps.limits ?? DEFAULT_LIMITS)
  }

  spaces(): Set<string> {
    const spaces = new Set<string>()
    for (const { spaceId } of this.open) if (spaceId !== undefined) spaces.add(spaceId)
    return spaces
  }

  left(exchange: Exchange): void {
    this.open.delete(exchange)
    if (this.open.size === 0) this.#whenEmpty?.()
  }

  async drain(graceMs: number): Promise<void> {
    this.isDraining = true
    for (const exchange of this.open) exchange.prepareToEnd()
    if (this.open.size === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
    })
    const timer = setTimeout(() => {
      this.isClosed = true
      for (const exchange of this.open) exchange.end()
    }, graceMs)
    await empty
    clearTimeout(timer)
  }
}
