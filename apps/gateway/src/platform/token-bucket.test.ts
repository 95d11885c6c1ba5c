import { describe, expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

describe('a token bucket', () => {
  it('allows a burst of its rate and then reports the seconds until the next token', () => {
    const bucket = new TokenBucket(6, 0)
    expect(Array.from({ length: 8 }, () => bucket.take(0))).toEqual([0, 0, 0, 0, 0, 0, 10, 10])
  })

  it('refills evenly up to its capacity', () => {
    const bucket = new TokenBucket(6, 0)
    for (let i = 0; i < 6; i++) bucket.take(0)
    expect([bucket.take(4_000), bucket.take(10_000), bucket.take(10_000)]).toEqual([6, 0, 10])
    expect(Array.from({ length: 7 }, () => bucket.take(600_000))).toEqual([0, 0, 0, 0, 0, 0, 10])
  })

  it('is full a minute after the last token was taken', () => {
    const bucket = new TokenBucket(6, 0)
    bucket.take(1_000)
    expect([bucket.isFull(60_999), bucket.isFull(61_000)]).toEqual([false, true])
  })
})
