/**
 * Remembers which authorization servers do not answer, so that a dead one costs a time-out now and then instead of one for each call.
 *
 *             three connections in a row got no answer
 *   closed ───────────────────────────────────────────▶ open ──┐ no answer: open again, for twice as long
 *     ▲                                     its time is over │  │
 *     │            an answer, yes or no                      ▼  │
 *     └───────────────────────────────────────────────── one request may try
 */

/** So many different connections in a row have to fail: one alone may fail for a reason of its own, and is put off by its own back-off. */
const FAILING_CONNECTIONS = 3
const FIRST_PAUSE_MS = 2_000
const MAX_PAUSE_MS = 30_000

interface Circuit {
  readonly failing: Set<string>
  pauseMs: number
  /** Milliseconds since the epoch; 0 while the circuit is closed. */
  openUntilMs: number
  isTrying: boolean
}

export interface CircuitBreaker {
  /** How long a request to `server` has to wait; 0 lets this one go. Of those that ask when the pause is over, the first goes, the others wait. */
  waitMs(server: string, nowMs: number): number
  /** The same, without taking the turn. */
  isOpen(server: string, nowMs: number): boolean
  /** @returns whether the server counted as dead until now. */
  answered(server: string): boolean
  /** @returns whether the server counts as dead from now on. */
  failed(server: string, connection: string, nowMs: number): boolean
}

/** @param tryForMs how long the one request that tries may take. */
export function circuitBreaker(tryForMs: number): CircuitBreaker {
  const circuits = new Map<string, Circuit>()
  /** A pause that has longer to go than any is long was begun before the clock was set back, and is over. */
  const leftMs = (openUntilMs: number, nowMs: number): number => {
    const left = openUntilMs - nowMs
    return left > Math.max(MAX_PAUSE_MS, tryForMs) ? 0 : Math.max(0, left)
  }
  return {
    waitMs(server, nowMs) {
      const circuit = circuits.get(server)
      if (!circuit || circuit.openUntilMs === 0) return 0
      const left = leftMs(circuit.openUntilMs, nowMs)
      if (left > 0) return left
      circuit.openUntilMs = nowMs + tryForMs
      circuit.isTrying = true
      return 0
    },
    isOpen: (server, nowMs) => leftMs(circuits.get(server)?.openUntilMs ?? 0, nowMs) > 0,
    answered(server) {
      const wasOpen = (circuits.get(server)?.openUntilMs ?? 0) > 0
      circuits.delete(server)
      return wasOpen
    },
    failed(server, connection, nowMs) {
      const circuit = circuits.get(server) ?? {
        failing: new Set(),
        pauseMs: FIRST_PAUSE_MS,
        openUntilMs: 0,
        isTrying: false,
      }
      circuits.set(server, circuit)
      const wasOpen = circuit.openUntilMs > 0
      circuit.failing.add(connection)
      if (!wasOpen && circuit.failing.size < FAILING_CONNECTIONS) return false
      // Requests that were under way when it opened say nothing new.
      if (wasOpen && !circuit.isTrying) return false
      circuit.openUntilMs = nowMs + circuit.pauseMs
      circuit.isTrying = false
      circuit.pauseMs = Math.min(MAX_PAUSE_MS, circuit.pauseMs * 2)
      return !wasOpen
    },
  }
}
