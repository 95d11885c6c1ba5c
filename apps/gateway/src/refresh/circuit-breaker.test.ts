import { beforeEach, describe, expect, it } from 'vitest'
import { circuitBreaker, type CircuitBreaker } from './circuit-breaker.ts'

const SERVER = 'https://notion.example/token'
const TRY_FOR_MS = 15_000

let breaker: CircuitBreaker
beforeEach(() => {
  breaker = circuitBreaker(TRY_FOR_MS)
})

/** Three connections in a row at `nowMs`. */
const dies = (nowMs: number) => ['a', 'b', 'c'].map((connection) => breaker.failed(SERVER, connection, nowMs))

describe('an authorization server that does not answer', () => {
  it('is left alone after three connections in a row have failed, whichever of them how often', () => {
    for (let i = 0; i < 10; i++) expect(breaker.failed(SERVER, 'a', 0)).toBe(false)
    expect(breaker.waitMs(SERVER, 0)).toBe(0)
    expect([breaker.failed(SERVER, 'b', 0), breaker.failed(SERVER, 'c', 0)]).toEqual([false, true])
    expect(breaker.waitMs(SERVER, 500)).toBe(1_500)
    expect(breaker.isOpen(SERVER, 500)).toBe(true)
  })

  it('is not left alone when an answer came in between', () => {
    breaker.failed(SERVER, 'a', 0)
    breaker.failed(SERVER, 'b', 0)
    expect(breaker.answered(SERVER)).toBe(false)
    expect(dies(0)).toEqual([false, false, true])
  })

  it('does not keep from another one', () => {
    dies(0)
    expect(breaker.waitMs('https://elsewhere.example/token', 0)).toBe(0)
  })

  it('is tried by one when the pause is over, while the others wait', () => {
    dies(0)
    expect(breaker.isOpen(SERVER, 2_000)).toBe(false)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(0)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(TRY_FOR_MS)
    // The one that tried was never heard of again.
    expect(breaker.waitMs(SERVER, 2_000 + TRY_FOR_MS)).toBe(0)
  })

  it('is left alone for twice as long each time, up to half a minute', () => {
    dies(0)
    let nowMs = 2_000
    const pauses = Array.from({ length: 6 }, () => {
      breaker.waitMs(SERVER, nowMs)
      expect(breaker.failed(SERVER, 'a', nowMs)).toBe(false)
      const pauseMs = breaker.waitMs(SERVER, nowMs)
      nowMs += pauseMs
      return pauseMs
    })
    expect(pauses).toEqual([4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('is not left alone any longer for requests that were under way when it was found dead', () => {
    dies(0)
    for (const connection of ['d', 'e', 'f']) expect(breaker.failed(SERVER, connection, 1_000)).toBe(false)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(0)
  })

  it('is back with its first answer', () => {
    dies(0)
    breaker.waitMs(SERVER, 2_000)
    expect(breaker.answered(SERVER)).toBe(true)
    expect(breaker.waitMs(SERVER, 2_000)).toBe(0)
    expect(breaker.failed(SERVER, 'a', 2_000)).toBe(false)
  })

  it('is left alone no longer than any pause lasts when the clock is set back', () => {
    dies(3_600_000)
    expect(breaker.isOpen(SERVER, 0)).toBe(false)
    expect(breaker.waitMs(SERVER, 0)).toBe(0)
  })
})
