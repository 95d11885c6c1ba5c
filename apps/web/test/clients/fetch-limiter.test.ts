import { describe, expect, it } from 'vitest'
import { fetchLimiter } from '@/authorization-server/fetch-limiter.ts'

describe('the fetch limiter', () => {
  const limits = { atOnce: 5, atOnceOfOne: 2, perMinuteOfOne: 3 }

  it('reserves capacity for other users', () => {
    const { take } = fetchLimiter(limits, () => 0)
    const mine = [take('ada'), take('ada')]
    expect(mine.every(Boolean)).toBe(true)
    expect(take('ada')).toBeUndefined()
    expect(take('ben')).toBeDefined()
    mine[0]?.()
    expect(take('ada')).toBeDefined()
  })

  it('limits all users together', () => {
    const { take } = fetchLimiter(limits, () => 0)
    const taken = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => take(name))
    expect(taken.map(Boolean)).toEqual([true, true, true, true, true, false])
    taken[0]?.()
    expect(take('f')).toBeDefined()
  })

  it('uses a sliding minute', () => {
    let now = 59_000
    const { take } = fetchLimiter(limits, () => now)
    for (let n = 0; n < 3; n++) take('ada')?.()
    now = 61_000
    expect(take('ada')).toBeUndefined()
    now = 119_001
    expect(take('ada')).toBeDefined()
  })
})
