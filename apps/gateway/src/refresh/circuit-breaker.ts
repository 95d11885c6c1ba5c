/**
 * Circuit breaker per authorization server, so that an unavailable one costs an occasional time-out instead of one per call.
 *
 *          requests of three different connections fail in a row
 *   closed ─────────────────────────────────────────────▶ open ──┐ failure: open again, for twice as long
 *     ▲                                            pause ends │  │
 *     │                        any response                   ▼  │
 *     └────────────────────────────────────────────────────── half-open: one request may try
 */

/** Number of different connections that have to fail in a row. A single one may fail for its own reasons and has its own back-off. */
const FAILING_CONNECTIONS = 3
const FIRST_PAUSE_MS = 2_000
const MAX_PAUSE_MS = 30_000

interface Circuit {
  readonly failing: Set<string>
  pauseMs: number
  /** Milliseconds since the epoch; 0 while the circuit is closed. */
  openUntilMs: number
  isHalfOpen: boolean
}

export interface CircuitBreaker {
  /** Milliseconds until a request to `server` is allowed; 0 allows this one. After the pause, only the first caller is allowed. */
  waitMs(server: string, nowMs: number): number
  /** True while no request is allowed. Unlike {@link waitMs}, does not claim the request of the half-open state. */
  isOpen(server: string, nowMs: number): boolean
  /** Records a response. @returns true if it closes the circuit. */
  recordResponse(server: string): boolean
  /** Records a failure. @returns true if it opens a closed circuit. */
  recordFailure(server: string, connection: string, nowMs: number): boolean
}

/** @param tryForMs how long the request of the half-open state may take. */
export function circuitBreaker(tryForMs: number): CircuitBreaker {
  const circuits = new Map<string, Circuit>()
  /** A pause with more than the maximum remaining was started before the clock was set back, and is over. */
  const remainingMs = (openUntilMs: number, nowMs: number): number => {
    const left = openUntilMs - nowMs
    return left > Math.max(MAX_PAUSE_MS, tryForMs) ? 0 : Math.max(0, left)
  }
  return {
    waitMs(server, nowMs) {
      const circuit = circuits.get(server)
      if (!circuit || circuit.openUntilMs === 0) return 0
      const pauseMs = remainingMs(circuit.openUntilMs, nowMs)
      if (pauseMs > 0) return pauseMs
      circuit.openUntilMs = nowMs + tryForMs
      circuit.isHalfOpen = true
      return 0
    },
    isOpen: (server, nowMs) => remainingMs(circuits.get(server)?.openUntilMs ?? 0, nowMs) > 0,
    recordResponse(server) {
      const wasOpen = (circuits.get(server)?.openUntilMs ?? 0) > 0
      circuits.delete(server)
      return wasOpen
    },
    recordFailure(server, connection, nowMs) {
      const circuit = circuits.get(server) ?? {
        failing: new Set(),
        pauseMs: FIRST_PAUSE_MS,
        openUntilMs: 0,
        isHalfOpen: false,
      }
      circuits.set(server, circuit)
      const wasOpen = circuit.openUntilMs > 0
      circuit.failing.add(connection)
      if (!wasOpen && circuit.failing.size < FAILING_CONNECTIONS) return false
      // Failures of requests that were in flight when the circuit opened do not extend the pause.
      if (wasOpen && !circuit.isHalfOpen) return false
      circuit.openUntilMs = nowMs + circuit.pauseMs
      circuit.isHalfOpen = false
      circuit.pauseMs = Math.min(MAX_PAUSE_MS, circuit.pauseMs * 2)
      return !wasOpen
    },
  }
}
