import { beforeEach, describe, expect, it } from 'vitest'
import { circuitBreaker, type CircuitBreaker } from './circuit-breaker.ts'

const SERVER = 'https://notion.example/token'
const TRY_FOR_MS = 15_000

let breaker: CircuitBreaker
beforeEach(() => {
  breaker = circuitBreaker(TRY_FOR_MS)
})

/** Failures of three connections in a row at `nowMs`. */
const openCircuit = (nowMs: number) =>
  ['a', 'b', 'c'].map((connection) => breaker.recordFailure(SERVER, connection, nowMs))

describe('the circuit of an authorization server', () => {
  it('opens after failures of three different connections in a row', () => {
    for (let i = 0; i < 10; i++) expect(breaker.recordFailure(SERVER, 'a', 0)).toBe(false)
    expect(breaker.waitMs(SERVER, 0)).toBe(0)
    expect([breaker.recordFailure(SERVER, 'b', 0), breaker.recordFailure(SERVER, 'c', 0)]).toEqual([false, true])
    expect(breaker.waitMs(SERVER, 500)).toBe(1_500)
    expect(breaker.isOpen(SERVER, 500)).toBe(true)
  })

  it('stays closed if a response comes in between', () => {
    breaker.recordFailure(SERVER, 'a', 0)
    breaker.recordFailure(SERVER, 'b', 0)
    expect(breaker.recordResponse(SERVER)).toBe(false)
    expect(openCircuit(0)).toEqual([false, false, true])
  })

  it('does not affect another server', () => {
    openCircuit(0)
    expect(breaker.waitMs('https://elsewhere.example/token', 0)).toBe(0)
  })

  it('allows one request after the pause while the others wait', () => {
    openCircuit(0)
    expect(breaker.isOpen(SERVER, 2_000)).toBe(false)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(0)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(TRY_FOR_MS)
    // The outcome of that request was never recorded.
    expect(breaker.waitMs(SERVER, 2_000 + TRY_FOR_MS)).toBe(0)
  })

  it('doubles its pause after each failed attempt, up to half a minute', () => {
    openCircuit(0)
    let nowMs = 2_000
    const pauses = Array.from({ length: 6 }, () => {
      breaker.waitMs(SERVER, nowMs)
      expect(breaker.recordFailure(SERVER, 'a', nowMs)).toBe(false)
      const pauseMs = breaker.waitMs(SERVER, nowMs)
      nowMs += pauseMs
      return pauseMs
    })
    expect(pauses).toEqual([4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('does not extend its pause for requests that were in flight when it opened', () => {
    openCircuit(0)
    for (const connection of ['d', 'e', 'f']) expect(breaker.recordFailure(SERVER, connection, 1_000)).toBe(false)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(0)
  })

  it('closes with the first response', () => {
    openCircuit(0)
    breaker.waitMs(SERVER, 2_000)
    expect(breaker.recordResponse(SERVER)).toBe(true)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(0)
    expect(breaker.recordFailure(SERVER, 'a', 2_000)).toBe(false)
  })

  it('ignores a pause from before the clock was set back', () => {
    openCircuit(3_600_000)
    expect(breaker.isOpen(SERVER, 0)).toBe(false)
    expect(breaker.waitMs(SERVER, 0)).toBe(0)
  })
})
